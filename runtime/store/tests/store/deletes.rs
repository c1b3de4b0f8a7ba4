//! Removing entities, types and attributes: nothing of them is left that leads anywhere.

use tenter_model::record::History;
use tenter_model::schema::version::SchemaVersion;
use tenter_model::task::Queue;
use tenter_model::value::Link;
use tenter_model::{EntityRef, Task, Timestamp, Value};
use tenter_store::{
    Deleted, Deletion, Effect, LinkChange, RawFilter, RawPoint, Reader, Rewrite, RunBatch, Store, TaskOutcome,
};

use crate::chores::old_entity;
use crate::fixtures::*;
use crate::runs::{begin, document};
use crate::script;

/// Takes a task in and applies datapoints to its entity.
pub(crate) fn apply_now(store: &Store, reader: &Reader, new: Task, raw: Vec<RawPoint>, links: Vec<LinkChange>) {
    admit(store, vec![new.clone()]);
    let waits = pending(reader, Queue::Normal).into_iter().find(|p| p.task.id == new.id).unwrap();
    let mut outcome: TaskOutcome = applying(reader, &waits, raw);
    if let Effect::Apply { links: slot, .. } = &mut outcome.effect {
        *slot = links;
    }
    store.commit_blocking(outcome).unwrap();
}

fn links(targets: &[&str]) -> Value {
    Value::Links(targets.iter().map(|eid| Link { target: entity(eid), data: None }).collect())
}

fn with(name: &str, value: Value, history: bool) -> RawPoint {
    let mut point = point(name, 0);
    point.datapoint.value = value;
    if !history {
        (point.datapoint.t1, point.datapoint.t2) = (None, None);
    }
    point
}

fn one(eid: &str) -> Value {
    Value::Link(Link { target: entity(eid), data: None })
}

/// `t` and `u`, and `s` that links to them in each way there is.
fn linked(store: &Store, reader: &Reader) {
    apply_now(store, reader, task(1, "t"), vec![link_point("back", &entity("s"))], vec![replace("back", &["s"])]);
    apply_now(store, reader, task(2, "u"), vec![point("x", 1)], Vec::new());
    let raw = vec![
        with("plain", one("t"), false),
        with("both", links(&["t", "u"]), false),
        with("only", links(&["t"]), false),
        with("seen", one("t"), true),
        with("seen", one("u"), true),
        with("once", one("t"), true),
        point("x", 7),
    ];
    let extend = |name: &str, eid: &str| LinkChange::Extend { attr: attr(name), target: entity(eid), until: NOW };
    let changes = vec![
        replace("plain", &["t"]),
        replace("both", &["t", "u"]),
        replace("only", &["t"]),
        extend("seen", "t"),
        extend("seen", "u"),
        extend("once", "t"),
    ];
    apply_now(store, reader, task(3, "s"), raw, changes);
}

fn replace(name: &str, targets: &[&str]) -> LinkChange {
    LinkChange::Replace { attr: attr(name), targets: targets.iter().map(|t| entity(t)).collect() }
}

fn delete(store: &Store, reader: &Reader, eid: &str) -> Deleted {
    let revision = reader.record(&entity(eid)).unwrap().unwrap().revision;
    let deletion = Deletion { entity: entity(eid), revision, unless_linked: false };
    store.delete_entities_blocking(vec![deletion], NOW).unwrap()[0]
}

fn assert_t_is_gone(store: &Store, reader: &Reader) {
    assert!(!reader.is_known(&entity("t")).unwrap());
    assert!(reader.links_to(&entity("t")).unwrap().is_empty() && reader.links_from(&entity("t")).unwrap().is_empty());
    let source = reader.record(&entity("s")).unwrap().unwrap();
    let names: Vec<&str> = source.attributes.keys().map(|a| a.as_str()).collect();
    assert_eq!(names, ["both", "seen", "x"], "attributes that linked nowhere else are gone");
    let History::Plain { value, .. } = &source.attributes["both"] else { panic!() };
    assert_eq!(*value, links(&["u"]));
    let History::Observations(points) = &source.attributes["seen"] else { panic!() };
    assert_eq!(points.iter().map(|p| p.value.clone()).collect::<Vec<_>>(), [one("u")]);
    assert_eq!(reader.links_to(&entity("u")).unwrap().len(), 2);
    // Whoever works on the source by what it was has to look again.
    assert!(source.revision > 1);
    script::assert_sound(store);
}

