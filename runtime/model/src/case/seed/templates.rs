//! The templates of reports that a new store has: one of each sort in each format.

use serde_json::json;

use super::{FIRST, row};
use crate::case::object::Body;
use crate::case::report::Format;

/// Sort, name, form of the names of documents, format, template.
const TEMPLATES: [(i64, &str, &str, Format, &str); 4] = [
    (
        FIRST,
        "Investigation",
        "investigation_%case_name%_%date%",
        Format::Markdown,
        include_str!("templates/investigation.md"),
    ),
    (
        FIRST,
        "Investigation (HTML)",
        "investigation_%case_name%_%date%",
        Format::Html,
        include_str!("templates/investigation.html"),
    ),
    (2, "Activities", "activities_%case_name%_%date%", Format::Markdown, include_str!("templates/activities.md")),
    (2, "Activities (HTML)", "activities_%case_name%_%date%", Format::Html, include_str!("templates/activities.html")),
];

/// English, among the languages of templates.
const ENGLISH: i64 = 2;

pub(super) fn rows(today: &str) -> Vec<(String, Body)> {
    TEMPLATES
        .map(|(sort, name, form, format, content)| {
            row(
                name,
                &[
                    ("description", json!("Comes with Tenter")),
                    ("internal_reference", json!("")),
                    ("naming_format", json!(form)),
                    ("language_id", json!(ENGLISH)),
                    ("report_type_id", json!(sort)),
                    ("format", json!(format.extension())),
                    ("content", json!(content)),
                    ("date_created", json!(today)),
                    ("created_by_user_id", json!(FIRST)),
                ],
            )
        })
        .into()
}
