//! Objects that live in cases, and global tasks: list, show, add, update, delete.
//!
//! What the kinds have in common is written once; in what they differ (the word for a list, whether it counts its
//! changes) is a row of [`LISTS`].

use serde_json::{Value, json};
use tenter_engine::case::{CreateRequest, ObjectRequest, UpdateRequest};
use tenter_model::case::kind::Home;
use tenter_model::case::moment::iso;
use tenter_model::case::render::{View, render};
use tenter_model::case::{Body, CaseObject, LookUpKind, LookUpRow, ObjectKind, ObjectRef};
use tenter_store::{CaseWorld, Novelty};

use super::{Answer, Ask, Asking, Refusal, Success};

/// How a list of a kind is called in answers.
const LISTS: [(ObjectKind, &str); 5] = [
    (ObjectKind::Asset, "assets"),
    (ObjectKind::Ioc, "ioc"),
    (ObjectKind::Evidence, "evidences"),
    (ObjectKind::Task, "tasks"),
    (ObjectKind::GlobalTask, "tasks"),
];

/// The name of an object's number in paths.
const ID: &str = "object_id";

/// All objects of a kind in the case; all that there are of a kind that lives in no case.
pub(in crate::api) async fn list(kind: ObjectKind, asking: Asking) -> Answer {
    let case_id = asking.case_id;
    let home = home(kind, case_id);
    let read = move |world: &CaseWorld<'_>| {
        let name = LISTS.iter().find(|(of, _)| *of == kind).map_or("objects", |(_, name)| name);
        let rows: Vec<Value> =
            world.objects(kind, home).iter().map(|object| render(object, View::Row, world)).collect();
        let mut data = Body::from_iter([(name.to_owned(), Value::Array(rows))]);
        if matches!(kind, ObjectKind::Task | ObjectKind::GlobalTask) {
            let statuses = world.rows(LookUpKind::TaskStatus).iter().map(LookUpRow::render).collect();
            data.insert("tasks_status".into(), statuses);
        }
        if home.is_some() {
            data.insert("state".into(), state(kind, case_id, world));
        }
        Ok(Success::of(Value::Object(data)))
    };
    match home {
        Some(_) => asking.see(read).await,
        None => asking.look(read).await,
    }
}

/// One object.
pub(in crate::api) async fn show(kind: ObjectKind, asking: Asking) -> Answer {
    let target = ObjectRef { kind, id: asking.id(ID)? };
    let home = home(kind, asking.case_id);
    let read = move |world: &CaseWorld<'_>| {
        let object = world.object_in(target, home).ok_or_else(|| Refusal::no_object(target))?;
        Ok(Success::of(render(&object, View::Record, world)))
    };
    match home {
        Some(_) => asking.see(read).await,
        None => asking.look(read).await,
    }
}

/// Makes an object.
pub(in crate::api) async fn add(kind: ObjectKind, ask: Ask) -> Answer {
    let Ask { asking, body } = ask;
    let case_id = home(kind, asking.case_id);
    let made = asking
        .change(move |cases, context| cases.create(CreateRequest { kind, case_id, about: None, body, context }))
        .await?;
    let message = match (kind, made.novelty) {
        (ObjectKind::Ioc, Novelty::New) => "IOC added".to_owned(),
        (ObjectKind::Ioc, Novelty::NowInCase) => "IOC added: it existed in another case and stays as it was".to_owned(),
        (ObjectKind::Ioc, Novelty::AlreadyInCase) => "IOC already in this case, nothing was changed".to_owned(),
        _ => format!("{} added", word(kind)),
    };
    record(&asking, made.object, message).await
}

/// Changes an object.
pub(in crate::api) async fn update(kind: ObjectKind, ask: Ask) -> Answer {
    let target = ObjectRef { kind, id: ask.id(ID)? };
    let Ask { asking, body } = ask;
    let case_id = home(kind, asking.case_id);
    let changed =
        asking.change(move |cases, context| cases.update(UpdateRequest { target, case_id, body, context })).await?;
    record(&asking, changed.new, format!("{} updated", word(kind))).await
}

/// Deletes an object.
pub(in crate::api) async fn delete(kind: ObjectKind, ask: Ask) -> Answer {
    let target = ObjectRef { kind, id: ask.id(ID)? };
    let case_id = home(kind, ask.case_id);
    let removed = ask.remove(move |cases, context| cases.delete(ObjectRequest { target, case_id, context })).await?;
    let what = if removed.gone.is_empty() { "taken out of this case, others have it too" } else { "deleted" };
    Ok(Success::done(format!("{} {what}", word(kind))))
}

/// The record of an object that was just written.
pub(super) async fn record(asking: &Asking, object: CaseObject, message: String) -> Answer {
    let data = asking.look(move |world| Ok(render(&object, View::Record, world))).await?;
    Ok(Success::new(message, data))
}

/// How often objects of a kind changed in a case, and when they last did.
pub(super) fn state(kind: ObjectKind, case_id: i64, world: &CaseWorld<'_>) -> Value {
    let (count, last) = kind.info().state.map_or((0, None), |name| world.state(case_id, name));
    json!({"object_state": count, "object_last_update": last.map(iso)})
}

/// The case that objects of a kind are asked of, if any.
fn home(kind: ObjectKind, case_id: i64) -> Option<i64> {
    let in_a_case = kind == ObjectKind::Ioc || kind.info().home == Home::Case;
    in_a_case.then_some(case_id)
}

/// The word for a kind at the beginning of a message.
fn word(kind: ObjectKind) -> String {
    if kind == ObjectKind::Ioc {
        return "IOC".to_owned();
    }
    let mut letters = kind.info().word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
