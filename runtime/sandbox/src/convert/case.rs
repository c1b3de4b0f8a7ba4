//! Case objects, what hooks see of them and what they want done to them.
//!
//! Names of objects and fields are checked here as far as there must be a kind of that name; which fields a module may
//! set, what an object may hold and whether the module may touch it at all is checked where it is applied.

use serde_json::Value;
use tenter_model::case::call::{
    Attachment, CallContext, CaseEffect, CaseEvent, CaseOutcome, Judgement, ManualOutcome, Media, Proposal, Report,
    SeenChange, SeenObject, Trigger,
};
use tenter_model::case::custom::CustomField;
use tenter_model::case::{Body, Edit, ObjectKind, ObjectRef, edit};
use tenter_model::host::{HookFailure, Reason};
use tenter_model::limits::CallLimits;

use super::task::tasks_from_wit;
use super::value::json_from_wit;
use super::{At, Bad, Checked, line};
use crate::bindings::exports::tenter::hooks::cases as wit;
use crate::text::message;

/// Longest name of a field, a tab, a file, in bytes.
const MAX_NAME: usize = 1024;
/// Longest message of a report, in bytes.
const MAX_MESSAGE: usize = 2 << 10;

pub(crate) fn context_to_wit(context: &CallContext) -> wit::Context {
    let user = context.user.as_ref();
    wit::Context {
        case_id: context.case_id,
        case_name: context.case_name.clone(),
        user: user.map(|user| wit::User { id: user.id, login: user.login.clone(), name: user.name.clone() }),
        trigger: match context.trigger {
            Trigger::Api => wit::Trigger::Api,
            Trigger::Manual => wit::Trigger::Manual,
            Trigger::Csv => wit::Trigger::Csv,
            Trigger::Template => wit::Trigger::Template,
            Trigger::Module => wit::Trigger::Module,
        },
    }
}

pub(crate) fn event_to_wit(event: CaseEvent) -> wit::Event {
    wit::Event { object: event.object.to_owned(), action: event.action.map(str::to_owned) }
}

pub(crate) fn proposal_to_wit(proposal: &Proposal) -> wit::Proposal {
    wit::Proposal { id: proposal.id, body: text(&proposal.body) }
}

pub(crate) fn change_to_wit(change: &SeenChange) -> wit::Written {
    wit::Written {
        old: change.old.as_ref().map(object_to_wit),
        new: change.new.as_ref().map(object_to_wit),
        attachments: change.attachments.iter().map(attachment_to_wit).collect(),
    }
}

pub(crate) fn object_to_wit(object: &SeenObject) -> wit::CaseObject {
    wit::CaseObject {
        target: wit::ObjectRef { object: object.object.to_owned(), id: object.id },
        uuid: object.uuid.clone(),
        version: object.version,
        body: text(&object.body),
    }
}

fn attachment_to_wit(attachment: &Attachment) -> wit::Attachment {
    let Attachment { name, media_type, content } = attachment.clone();
    wit::Attachment { name, media_type, content }
}

fn text(body: &Body) -> String {
    serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned())
}

pub(crate) fn judgement_from_wit(judgement: wit::Judgement) -> Result<Judgement, HookFailure> {
    Ok(match judgement {
        wit::Judgement::Unchanged => Judgement::Unchanged,
        wit::Judgement::Replaced(body) => Judgement::Replaced(body_from_wit(&body).map_err(Bad::into_failure)?),
        wit::Judgement::Denied(reason) => Judgement::Denied(message(&reason)),
    })
}

pub(crate) fn outcome_from_wit(outcome: wit::Outcome, limits: &CallLimits) -> Result<CaseOutcome, HookFailure> {
    let wit::Outcome { effects, tasks } = outcome;
    let (count, limit) = (effects.len().saturating_add(tasks.len()), limits.output_tasks as usize);
    if count > limit {
        let what = format!("returned {count} of {limit} effects and tasks; {}", Reason::OutputCount.hint());
        return Err(HookFailure::new(Reason::OutputCount, what));
    }
    let effects = effects.into_iter().enumerate().map(|(i, effect)| effect_from_wit(effect).at_index("effects", i));
    let effects = effects.collect::<Checked<_>>().map_err(Bad::into_failure)?;
    let tasks = tasks_from_wit(tasks).map_err(Bad::into_failure)?;
    // Whether the call is to be made again it says on another way.
    Ok(CaseOutcome { effects, tasks, resume: None })
}

