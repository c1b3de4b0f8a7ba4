//! The second half of the history of `script.rs`: what jobs do with what is stored.

use tenter_model::history::TimeRange;
use tenter_model::schema::version::SchemaVersion;
use tenter_model::task::Queue;
use tenter_model::{EntityRef, EntityType, SubscriptionId, Task, Timestamp};
use tenter_store::{
    Deletion, Effect, LinkChange, Produced, Reader, Rewrite, RunBatch, RunState, Share, Store, StoreError, SweepGroup,
    SweepState, TaskOutcome, TimerKey,
};

use crate::fixtures::*;
use crate::runs::{begin, document};

/// The steps in their order.
pub(crate) const STEPS: [&str; 14] = [
    "linked",
    "first-run",
    "second-run",
    "third-run",
    "swept",
    "fired",
    "rewritten",
    "deleted",
    "schema",
    "archived",
    "cleaned",
    "job",
    "case",
    "files",
];

pub(crate) fn timer() -> TimerKey {
    TimerKey { module: module("label"), subscription: SubscriptionId::new("hourly").unwrap(), lane: 0 }
}

pub(crate) fn sweep() -> SweepState {
    SweepState {
        group: SweepGroup { etype: entity("a").etype, period_seconds: 60, eid_only: false },
        hooks: vec!["label/u".into()],
        began: NOW,
        updated: NOW,
        ended: None,
        processed: 0,
        total: 2,
        iteration: 0,
        total_iterations: 1,
        cursor: None,
        runtime: 0,
        finished: false,
    }
}

/// The place of a type that goes.
pub(crate) fn old_entity() -> EntityRef {
    EntityRef { etype: EntityType::new("old").unwrap(), eid: entity("o").eid }
}

fn tasks(one: Task) -> Produced {
    Produced { tasks: vec![one], ..Produced::default() }
}

