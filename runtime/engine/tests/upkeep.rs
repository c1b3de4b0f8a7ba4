//! The care of what is stored, through a real store, with a clock that the tests move.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;
#[path = "support/timed.rs"]
mod timed;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::{TestClock, body, entity, observation, plain};
use tenter_engine::{HistoryReport, JobContext, UpkeepError};
use tenter_model::case::{Acting, ObjectKind, ObjectRef};
use tenter_model::config::SiteConfig;
use tenter_model::config::{Archivation, Cleaning, HistoryManager};
use tenter_model::cron::Cron;
use tenter_model::datatype::{DataType, LinkType, Primitive};
use tenter_model::record::History;
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec, HistoryParams, IdType, Lifetime};
use tenter_model::time::Clock;
use tenter_model::value::Link;
use tenter_model::{
    AttrName, DataPoint, EntityId, EntityRef, EntityType, MasterRecord, Schema, TaskBody, Timestamp, Value,
};
use tenter_store::{CaseActor, Deleted, Deletion, JobFilter, NewJob, RawFilter, Store, StoreOptions};
use timed::{Clockwork, Timed};

const DAY: i64 = 86_400_000_000;
const NOW: i64 = 1_700_000_000_000_000;

fn text() -> DataType {
    DataType::Primitive(Primitive::String)
}

/// `ip` with plain `note`, observations `seen` (kept for a day) and a plain link `to` to `leaf`; `leaf` is weak and links on
/// by `next`; `guest` lives by its tokens.
fn specification() -> Schema {
    let attribute = |id: &str, kind| AttributeSpec {
        id: AttrName::new(id).unwrap(),
        name: id.into(),
        description: String::new(),
        ttl: 0,
        kind,
    };
    let plain = |data_type| AttributeKind::Plain { data_type, editable: false, mirror_of: None };
    let link = || DataType::Link(LinkType { to: EntityType::new("leaf").unwrap(), data: None, mirror: None });
    let seen = |history| AttributeKind::Observations {
        data_type: text(),
        editable: false,
        confidence: true,
        multi_value: false,
        history,
        force_graph: false,
    };
    let make = |id: &str, lifetime, attributes| {
        let etype = EntityType::new(id).unwrap();
        EntitySpec::new(etype, IdType::String, id.into(), String::new(), true, lifetime, attributes)
    };
    let history = HistoryParams { max_age: Some(DAY), post_validity: 10_000_000, ..HistoryParams::default() };
    Schema::new(vec![
        make(
            "ip",
            Lifetime::Immortal,
            vec![attribute("note", plain(text())), attribute("seen", seen(history)), attribute("to", plain(link()))],
        ),
        make("leaf", Lifetime::Weak, vec![attribute("next", plain(link()))]),
        make("guest", Lifetime::Ttl { on_create: DAY, mirror_data: true }, vec![attribute("note", plain(text()))]),
    ])
}

fn bench() -> Clockwork {
    let clock = TestClock::new();
    let store = Store::temporary(StoreOptions::default(), clock.now()).unwrap();
    Clockwork::specified(store, clock, vec![], Timed::new(), specification())
}

fn of(etype: &str, eid: &str) -> EntityRef {
    EntityRef { etype: EntityType::new(etype).unwrap(), eid: EntityId::new(eid).unwrap() }
}

fn links(attr: &str, leaf: &str) -> DataPoint {
    let value = Value::Link(Link { target: of("leaf", leaf), data: None });
    DataPoint { value, ..plain(attr, "") }
}

fn with(entity: EntityRef, datapoints: Vec<DataPoint>) -> TaskBody {
    TaskBody { datapoints, ..TaskBody::new(entity) }
}

fn admit(bench: &Clockwork, bodies: Vec<TaskBody>) {
    let (sender, done) = std::sync::mpsc::channel();
    bench.engine.admit(bodies, Box::new(move |result| sender.send(result.map(drop)).unwrap()));
    done.recv().unwrap().unwrap();
    bench.drained();
}

fn context(bench: &Clockwork) -> JobContext {
    JobContext::by_hand(bench.clock.clone())
}

fn stopped(bench: &Clockwork) -> JobContext {
    JobContext::stoppable(bench.clock.clone(), Arc::new(AtomicBool::new(true)))
}

fn record(bench: &Clockwork, entity: &EntityRef) -> MasterRecord {
    bench.reader.record(entity).unwrap().unwrap()
}

