//! What case hooks return, as the JSON of `PROTOCOL.md`.

use serde_json::{Value as Json, json};
use tenter_model::case::call::{Attachment, CaseEffect, Judgement};
use tenter_model::case::edit::settable_fields;
use tenter_model::case::{Edit, EditError};
use tenter_model::module::LoadedModule;

/// The answer of a `before` hook.
pub(super) fn judgement(judgement: &Judgement) -> Json {
    match judgement {
        Judgement::Unchanged => json!("unchanged"),
        Judgement::Replaced(body) => json!({"replaced": body}),
        Judgement::Denied(reason) => json!({"denied": reason}),
    }
}

/// An effect, with the reason why a server would refuse it, if one can be told without the object.
pub(super) fn effect(effect: &CaseEffect, module: &LoadedModule) -> Json {
    let (kind, mut json) = match effect {
        CaseEffect::Patch { target, expected_version, edits } => (
            target.kind,
            json!({"patch": {
                "object": target.kind.name(),
                "id": target.id,
                "expected_version": expected_version,
                "edits": edits.iter().map(edit).collect::<Vec<_>>(),
            }}),
        ),
        CaseEffect::Create { kind, case_id, body, attachments } => (
            *kind,
            json!({"create": {
                "object": kind.name(),
                "case_id": case_id,
                "body": body,
                "attachments": attachments.iter().map(attachment).collect::<Vec<_>>(),
            }}),
        ),
    };
    let refused = if module.settings.is_granted("case-write", kind.name()) {
        not_settable(effect)
    } else {
        Some(format!("changing objects of kind {kind} needs the grant `case-write {kind}`; ask for it in `configure`"))
    };
    if let (Some(refused), Some(members)) = (refused, json.as_object_mut()) {
        members.insert("refused".to_owned(), refused.into());
    }
    json
}

fn not_settable(effect: &CaseEffect) -> Option<String> {
    let CaseEffect::Patch { target, edits, .. } = effect else { return None };
    edits.iter().find_map(|edit| match edit {
        Edit::SetField { name, .. } if !settable_fields(target.kind).any(|field| field.name == name) => {
            Some(EditError::NotSettable { kind: target.kind, name: name.clone() }.to_string())
        }
        _ => None,
    })
}

fn edit(edit: &Edit) -> Json {
    match edit {
        Edit::AddTag(tag) => json!({"add_tag": tag}),
        Edit::RemoveTag(tag) => json!({"remove_tag": tag}),
        Edit::AppendDescription(text) => json!({"append_description": text}),
        Edit::SetField { name, value } => json!({"set_field": {"name": name, "value": value}}),
        Edit::SetCustomField(field) => {
            json!({"set_custom_field": {"tab": field.tab, "name": field.name, "kind": field.kind, "value": field.value}})
        }
    }
}

/// A file; its content as text or, where it is none, as hexadecimal digits.
fn attachment(file: &Attachment) -> Json {
    let Attachment { name, media_type, content } = file;
    match std::str::from_utf8(content) {
        Ok(text) => json!({"name": name, "media_type": media_type, "content": text}),
        Err(_) => {
            let hex: String = content.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"name": name, "media_type": media_type, "hex": hex})
        }
    }
}