pub(crate) fn run(store: &Store, reader: &Reader, said: &mut dyn FnMut(&'static str, bool)) {
    said("linked", linked(store, reader));
    snapshot_runs(store, reader, said);
    said("swept", swept(store, reader));
    let fired = store.fire_slot_blocking(timer(), Timestamp(5), tasks(other_task(22, entity("g"))), NOW).unwrap();
    said("fired", fired.is_none());
    said("rewritten", rewritten(store, reader));
    said("deleted", deleted(store, reader));
    said("schema", schema(store, reader));
    said("archived", archived(store, reader));
    let cleaned = reader.run("run-1").unwrap().is_none();
    store.clean_snapshots(Timestamp(2)).unwrap();
    said("cleaned", cleaned);
    said("job", job(store, reader));
    said("case", crate::cases::told(store, reader));
    said("files", crate::files::told(store, reader));
}

/// Two entities, of which one links to the other, and one of a type that goes.
fn linked(store: &Store, reader: &Reader) -> bool {
    let new = [other_task(1, entity("t")), other_task(2, entity("s")), other_task(3, old_entity())];
    let first = admit(store, new.to_vec());
    for task in new {
        let Some(waits) = pending(reader, Queue::Normal).into_iter().find(|p| p.task.id == task.id) else { continue };
        let mut raw = vec![point("x", 1)];
        let links = if task.body.entity == entity("s") {
            raw.push(link_point("z", &entity("t")));
            vec![LinkChange::Replace { attr: attr("z"), targets: vec![entity("t")] }]
        } else {
            Vec::new()
        };
        let mut outcome = TaskOutcome { at: NOW, ..applying(reader, &waits, raw) };
        if let Effect::Apply { links: slot, .. } = &mut outcome.effect {
            *slot = links;
        }
        store.commit_blocking(outcome).unwrap();
    }
    first == [tenter_store::Admission::Duplicate; 3]
}

/// Three runs: a first picture, one that is given up, and one that repeats, keeps and replaces.
fn snapshot_runs(store: &Store, reader: &Reader, said: &mut dyn FnMut(&'static str, bool)) {
    for (n, step) in [(1, "first-run"), (2, "second-run"), (3, "third-run")] {
        let done = reader.runs(None, 10).unwrap().iter().any(|r| r.time.0 >= n && r.state != RunState::Running);
        if !done {
            let run = begin(store, n);
            let whole = RunBatch {
                documents: ["a", "b", "t"].map(|eid| document(eid, n)).into(),
                produced: tasks(other_task(10 + u8::try_from(n).unwrap(), entity("e"))),
                cursor: Some(("lane 0".into(), b"all".to_vec())),
                ..RunBatch::default()
            };
            let part = RunBatch { documents: Vec::new(), unchanged: vec![entity("a")], ..whole.clone() };
            if reader.run_cursor(run, "lane 0").unwrap().is_none() {
                store.save_batch_blocking(run, if n == 3 { part } else { whole }, NOW).unwrap();
            }
            if n == 2 {
                store.abort_run(run, "for a test", NOW).unwrap();
            } else {
                store.complete_run(run, RunBatch::default(), NOW).unwrap();
            }
        }
        said(step, done);
    }
}

fn swept(store: &Store, reader: &Reader) -> bool {
    if reader.sweeps(false, 1).unwrap().iter().any(|s| s.state.finished) {
        return true;
    }
    let row = store.begin_sweep(sweep()).unwrap();
    let mut state = row.state;
    if state.processed == 0 {
        state = SweepState { processed: 1, cursor: Some(entity("a").eid), ..state };
        store.save_sweep_blocking(row.number, state.clone(), tasks(other_task(20, entity("f"))), NOW).unwrap();
    }
    let end = SweepState { processed: 2, ended: Some(NOW), finished: true, ..state };
    store.save_sweep_blocking(row.number, end, Produced::default(), NOW).unwrap();
    false
}

fn rewritten(store: &Store, reader: &Reader) -> bool {
    let mut record = reader.record(&entity("a")).unwrap().unwrap();
    if record.ttl.remove("base").is_none() {
        return true;
    }
    let rewrite = Rewrite::new(entity("a"), &record).unwrap();
    assert_eq!(store.rewrite_records_blocking(vec![rewrite]).unwrap(), [true]);
    false
}

fn deleted(store: &Store, reader: &Reader) -> bool {
    let Some(record) = reader.record(&entity("t")).unwrap() else { return true };
    let deletion = Deletion { entity: entity("t"), revision: record.revision, unless_linked: false };
    store.delete_entities_blocking(vec![deletion], NOW).unwrap();
    false
}

fn schema(store: &Store, reader: &Reader) -> bool {
    let done = reader.latest_schema().unwrap().is_some();
    store.drop_attribute(&entity("a").etype, &attr("y")).unwrap();
    store.drop_type(&old_entity().etype).unwrap();
    store.put_schema(SchemaVersion::default(), NOW).unwrap();
    done
}

fn archived(store: &Store, reader: &Reader) -> bool {
    let old = reader.raw_before(NOW, None, 1000).unwrap().items;
    let seqs: Vec<u64> = old.iter().filter(|p| p.entity == entity("a")).map(|p| p.seq).collect();
    if seqs.is_empty() {
        return true;
    }
    store.delete_raw_blocking(seqs).unwrap();
    false
}

fn job(store: &Store, reader: &Reader) -> bool {
    let jobs = reader.jobs(None, None, 10).unwrap();
    if jobs.iter().any(|j| j.ended.is_some()) {
        return true;
    }
    let number = match jobs.first() {
        Some(job) => job.number,
        None => store.begin_job("aggregation", serde_json::json!({}), NOW).unwrap(),
    };
    answered(|done| store.note_sources(vec![("probe".into(), NOW)], done)).unwrap();
    answered(|done| store.put_report("sizes", serde_json::json!({"x": 1}), NOW, done)).unwrap();
    answered(|done| store.update_job(number, serde_json::json!({"n": 1}), true, NOW, done)).unwrap();
    false
}

/// All that this half leaves and that can be read, as text.
pub(crate) fn dump(reader: &Reader, out: &mut Vec<String>) -> Result<(), StoreError> {
    for run in reader.runs(None, 1000)? {
        out.push(format!("{run:?}"));
    }
    let etype = entity("a").etype;
    out.push(format!("{:?}", reader.snapshots(&etype, None, None, 1000)?));
    for (eid, _) in reader.revisions(&etype, Share::ALL, None, 1000)?.items {
        let entity = EntityRef { etype: etype.clone(), eid };
        out.push(format!("{:?}", reader.snapshot_history(&entity, TimeRange::default(), 0, 1000)?));
    }
    out.push(format!("{:?}", reader.sweeps(false, 1000)?));
    out.push(format!("{:?}", reader.slots()?));
    out.push(format!("{:?}", reader.schemas(1000)?));
    out.push(format!("{:?}", reader.jobs(None, None, 1000)?));
    out.push(format!("{:?}", reader.sources()?));
    out.push(format!("{:?}", reader.report("sizes")?));
    crate::cases::dump(reader, out)?;
    Ok(())
}