#[test]
fn links_to_a_removed_entity_are_taken_out_of_the_records_of_others() {
    let store = store();
    let reader = store.reader().unwrap();
    linked(&store, &reader);
    assert_eq!(delete(&store, &reader, "t"), Deleted::Removed);
    assert_t_is_gone(&store, &reader);
    assert_eq!(reader.counters().unwrap().removed, 1);
    assert_eq!(
        reader.raw(&RawFilter { eid: Some(entity("t").eid), limit: 9, ..RawFilter::default() }).unwrap().len(),
        1
    );
}

#[test]
fn a_task_that_deletes_does_the_same() {
    let store = store();
    let reader = store.reader().unwrap();
    linked(&store, &reader);
    let waits = waiting(&store, &reader, 9, "t");
    let given = TaskOutcome { effect: Effect::Delete, seen_revision: Some(1), ..outcome(&waits) };
    assert_eq!(store.commit_blocking(given).unwrap(), committed(0, 0, 0));
    assert_t_is_gone(&store, &reader);
}

#[test]
fn an_entity_that_changed_or_is_linked_again_stays() {
    let store = store();
    let reader = store.reader().unwrap();
    linked(&store, &reader);
    let mut wishes = vec![
        Deletion { entity: entity("t"), revision: 9, unless_linked: false },
        Deletion { entity: entity("nobody"), revision: 1, unless_linked: false },
        Deletion { entity: entity("t"), revision: 1, unless_linked: true },
    ];
    let answer = store.delete_entities_blocking(wishes.clone(), NOW).unwrap();
    assert_eq!(answer, [Deleted::Changed, Deleted::Changed, Deleted::Linked]);
    assert!(reader.is_known(&entity("t")).unwrap());
    // With its one source goes what kept it.
    wishes[0] = Deletion { entity: entity("s"), revision: 1, unless_linked: false };
    wishes[1] = Deletion { entity: entity("t"), revision: 2, unless_linked: true };
    wishes.pop();
    assert_eq!(store.delete_entities_blocking(wishes, NOW).unwrap(), [Deleted::Removed, Deleted::Removed]);
    script::assert_sound(&store);
}

#[test]
fn an_entity_with_more_sources_than_are_looked_at_at_once_goes_whole() {
    let store = store();
    let reader = store.reader().unwrap();
    apply_now(&store, &reader, task(1, "hub"), vec![point("x", 1)], Vec::new());
    for n in 0..1_100u32 {
        let mut new = other_task(0, entity(&format!("s{n}")));
        new.id.0[8..12].copy_from_slice(&n.to_be_bytes());
        new.root = new.id;
        apply_now(&store, &reader, new, vec![with("z", one("hub"), false)], vec![replace("z", &["hub"])]);
    }
    assert_eq!(delete(&store, &reader, "hub"), Deleted::Removed);
    assert!(reader.links_to(&entity("hub")).unwrap().is_empty());
    for n in [0, 500, 1_099] {
        assert!(reader.record(&entity(&format!("s{n}"))).unwrap().unwrap().attributes.is_empty());
    }
}

#[test]
fn documents_of_a_removed_entity_are_hidden_at_once_and_a_new_one_of_its_name_has_its_own() {
    let store = store();
    let reader = store.reader().unwrap();
    linked(&store, &reader);
    let run = begin(&store, 1);
    let batch = |eid: &str, n| RunBatch { documents: vec![document(eid, n)], ..RunBatch::default() };
    store.complete_run(run, batch("t", 1), NOW).unwrap();
    let second = begin(&store, 2);
    assert_eq!(delete(&store, &reader, "t"), Deleted::Removed);
    assert_eq!(reader.snapshot(&entity("t")).unwrap(), None);
    // The run under way read the record before, and its document comes too late.
    store.save_batch_blocking(second, batch("t", 2), NOW).unwrap();
    store.complete_run(second, RunBatch::default(), NOW).unwrap();
    assert_eq!(reader.snapshot(&entity("t")).unwrap(), None);
    apply_now(&store, &reader, task(20, "t"), vec![point("x", 1)], Vec::new());
    let third = begin(&store, 3);
    store.complete_run(third, batch("t", 3), NOW).unwrap();
    assert_eq!(reader.snapshot(&entity("t")).unwrap().unwrap().time, Timestamp(3));
    store.clean_snapshots(Timestamp(0)).unwrap();
    let history = reader.snapshot_history(&entity("t"), Default::default(), 0, 10).unwrap();
    assert_eq!(history.len(), 1);
    script::assert_sound(&store);
}

