//! Events of a timeline: lists of them, narrowed, and copies. The rest is as with other objects.

mod filter;

use serde_json::{Value, json};
use tenter_engine::case::ObjectRequest;
use tenter_model::case::render::{Joins as _, View, render};
use tenter_model::case::{CaseObject, ObjectKind, ObjectRef, Relation};
use tenter_store::CaseWorld;

use super::objects::{record, state};
use super::{Answer, Ask, Asking, Refusal, Success};

use filter::Filter;

/// `GET /case/timeline/events/list/filter/{object_id}`: those that have to do with an asset; 0: all.
pub(in crate::api) async fn list(asking: Asking) -> Answer {
    let asset = asking.id("object_id")?;
    timeline(&asking, move |event, world| {
        asset == 0 || world.far(Relation::EventAsset, event.target.id).contains(&asset)
    })
    .await
}

/// `GET /case/timeline/advanced-filter`: those that match the parameter `q`.
pub(in crate::api) async fn filtered(mut asking: Asking) -> Answer {
    let asked = asking.params.json("q");
    if asking.params.check().is_err() {
        return Err(Refusal::bad("Invalid filter: the parameter q is no JSON"));
    }
    let filter = Filter::read(&asked.unwrap_or(Value::Null)).map_err(|errors| Refusal::fields(&errors))?;
    timeline(&asking, move |event, world| filter.matches(event, world)).await
}

/// `POST /case/timeline/events/duplicate/{object_id}`
pub(in crate::api) async fn duplicate(ask: Ask) -> Answer {
    let target = ObjectRef { kind: ObjectKind::Event, id: ask.id("object_id")? };
    let asking = ask.asking;
    let case_id = Some(asking.case_id);
    let made =
        asking.change(move |cases, context| cases.duplicate_event(ObjectRequest { target, case_id, context })).await?;
    record(&asking, made.object, "Event duplicated".to_owned()).await
}

/// Events of the case in the order of time.
async fn timeline(asking: &Asking, wanted: impl Fn(&CaseObject, &CaseWorld<'_>) -> bool + Send + 'static) -> Answer {
    let case_id = asking.case_id;
    asking
        .see(move |world| {
            let mut events = world.objects(ObjectKind::Event, Some(case_id));
            events.retain(|event| wanted(event, world));
            events.sort_by(|a, b| a.text("event_date").cmp(b.text("event_date")));
            let rows: Vec<Value> = events.iter().map(|event| render(event, View::Row, world)).collect();
            Ok(Success::of(json!({"timeline": rows, "state": state(ObjectKind::Event, case_id, world)})))
        })
        .await
}
