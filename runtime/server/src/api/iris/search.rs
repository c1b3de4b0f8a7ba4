//! Looking for indicators, notes and comments in all cases that a user may see, and for notes in one.

use serde_json::{Value, json};
use tenter_model::case::like::Like;
use tenter_model::case::render::Joins as _;
use tenter_model::case::{CaseObject, FieldErrors, LookUpKind, ObjectKind, ObjectRef, Relation};
use tenter_store::{AccessLevel, CaseWorld};

use super::{Answer, Ask, Refusal, Success};

/// What an answer has at most.
const MOST: usize = 1_000;
/// Indicators that are looked at for one answer; many of them may be in cases that the user may not see.
const LOOKED_AT: u32 = 20_000;

/// `POST /search`: `search_value` is a pattern in which `%` stands for any text; `search_type` says what is looked for.
pub(in crate::api) async fn everywhere(ask: Ask) -> Answer {
    let pattern = pattern(ask.body.get("search_value"), "search_value")?;
    let user = ask.user.id;
    match ask.body.get("search_type").and_then(Value::as_str) {
        Some("ioc") => ask.look(move |world| Ok(found(iocs(&pattern, user, world)))).await,
        Some("notes") => ask.look(move |world| Ok(found(texts(ObjectKind::Note, &pattern, user, world)))).await,
        Some("comments") => ask.look(move |world| Ok(found(texts(ObjectKind::Comment, &pattern, user, world)))).await,
        _ => {
            let expected = "Expected one of: ioc, notes, comments.";
            Err(Refusal::fields(&FieldErrors::one("search_type", expected)))
        }
    }
}

/// `/case/notes/search`: ids and titles of notes in the case whose title or content has a text.
pub(in crate::api) async fn notes(ask: Ask) -> Answer {
    ask.see(|_| Ok(())).await?;
    let asked = ask.params.text("search_input").map(|text| json!(text));
    let pattern = pattern(asked.as_ref().or_else(|| ask.body.get("search_term")), "search_term")?.anywhere();
    let case_id = Some(ask.case_id);
    ask.see(move |world| {
        let wanted = |note: &CaseObject| pattern.matches(note.label()) || pattern.matches(note.text("note_content"));
        let notes = world.objects_that(ObjectKind::Note, case_id, wanted);
        let rows = notes.iter().map(|note| json!({"note_id": note.target.id, "note_title": note.label()}));
        Ok(found(rows.take(MOST).collect()))
    })
    .await
}

fn found(rows: Vec<Value>) -> Success {
    Success::of(Value::Array(rows))
}

fn pattern(value: Option<&Value>, field: &str) -> Result<Like, Refusal> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    Like::parse(text).map_err(|why| Refusal::fields(&FieldErrors::one(field, why)))
}

/// A row for each indicator and each case that has it.
fn iocs(pattern: &Like, user: i64, world: &CaseWorld<'_>) -> Vec<Value> {
    let mut rows = Vec::new();
    for ioc in world.search(ObjectKind::Ioc, pattern.as_str(), LOOKED_AT) {
        let named = |field: &str, kind| ioc.integer(field).and_then(|id| world.row(kind, id));
        let tlp = named("ioc_tlp_id", LookUpKind::Tlp);
        for case in world.far(Relation::IocCase, ioc.target.id) {
            if rows.len() >= MOST {
                return rows;
            }
            let Some(case) = readable(case, user, world) else { continue };
            rows.push(json!({
                "ioc_id": ioc.target.id, "ioc_name": ioc.label(), "ioc_value": ioc.label(),
                "ioc_description": ioc.text("ioc_description"), "ioc_misp": ioc.body.get("ioc_misp"),
                "type_name": named("ioc_type_id", LookUpKind::IocType).map(|row| row.name),
                "tlp_name": tlp.as_ref().map(|row| row.name.clone()),
                "tlp_bscolor": tlp.as_ref().map(|row| row.text("tlp_bscolor").to_owned()),
                "case_id": case.target.id, "case_name": case.label(), "customer_name": customer(&case, world),
            }));
        }
    }
    rows
}

/// A row for each note, or comment, with a text that has the pattern somewhere.
fn texts(kind: ObjectKind, pattern: &Like, user: i64, world: &CaseWorld<'_>) -> Vec<Value> {
    let pattern = pattern.clone().anywhere();
    let (field, names) = match kind {
        ObjectKind::Note => ("note_content", ("note_id", "note_title")),
        _ => ("comment_text", ("comment_id", "comment_text")),
    };
    let mut rows = Vec::new();
    for case in world.objects(ObjectKind::Case, None) {
        let Some(case) = readable(case.target.id, user, world) else { continue };
        let wanted = |object: &CaseObject| pattern.matches(object.text(field)) || pattern.matches(object.label());
        for object in world.objects_that(kind, Some(case.target.id), wanted) {
            if rows.len() >= MOST {
                return rows;
            }
            let (id, text) = names;
            rows.push(json!({
                "case_id": case.target.id, "case_name": case.label(), "client_name": customer(&case, world),
                id: object.target.id, text: object.label(),
            }));
        }
    }
    rows
}

fn readable(case: i64, user: i64, world: &CaseWorld<'_>) -> Option<CaseObject> {
    let case = ObjectRef { kind: ObjectKind::Case, id: case };
    (world.level(user, case.id) >= AccessLevel::Read).then(|| world.object_in(case, None)).flatten()
}

fn customer(case: &CaseObject, world: &CaseWorld<'_>) -> Option<String> {
    world.row(LookUpKind::Customer, case.integer("case_customer")?).map(|row| row.name)
}
