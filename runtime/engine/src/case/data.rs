//! What hooks see: the record of an object as the API shows it, and around what a call is made.

use serde_json::{Value, json};
use tenter_model::case::call::{Attachment, CallContext, CaseUser, Resumable, SeenChange, SeenObject, Trigger};
use tenter_model::case::render::{self, View};
use tenter_model::case::{Body, CaseObject, LookUpKind, Lookups, ObjectKind, ObjectRef, TABLE};
use tenter_store::{CaseWorld, HookJob, Written};

use super::request::ReportMade;

/// Bytes of a document that go to hooks with it; of a larger one they get its size alone.
const MAX_DOCUMENT: usize = 4 << 20;

/// The object as hooks see it.
pub(super) fn seen(object: &CaseObject, world: &CaseWorld<'_>) -> SeenObject {
    SeenObject {
        object: object.target.kind.name(),
        id: object.target.id,
        uuid: Some(object.uuid.clone()),
        version: object.version,
        body: record(object, world),
    }
}

/// Its record.
pub(super) fn record(object: &CaseObject, world: &CaseWorld<'_>) -> Body {
    match render::render(object, View::Record, world) {
        Value::Object(body) => body,
        _ => Body::new(),
    }
}

/// Around what a call is made.
pub(super) fn context(
    world: &CaseWorld<'_>,
    user: Option<CaseUser>,
    case_id: Option<i64>,
    trigger: Trigger,
) -> CallContext {
    let case = case_id.and_then(|id| world.object_in(ObjectRef { kind: ObjectKind::Case, id }, None));
    let case_name = case.map(|case| case.label().to_owned());
    CallContext { case_id, case_name, user, trigger, resumable: Resumable::default() }
}

/// The user of that id, if there still is one.
pub(super) fn user(world: &CaseWorld<'_>, id: i64) -> Option<CaseUser> {
    let row = Lookups::row(world, LookUpKind::User, id)?;
    Some(CaseUser { id, name: row.text("user_name").to_owned(), login: row.name })
}

/// What the `after` hook of a job sees. The first attempt sees the versions that the change was between; a later one,
/// one that a call asked for, and one that a request waits for, see the object as it is by now.
pub(super) fn changes(job: &HookJob, as_it_is: bool, world: &CaseWorld<'_>) -> Vec<SeenChange> {
    if let Some(report) = job.spec.payload.get("report") {
        return vec![report_seen(report)];
    }
    let mut seen_all = Vec::new();
    for Written { target, old, new } in &job.spec.written {
        let at = |version: Option<u64>| version.and_then(|version| world.version(*target, version));
        let old = at(*old);
        let new = match new {
            None => None,
            Some(_) if as_it_is => world.object_in(*target, None).or_else(|| at(*new)),
            Some(_) => at(*new),
        };
        let about = [&old, &new].into_iter().flatten().find_map(|object| object.about);
        seen_all.push(SeenChange {
            old: old.map(|old| seen(&old, world)),
            new: new.map(|new| seen(&new, world)),
            attachments: Vec::new(),
        });
        // With a remark comes what it is about.
        if let Some(about) = about.and_then(|about| world.object_in(about, None)) {
            seen_all.push(SeenChange { new: Some(seen(&about, world)), ..SeenChange::default() });
        }
    }
    seen_all
}

/// What the `manual` hook of a job sees: the objects as they are, without those that are gone.
pub(super) fn objects(job: &HookJob, world: &CaseWorld<'_>) -> Vec<SeenObject> {
    let found = job.spec.written.iter().filter_map(|written| world.object_in(written.target, None));
    found.map(|object| seen(&object, world)).collect()
}

/// What the job of a report keeps, since a report is no stored object.
pub(super) fn report(made: &ReportMade) -> Value {
    let (request, file) = (&made.request, &made.file);
    let mut body = json!({
        "report_id": request.template_id, "case_id": request.case_id, "user_name": request.context.user.name,
        "file_name": file.name, "media_type": file.media_type, "file_size": file.content.len(),
    });
    // Hexadecimal digits: twice the bytes, and no list of numbers.
    let content = (file.content.len() <= MAX_DOCUMENT).then(|| hex(&file.content));
    if let (Some(members), Some(content)) = (body.as_object_mut(), content) {
        members.insert("content".into(), content.into());
    }
    json!({"object": request.kind.object(), "body": body})
}

/// What [`report`] kept, as hooks see it: an object without uuid, with the document.
fn report_seen(kept: &Value) -> SeenChange {
    let object = kept.get("object").and_then(Value::as_str).unwrap_or_default();
    let object = TABLE.iter().map(|hook| hook.object).find(|known| *known == object).unwrap_or_default();
    let mut body = kept.get("body").and_then(Value::as_object).cloned().unwrap_or_default();
    let content = body.remove("content");
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let attachment = content.as_ref().and_then(Value::as_str).map(|content| Attachment {
        name: text("file_name"),
        media_type: text("media_type"),
        content: bytes(content),
    });
    let id = body.get("report_id").and_then(Value::as_i64).unwrap_or_default();
    let new = SeenObject { object, id, uuid: None, version: 1, body };
    SeenChange { old: None, new: Some(new), attachments: attachment.into_iter().collect() }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |digit: u8| (digit as char).to_digit(16).and_then(|n| u8::try_from(n).ok()).unwrap_or(0);
    let pair = |pair: &[u8]| match pair {
        [high, low] => digit(*high) << 4 | digit(*low),
        _ => 0,
    };
    hex.as_bytes().chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_digits() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&hex(&all)), all);
    }
}