fn seen(bench: &Clockwork, eid: &str) -> Vec<(i64, i64, f64)> {
    match record(bench, &entity(eid)).attributes.get("seen") {
        Some(History::Observations(points)) => {
            points.iter().map(|p| ((p.t1.0 - NOW) / 1_000_000, (p.t2.0 - NOW) / 1_000_000, p.confidence)).collect()
        }
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn at(text: &str, second: i64, confidence: f64) -> DataPoint {
    DataPoint { confidence: Some(confidence), ..observation("seen", text, NOW + second * 1_000_000) }
}

#[test]
fn aggregation_merges_neighbours_once_and_again_changes_nothing() {
    let bench = bench();
    let ids: Vec<String> = (0..250).map(|n| format!("e{n:03}")).collect();
    let points = || vec![at("a", 0, 1.0), at("a", 5, 0.5), at("b", 100, 1.0)];
    admit(&bench, ids.iter().map(|eid| body(eid, points())).collect());
    admit(&bench, vec![body("single", vec![at("a", 0, 1.0)]), body("plain", vec![plain("note", "x")])]);
    assert!(matches!(bench.engine.aggregate_histories(&stopped(&bench)), Err(UpkeepError::Stopped)));
    let report = bench.engine.aggregate_histories(&context(&bench)).unwrap();
    assert_eq!(report, HistoryReport { entities: 252, updated: 250, ..HistoryReport::default() });
    for eid in &ids {
        assert_eq!(seen(&bench, eid), [(0, 5, 0.75), (100, 100, 1.0)], "{eid}");
    }
    let revision = record(&bench, &entity("e000")).revision;
    let again = bench.engine.aggregate_histories(&context(&bench)).unwrap();
    assert_eq!((again.entities, again.updated), (252, 0));
    assert_eq!(record(&bench, &entity("e000")).revision, revision);
}

/// Tasks go on while records are rewritten: what arrives meanwhile is never lost.
#[test]
fn aggregation_beside_ingestion_loses_nothing() {
    let bench = bench();
    let ids: Vec<String> = (0..40).map(|n| format!("e{n:02}")).collect();
    let rounds = 30;
    let over = AtomicBool::new(false);
    let conflicts = std::thread::scope(|scope| {
        let care = scope.spawn(|| {
            let mut conflicts = 0;
            while !over.load(Ordering::SeqCst) {
                conflicts += bench.engine.aggregate_histories(&context(&bench)).unwrap().revision_conflicts;
            }
            conflicts
        });
        for round in 0..rounds {
            // Far apart, so that nothing merges and each point counts; out of order, so that there is always work.
            let second = if round % 2 == 0 { -round * 100 } else { round * 100 };
            admit(&bench, ids.iter().map(|eid| body(eid, vec![at("a", second, 1.0)])).collect());
        }
        over.store(true, Ordering::SeqCst);
        care.join().unwrap()
    });
    println!("{conflicts} conflicts");
    for eid in &ids {
        assert_eq!(seen(&bench, eid).len(), usize::try_from(rounds).unwrap(), "{eid}");
    }
}

#[test]
fn cleaning_removes_what_is_too_old() {
    let bench = bench();
    admit(
        &bench,
        vec![
            body("both", vec![at("a", 0, 1.0), at("b", 40_000, 1.0)]),
            body("old", vec![at("a", 0, 1.0), plain("note", "stays")]),
        ],
    );
    let none = bench.engine.clean_histories(&context(&bench)).unwrap();
    assert_eq!((none.entities, none.updated), (2, 0));
    bench.clock.advance_ms(86_400_000 + 1);
    let report = bench.engine.clean_histories(&context(&bench)).unwrap();
    assert_eq!(report.updated, 2);
    assert_eq!(seen(&bench, "both"), [(40_000, 40_000, 1.0)]);
    let old = record(&bench, &entity("old"));
    assert!(!old.attributes.contains_key("seen") && old.attributes.contains_key("note"));
    assert_eq!(bench.engine.clean_histories(&context(&bench)).unwrap().updated, 0);
}

#[test]
fn expired_entities_go_and_past_tokens_are_dropped() {
    let bench = bench();
    let token = |name: &str, seconds: i64| (name.to_owned(), Some(Timestamp(NOW + seconds * 1_000_000)));
    let guest = |eid: &str, tokens| TaskBody { ttl_tokens: tokens, ..with(of("guest", eid), vec![plain("note", "x")]) };
    admit(
        &bench,
        vec![
            guest("short", vec![]),
            guest("long", vec![token("visit", 10), token("stay", 200_000)]),
            with(entity("ever"), vec![plain("note", "x")]),
        ],
    );
    let first = bench.engine.collect_garbage(&context(&bench)).unwrap();
    assert_eq!((first.entities, first.expired), (2, 0));
    bench.clock.advance_ms(86_400_001);
    let report = bench.engine.collect_garbage(&context(&bench)).unwrap();
    assert_eq!((report.expired, report.tokens_dropped, report.changed), (1, 1, 0));
    assert!(!bench.reader.is_known(&of("guest", "short")).unwrap());
    let long = record(&bench, &of("guest", "long"));
    assert_eq!(long.ttl.keys().collect::<Vec<_>>(), ["stay"]);
    assert!(long.attributes.contains_key("note"), "the rest of the record stays");
    assert!(bench.reader.is_known(&entity("ever")).unwrap());
    bench.clock.advance_ms(200_000_000);
    assert_eq!(bench.engine.collect_garbage(&context(&bench)).unwrap().expired, 1);
}

/// DP³ does not see entities without `#hash`, such as those made by a task of tokens alone; they never ended.
#[test]
fn bug_an_entity_of_tokens_alone_expires() {
    let bench = bench();
    let tokens = vec![("t".to_owned(), Some(Timestamp(NOW + 1)))];
    admit(&bench, vec![TaskBody { ttl_tokens: tokens, ..TaskBody::new(of("guest", "only")) }]);
    bench.clock.advance_ms(86_400_001);
    assert_eq!(bench.engine.collect_garbage(&context(&bench)).unwrap().expired, 1);
    assert!(!bench.reader.is_known(&of("guest", "only")).unwrap());
}

#[test]
fn weak_chains_end_link_by_link() {
    let bench = bench();
    admit(
        &bench,
        vec![
            with(entity("root"), vec![links("to", "a")]),
            with(of("leaf", "a"), vec![links("next", "b")]),
            with(of("leaf", "b"), vec![links("next", "c")]),
            with(of("leaf", "c"), vec![]).kept(),
            with(of("leaf", "alone"), vec![]).kept(),
        ],
    );
    let collect = || bench.engine.collect_garbage(&context(&bench)).unwrap().unreferenced;
    assert_eq!(collect(), 1, "what nothing links to");
    assert!(!bench.reader.is_known(&of("leaf", "alone")).unwrap());
    assert_eq!(collect(), 0);
    let root = record(&bench, &entity("root"));
    let deletion = Deletion { entity: entity("root"), revision: root.revision, unless_linked: false };
    let deleted = bench.store.delete_entities_blocking(vec![deletion], bench.clock.now()).unwrap();
    assert_eq!(deleted, [Deleted::Removed]);
    for left in ["a", "b", "c"] {
        assert!(bench.reader.is_known(&of("leaf", left)).unwrap());
        assert_eq!(collect(), 1);
        assert!(!bench.reader.is_known(&of("leaf", left)).unwrap(), "{left}");
    }
    assert_eq!(collect(), 0);
}

/// A task needs some content: a token.
trait Kept {
    fn kept(self) -> Self;
}

impl Kept for TaskBody {
    fn kept(mut self) -> Self {
        self.ttl_tokens.push(("t".into(), Some(Timestamp(NOW))));
        self
    }
}

fn lines(path: &Path) -> Vec<serde_json::Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn old_datapoints_leave_the_log_for_a_file() {
    let bench = bench();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    admit(&bench, vec![body("a", vec![plain("note", "x"), at("p", -100, 0.5), at("q", 100_000, 1.0)])]);
    let nothing = bench.engine.archive(DAY, Some(&archive), &context(&bench)).unwrap();
    assert_eq!((nothing.datapoints, nothing.files.len()), (0, 0));
    bench.clock.advance_ms(86_400_001);
    let report = bench.engine.archive(DAY, Some(&archive), &context(&bench)).unwrap();
    assert_eq!(report.files, ["dp-log-2023-11-14T221140--2023-11-14T221320.jsonl.gz"]);
    assert_eq!(report.datapoints, 2);
    let archived = lines(&archive.join(&report.files[0]));
    assert_eq!(
        archived,
        [
            serde_json::json!({"type": "ip", "id": "a", "attr": "note", "src": null, "v": "x", "c": null, "t1": null, "t2": null}),
            serde_json::json!({"type": "ip", "id": "a", "attr": "seen", "src": null, "v": "p", "c": 0.5,
                "t1": "2023-11-14T22:11:40.000", "t2": "2023-11-14T22:11:40.000"}),
        ]
    );
    let left = bench.reader.raw(&RawFilter { limit: 10, ..RawFilter::default() }).unwrap();
    assert_eq!(left.len(), 1, "the young one stays");
    assert_eq!(std::fs::read_dir(&archive).unwrap().count(), 1, "no unfinished file is left");
    // The history of the entity is another matter.
    assert_eq!(seen(&bench, "a").len(), 2);
    bench.clock.advance_ms(100_000_000);
    let gone = bench.engine.archive(DAY, None, &context(&bench)).unwrap();
    assert_eq!((gone.datapoints, gone.files.len()), (1, 0), "without a folder they are removed");
}

#[test]
fn an_archive_that_cannot_be_written_removes_nothing() {
    let bench = bench();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    admit(&bench, vec![body("a", vec![plain("note", "x")])]);
    bench.clock.advance_ms(86_400_001);
    let error = bench.engine.archive(DAY, Some(&file), &context(&bench)).unwrap_err().to_string();
    assert!(error.starts_with("cannot write the archive") && error.contains("nothing was removed"), "{error}");
    // A file that another process left unfinished is no obstacle, and a finished one keeps its name.
    std::fs::write(folder.path().join(".dp-log.part"), "half").unwrap();
    let name = "dp-log-2023-11-14T221320--2023-11-14T221320.jsonl.gz";
    std::fs::write(folder.path().join(name), "of before").unwrap();
    let report = bench.engine.archive(DAY, Some(folder.path()), &context(&bench)).unwrap();
    assert_eq!(report.files, ["dp-log-2023-11-14T221320--2023-11-14T221320-2.jsonl.gz"]);
    assert_eq!(lines(&folder.path().join(&report.files[0])).len(), 1);
    assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), "of before");
}

