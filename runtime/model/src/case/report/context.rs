//! What a template sees of a case: records as the API has them, each kind in a list of its own.
//!
//! A record here has the columns of both views, so that a template can print the name of a type as well as go through
//! what belongs to it; where both have a column, the short one of lists counts. The names of lists are those that
//! templates of IRIS use.

use serde_json::{Value, json};

use crate::case::kind::ObjectKind;
use crate::case::moment;
use crate::case::object::{Body, CaseObject};
use crate::case::render::{Joins, View, render};
use crate::time::Timestamp;

/// The lists of a context and what is in them.
const LISTS: [(&str, ObjectKind); 6] = [
    ("assets", ObjectKind::Asset),
    ("iocs", ObjectKind::Ioc),
    ("timeline", ObjectKind::Event),
    ("evidences", ObjectKind::Evidence),
    ("tasks", ObjectKind::Task),
    ("notes", ObjectKind::Note),
];

/// Something that was done in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// When.
    pub at: Timestamp,
    /// The name of who did it.
    pub user: String,
    /// What.
    pub text: String,
    /// Whether a person wrote it down.
    pub typed: bool,
    /// Whether it came through the API.
    pub from_api: bool,
}

/// What a context is made of.
pub struct Sources<'a> {
    /// Rows and objects that records refer to.
    pub joins: &'a dyn Joins,
    /// The case.
    pub case: &'a CaseObject,
    /// Its objects of a kind.
    pub objects: &'a dyn Fn(ObjectKind) -> Vec<CaseObject>,
    /// What was done, newest first.
    pub activities: &'a [Activity],
    /// The name of who asks for the report.
    pub user: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// The tree that a template sees.
#[must_use]
pub fn context(sources: &Sources<'_>) -> Value {
    let mut out = Body::new();
    let mut case = record(sources.case, sources.joins);
    if let Value::Object(case) = &mut case {
        for (short, long) in [
            ("name", "case_name"),
            ("description", "case_description"),
            ("soc_id", "case_soc_id"),
            ("for_customer", "customer_name"),
        ] {
            let value = case.get(long).cloned().unwrap_or(Value::Null);
            case.insert(short.to_owned(), value);
        }
    }
    out.insert("case".into(), case);
    for (name, kind) in LISTS {
        let mut objects = (sources.objects)(kind);
        if kind == ObjectKind::Event {
            objects.sort_by(|a, b| (a.text("event_date"), a.target.id).cmp(&(b.text("event_date"), b.target.id)));
        }
        let records = objects.iter().map(|object| {
            let mut record = record(object, sources.joins);
            if let Value::Object(record) = &mut record {
                let comments = sources.joins.comments(object.target);
                let comments = comments.iter().map(|comment| render(comment, View::Record, sources.joins)).collect();
                record.insert("comments".into(), comments);
            }
            record
        });
        out.insert(name.into(), records.collect());
    }
    let lines = |typed: Option<bool>| -> Value {
        let wanted = sources.activities.iter().filter(|line| typed.is_none_or(|typed| line.typed == typed));
        wanted.map(activity).collect()
    };
    out.insert("activities".into(), lines(None));
    out.insert("auto_activities".into(), lines(Some(false)));
    out.insert("manual_activities".into(), lines(Some(true)));
    let date = moment::date(sources.now);
    let digits: String = moment::iso(sources.now).chars().take(19).filter(char::is_ascii_digit).collect();
    out.insert("doc_id".into(), json!(format!("case-{}-{digits}", sources.case.target.id)));
    out.insert("date".into(), json!(date));
    out.insert("gen_user".into(), json!(sources.user));
    Value::Object(out)
}

fn record(object: &CaseObject, joins: &dyn Joins) -> Value {
    let (mut whole, short) = (render(object, View::Record, joins), render(object, View::Row, joins));
    if let (Value::Object(whole), Value::Object(short)) = (&mut whole, short) {
        whole.extend(short);
    }
    whole
}

fn activity(line: &Activity) -> Value {
    json!({
        "activity_date": moment::iso(line.at), "date": moment::iso(line.at), "user": line.user, "name": line.user,
        "activity_desc": line.text, "user_input": line.typed, "is_from_api": line.from_api,
    })
}
