//! Inputs of case hooks.

use serde_json::Value as Json;
use tenter_model::case::call::{
    Attachment, CallContext, CaseEvent, CaseUser, Proposal, Resumable, SeenChange, SeenObject, Trigger,
};
use tenter_model::case::object::Body;
use tenter_model::case::{Phase, TABLE};
use tenter_model::hook::{CaseFilter, Moment};

use super::{Input, Read, list, member, text, under};

/// Around what a hook of cases is called.
#[derive(Debug)]
pub(in crate::cli) struct Around {
    /// Who did it, and where.
    pub(in crate::cli) context: CallContext,
    /// What happens.
    pub(in crate::cli) event: CaseEvent,
}

impl Around {
    /// Whether a subscription is about this event.
    pub(super) fn fits(&self, moment: &Moment) -> bool {
        let wanted = |wish: &Option<String>, is: Option<&str>| wish.as_deref().is_none_or(|wish| Some(wish) == is);
        match moment {
            Moment::Before(filter) | Moment::After { filter, .. } => {
                let CaseFilter { object, action } = filter;
                wanted(object, Some(self.event.object)) && wanted(action, self.event.action)
            }
            Moment::Manual { object, .. } => object == self.event.object,
            _ => false,
        }
    }
}

/// The input of a phase.
pub(super) fn input(phase: Phase, json: &Json) -> Read<Input> {
    let context = json.get("context").unwrap_or(&Json::Null);
    let around = Around {
        context: self::context(phase, context).map_err(under("context"))?,
        event: event(phase, member(json, "event")?).map_err(under("event"))?,
    };
    let each = |read: fn(&Json) -> Read<SeenChange>| {
        member(json, "objects")?;
        let objects = list(json, "objects")?.iter().enumerate();
        objects.map(|(i, o)| read(o).map_err(|e| format!("objects[{i}]: {e}"))).collect::<Read<Vec<_>>>()
    };
    Ok(match phase {
        Phase::Before => {
            let proposal = member(json, "proposal")?;
            let id = proposal.get("id").filter(|id| !id.is_null());
            let id = id.map(|id| id.as_i64().ok_or("proposal: id: expected a number")).transpose()?;
            Input::Proposal(around, Proposal { id, body: body(proposal).map_err(under("proposal"))? })
        }
        Phase::After => Input::Changes(around, each(change)?),
        Phase::Manual => {
            let objects = each(|json| Ok(SeenChange { new: Some(object(json)?), ..SeenChange::default() }))?;
            Input::Objects(around, objects.into_iter().filter_map(|change| change.new).collect())
        }
    })
}

fn context(phase: Phase, json: &Json) -> Read<CallContext> {
    let optional = |name: &str| json.get(name).filter(|v| !v.is_null());
    let trigger = match optional("trigger") {
        None if phase == Phase::Manual => Trigger::Manual,
        None => Trigger::Api,
        Some(name) => name.as_str().and_then(Trigger::parse).ok_or_else(|| {
            let names: Vec<_> = Trigger::ALL.into_iter().map(Trigger::name).collect();
            format!("trigger: {name} is none; expected one of {}", names.join(", "))
        })?,
    };
    let user = |user: &Json| {
        let id = member(user, "id")?.as_i64().ok_or("id: expected a number")?;
        Ok(CaseUser { id, login: text(user, "login")?.to_owned(), name: text(user, "name")?.to_owned() })
    };
    Ok(CallContext {
        case_id: optional("case_id").map(|id| id.as_i64().ok_or("case_id: expected a number")).transpose()?,
        case_name: optional("case_name").map(|_| text(json, "case_name").map(str::to_owned)).transpose()?,
        user: optional("user").map(user).transpose().map_err(under("user"))?,
        trigger,
        // Nothing comes after a call that is made by hand, so that it can ask for nothing.
        resumable: Resumable::default(),
    })
}

fn event(phase: Phase, json: &Json) -> Read<CaseEvent> {
    let object = text(json, "object")?.replace('_', "-");
    let action = match phase {
        Phase::Manual => String::new(),
        Phase::Before | Phase::After => text(json, "action")?.replace('_', "-"),
    };
    if let Some(hook) = CaseEvent::hook(phase, &object, &action) {
        return Ok(hook.into());
    }
    let of_phase = || TABLE.iter().filter(|hook| hook.phase == phase);
    let actions: Vec<_> = of_phase().filter(|hook| hook.object == object).map(|hook| hook.action).collect();
    if actions.is_empty() {
        let mut objects: Vec<_> = of_phase().map(|hook| hook.object).collect();
        objects.dedup();
        return Err(format!("object: {object:?} has no such hooks; expected one of {}", objects.join(", ")));
    }
    Err(format!("action: {action:?} is none of {object}; expected one of {}", actions.join(", ")))
}

fn change(json: &Json) -> Read<SeenChange> {
    let one = |name: &str| {
        let seen = json.get(name).filter(|o| !o.is_null());
        seen.map(object).transpose().map_err(under(name))
    };
    let (old, new) = (one("old")?, one("new")?);
    if old.is_none() && new.is_none() {
        return Err("expected `new`, or `old`, or both".to_owned());
    }
    let files = list(json, "attachments")?.iter().enumerate();
    let files = files.map(|(i, file)| attachment(file).map_err(|e| format!("attachments[{i}]: {e}")));
    Ok(SeenChange { old, new, attachments: files.collect::<Read<_>>()? })
}

fn object(json: &Json) -> Read<SeenObject> {
    let given = text(json, "object")?.replace('_', "-");
    let object = TABLE.iter().map(|hook| hook.object).find(|known| *known == given);
    let uuid = json.get("uuid").filter(|v| !v.is_null());
    Ok(SeenObject {
        object: object
            .ok_or_else(|| format!("object: {given:?} is no kind of object; `tenter hook kinds` lists them"))?,
        id: member(json, "id")?.as_i64().ok_or("id: expected a number")?,
        uuid: uuid.map(|_| text(json, "uuid").map(str::to_owned)).transpose()?,
        version: json.get("version").map_or(Some(1), Json::as_u64).ok_or("version: expected a number")?,
        body: body(json)?,
    })
}

fn body(json: &Json) -> Read<Body> {
    member(json, "body")?.as_object().cloned().ok_or_else(|| "body: expected an object".to_owned())
}

/// A file, with its content as text or, where it is none, as hexadecimal digits.
fn attachment(json: &Json) -> Read<Attachment> {
    let content = match json.get("hex") {
        Some(_) => from_hex(text(json, "hex")?).ok_or("hex: expected two hexadecimal digits for each byte")?,
        None => text(json, "content")?.as_bytes().to_vec(),
    };
    Ok(Attachment { name: text(json, "name")?.to_owned(), media_type: text(json, "media_type")?.to_owned(), content })
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
}