pub(crate) fn manual_from_wit(outcome: wit::ManualOutcome, limits: &CallLimits) -> Result<ManualOutcome, HookFailure> {
    let wit::ManualOutcome { effects, tasks, report } = outcome;
    Ok(ManualOutcome {
        outcome: outcome_from_wit(wit::Outcome { effects, tasks }, limits)?,
        report: report.map(report_from_wit).transpose().map_err(Bad::into_failure)?,
    })
}

fn report_from_wit(report: wit::Report) -> Checked<Report> {
    let wit::Report { message, media, content } = report;
    let media = match media {
        wit::Media::Text => Media::Text,
        wit::Media::Markdown => Media::Markdown,
        wit::Media::Json => {
            json_from_wit(&content).at("content").at("report")?;
            Media::Json
        }
    };
    Ok(Report { message: line(message, MAX_MESSAGE).at("message").at("report")?, media, content })
}

fn effect_from_wit(effect: wit::Effect) -> Checked<CaseEffect> {
    match effect {
        wit::Effect::Patch(patch) => {
            let target = target_from_wit(&patch.target).at("target")?;
            let (count, max) = (patch.edits.len(), edit::MAX_EDITS);
            if count > max {
                return Err(Bad::new(format!("{count} edits, expected at most {max}")).within("edits"));
            }
            let edits = patch.edits.into_iter().enumerate().map(|(i, edit)| edit_from_wit(edit).at_index("edits", i));
            let expected_version = patch.expected_version;
            Ok(CaseEffect::Patch { target, expected_version, edits: edits.collect::<Checked<_>>()? })
        }
        wit::Effect::Create(new) => {
            let attachments = new.attachments.into_iter().enumerate();
            let attachments = attachments.map(|(i, file)| attachment_from_wit(file).at_index("attachments", i));
            Ok(CaseEffect::Create {
                kind: kind_from_wit(&new.object).at("object")?,
                case_id: new.case_id,
                body: body_from_wit(&new.body).at("body")?,
                attachments: attachments.collect::<Checked<_>>()?,
            })
        }
    }
}

fn edit_from_wit(edit: wit::Edit) -> Checked<Edit> {
    Ok(match edit {
        wit::Edit::AddTag(tag) => Edit::AddTag(tag),
        wit::Edit::RemoveTag(tag) => Edit::RemoveTag(tag),
        wit::Edit::AppendDescription(text) => Edit::AppendDescription(text),
        wit::Edit::SetField(field) => Edit::SetField {
            name: line(field.name, MAX_NAME).at("name")?,
            value: json_from_wit(&field.json).at("json")?,
        },
        wit::Edit::SetCustomField(field) => Edit::SetCustomField(CustomField {
            tab: line(field.tab, MAX_NAME).at("tab")?,
            name: line(field.name, MAX_NAME).at("name")?,
            kind: line(field.kind, MAX_NAME).at("kind")?,
            value: json_from_wit(&field.json).at("json")?,
        }),
    })
}

fn attachment_from_wit(file: wit::Attachment) -> Checked<Attachment> {
    let wit::Attachment { name, media_type, content } = file;
    Ok(Attachment {
        name: line(name, MAX_NAME).at("name")?,
        media_type: line(media_type, MAX_NAME).at("media-type")?,
        content,
    })
}

fn target_from_wit(target: &wit::ObjectRef) -> Checked<ObjectRef> {
    Ok(ObjectRef { kind: kind_from_wit(&target.object).at("object")?, id: target.id })
}

fn kind_from_wit(name: &str) -> Checked<ObjectKind> {
    ObjectKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let names: Vec<_> = ObjectKind::ALL.into_iter().map(ObjectKind::name).collect();
        let given = crate::text::escape(name, 40);
        Bad::new(format!("{given:?} is no kind of object, expected one of {}", names.join(", ")))
    })
}