#[test]
fn a_rewrite_needs_the_revision_that_was_read() {
    let store = store();
    let reader = store.reader().unwrap();
    linked(&store, &reader);
    let mut record = reader.record(&entity("u")).unwrap().unwrap();
    record.attributes.clear();
    let rewrite = Rewrite::new(entity("u"), &record).unwrap();
    let nobody = Rewrite::new(entity("nobody"), &record).unwrap();
    let answer = store.rewrite_records_blocking(vec![rewrite.clone(), rewrite, nobody]).unwrap();
    assert_eq!(answer, [true, false, false]);
    let stored = reader.record(&entity("u")).unwrap().unwrap();
    assert_eq!((stored.revision, stored.attributes.len()), (2, 0));
}

#[test]
fn a_type_goes_with_all_of_it_and_an_attribute_with_its_links() {
    let store = store();
    let reader = store.reader().unwrap();
    linked(&store, &reader);
    let old = |n: u8| EntityRef { eid: entity(&format!("o{n}")).eid, ..old_entity() };
    for n in 0..3 {
        apply_now(&store, &reader, other_task(n, old(n)), vec![point("x", 1)], Vec::new());
    }
    // Links to the type, to an entity that is there and to one that never was.
    for (n, eid) in [(10, "p"), (11, "q")] {
        let target = old(n - 10 + 2);
        let change = LinkChange::Replace { attr: attr("o"), targets: vec![target.clone()] };
        apply_now(&store, &reader, other_task(n, entity(eid)), vec![link_point("o", &target)], vec![change]);
    }
    assert_eq!(store.drop_type(&old_entity().etype).unwrap(), 3);
    assert_eq!(reader.entity_count(&old_entity().etype).unwrap(), 0);
    let filter = RawFilter { etype: Some(old_entity().etype), limit: 9, ..RawFilter::default() };
    assert!(reader.raw(&filter).unwrap().is_empty());
    for eid in ["p", "q"] {
        assert!(reader.record(&entity(eid)).unwrap().unwrap().attributes.is_empty(), "{eid}");
    }
    assert_eq!(store.drop_type(&old_entity().etype).unwrap(), 0);

    assert_eq!(store.drop_attribute(&entity("s").etype, &attr("both")).unwrap(), 1);
    assert!(!reader.record(&entity("s")).unwrap().unwrap().attributes.contains_key("both"));
    assert!(reader.links_from(&entity("s")).unwrap().iter().all(|l| l.attr != attr("both")));
    assert_eq!(store.drop_attribute(&entity("s").etype, &attr("both")).unwrap(), 0);
    script::assert_sound(&store);
}

#[test]
fn versions_of_the_specification_are_kept_in_order() {
    let store = store();
    let reader = store.reader().unwrap();
    assert_eq!(reader.latest_schema().unwrap(), None);
    let empty = SchemaVersion::default();
    let mut other = empty.clone();
    let shape =
        tenter_model::schema::version::EntityShape { id_type: Default::default(), attributes: Default::default() };
    other.entities.insert(entity("a").etype, shape);
    assert_eq!(store.put_schema(empty.clone(), NOW).unwrap(), 1);
    assert_eq!(store.put_schema(empty.clone(), NOW).unwrap(), 1, "an equal one is no new version");
    assert_eq!(store.put_schema(other.clone(), NOW).unwrap(), 2);
    assert_eq!(store.put_schema(empty, NOW).unwrap(), 3);
    let rows = reader.schemas(2).unwrap();
    assert_eq!(rows.iter().map(|r| r.number).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(rows[1].version, other);
}