#[test]
fn the_configuration_makes_jobs_and_their_runs_are_kept() {
    let bench = bench();
    let folder = tempfile::tempdir().unwrap();
    let hourly = || Cron::of(&[("minute", "30")]);
    let site = SiteConfig {
        history_manager: Some(HistoryManager {
            aggregation_schedule: hourly(),
            datapoint_cleaning_schedule: hourly(),
            snapshot_cleaning: Cleaning { schedule: hourly(), older_than: DAY },
            datapoint_archivation: Archivation {
                schedule: hourly(),
                older_than: 60_000_000,
                archive_dir: Some(folder.path().display().to_string()),
            },
        }),
        ..SiteConfig::default()
    };
    bench.engine.add_platform_jobs(&site).unwrap();
    admit(&bench, vec![body("a", vec![plain("note", "x"), at("p", 0, 1.0), at("p", 5, 1.0)])]);
    // 22:13:20 to 22:30:20: minutes, and half past.
    bench.pass(1020);
    let jobs = bench.engine.scheduler().jobs();
    let ran: Vec<&str> = jobs.iter().filter(|job| job.runs > 0).map(|job| job.name.as_str()).collect();
    assert_eq!(ran, ["aggregation", "archiving", "datapoint-cleaning", "snapshot-cleaning", "snapshots", "updater"]);
    for job in &jobs {
        assert!(job.last.as_ref().is_none_or(|last| last.result.is_ok()), "{job:?}");
        assert!(job.next.is_some(), "{job:?}");
    }
    assert_eq!(seen(&bench, "a"), [(0, 5, 1.0)]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(bench.reader.snapshot(&entity("a")).unwrap().is_some());
    let rows = bench.reader.jobs(Some("archiving"), None, 10).unwrap();
    assert_eq!((rows.len(), rows[0].body["result"]["datapoints"].as_u64()), (1, Some(3)));
    assert!(rows[0].ended.is_some());
    bench.engine.drain();
}

#[test]
fn jobs_of_case_hooks_are_forgotten_a_month_after_their_end() {
    let bench = bench();
    bench.engine.add_platform_jobs(&SiteConfig::default()).unwrap();
    let by = CaseActor { acting: Acting { user_id: 1, now: Timestamp(NOW) }, name: "test".into(), from_api: false };
    let job = || NewJob {
        random: [7; 16],
        hook: "on_manual_trigger_case".into(),
        module: "nobody".into(),
        subscription: "s".into(),
        entry: None,
        trigger: "manual".into(),
        not_before: None,
        waited: false,
        payload: serde_json::Value::Null,
    };
    let case = ObjectRef { kind: ObjectKind::Case, id: 1 };
    let waiting = NewJob { random: [8; 16], ..job() };
    let ids = bench.store.queue_jobs(vec![job(), waiting], vec![case], Some(1), by.clone()).unwrap();
    bench.store.cancel_job(ids[0], by).unwrap();
    let left = || {
        let reader = bench.store.reader().unwrap();
        let jobs = reader.cases(None, None, |world| world.jobs(&JobFilter::default(), 10)).unwrap();
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let clean = || {
        bench.engine.scheduler().run_job("updater-cache", serde_json::Value::Null).unwrap();
        bench.engine.scheduler().settle();
    };
    clean();
    assert_eq!(left(), [ids[1], ids[0]]);
    bench.clock.advance_ms(31 * DAY / 1000);
    clean();
    assert_eq!(left(), [ids[1]], "one that waits is not forgotten");
}