/// A JSON object.
fn body_from_wit(text: &str) -> Checked<Body> {
    match json_from_wit(text)? {
        Value::Object(body) => Ok(body),
        other => {
            let what = match other {
                Value::Array(_) => "a list",
                Value::String(_) => "a text",
                Value::Null => "null",
                _ => "a number or truth value",
            };
            Err(Bad::new(format!("the body is {what}, expected a JSON object")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tenter_model::hook::Family;

    use super::*;

    fn patch() -> wit::Patch {
        let field = wit::Field { name: "ioc_description".into(), json: "\"x\"".into() };
        wit::Patch {
            target: wit::ObjectRef { object: "ioc".into(), id: 7 },
            expected_version: Some(2),
            edits: vec![wit::Edit::AddTag("seen".into()), wit::Edit::SetField(field)],
        }
    }

    fn outcome(effects: Vec<wit::Effect>) -> Result<CaseOutcome, HookFailure> {
        outcome_from_wit(wit::Outcome { effects, tasks: Vec::new() }, &CallLimits::of(Family::Case))
    }

    #[test]
    fn effects_come_as_they_were_meant() {
        let body = "{\"note_title\": \"t\"}".to_owned();
        let file = wit::Attachment { name: "a".into(), media_type: "text/plain".into(), content: vec![1] };
        let new = wit::NewObject { object: "note".into(), case_id: None, body, attachments: vec![file] };
        let effects = outcome(vec![wit::Effect::Patch(patch()), wit::Effect::Create(new)]).unwrap().effects;
        let set = Edit::SetField { name: "ioc_description".into(), value: json!("x") };
        let target = ObjectRef { kind: ObjectKind::Ioc, id: 7 };
        let edits = vec![Edit::AddTag("seen".into()), set];
        let file = Attachment { name: "a".into(), media_type: "text/plain".into(), content: vec![1] };
        let expected = [
            CaseEffect::Patch { target, expected_version: Some(2), edits },
            CaseEffect::Create {
                kind: ObjectKind::Note,
                case_id: None,
                body: json!({"note_title": "t"}).as_object().unwrap().clone(),
                attachments: vec![file],
            },
        ];
        assert_eq!(effects, expected);
    }

    fn refusal(spoil: impl FnOnce(&mut wit::Patch)) -> String {
        let mut bad = patch();
        spoil(&mut bad);
        let failure = outcome(vec![wit::Effect::Patch(patch()), wit::Effect::Patch(bad)]).unwrap_err();
        assert_eq!(failure.reason, Reason::InvalidOutput);
        failure.message.replace(&format!("; {}", Reason::InvalidOutput.hint()), "")
    }

    #[test]
    fn refusals_name_index_and_field() {
        insta::assert_snapshot!(refusal(|p| p.target.object = "alert".into()), @r#"effects[1].target.object: "alert" is no kind of object, expected one of case, asset, note, note-directory, ioc, event, evidence, task, global-task, comment"#);
        insta::assert_snapshot!(refusal(|p| p.edits.push(wit::Edit::SetField(wit::Field { name: "a\nb".into(), json: "1".into() }))), @r"effects[1].edits[2].name: contains the control character \n, expected none");
        insta::assert_snapshot!(refusal(|p| p.edits.push(wit::Edit::SetField(wit::Field { name: "a".into(), json: "{".into() }))), @r#"effects[1].edits[2].json: "{" is not JSON: EOF while parsing an object at line 1 column 1"#);
        insta::assert_snapshot!(refusal(|p| p.edits = vec![wit::Edit::AddTag("x".into()); 1001]), @"effects[1].edits: 1001 edits, expected at most 1000");
    }

    #[test]
    fn a_body_is_a_json_object() {
        let judged = |text: &str| judgement_from_wit(wit::Judgement::Replaced(text.into()));
        assert_eq!(judged("{}"), Ok(Judgement::Replaced(Body::new())));
        for (text, what) in [("[]", "a list"), ("null", "null"), ("\"x\"", "a text"), ("7", "a number or truth value")]
        {
            let failure = judged(text).unwrap_err();
            assert_eq!(failure.reason, Reason::InvalidOutput);
            assert!(failure.message.starts_with(&format!("the body is {what}, expected a JSON object")), "{failure}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        assert!(judged(&deep).unwrap_err().message.contains("deeper than 32 levels"));
        let denied = judgement_from_wit(wit::Judgement::Denied("no\u{1b}[31m".into())).unwrap();
        assert_eq!(denied, Judgement::Denied("no\\u{1b}[31m".into()));
    }

    #[test]
    fn too_much_is_refused_as_a_whole() {
        let limits = CallLimits { output_tasks: 2, ..CallLimits::of(Family::Case) };
        let many = |n| wit::Outcome { effects: vec![wit::Effect::Patch(patch()); n], tasks: Vec::new() };
        assert_eq!(outcome_from_wit(many(2), &limits).unwrap().effects.len(), 2);
        assert_eq!(outcome_from_wit(many(3), &limits).unwrap_err().reason, Reason::OutputCount);
    }
}
