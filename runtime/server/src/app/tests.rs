//! Every kind of hook that the engine calls, driven from end to end: the guest appends the name of each kind to an
//! attribute, and what is stored in the end tells which were called.

mod cases;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenter_engine::{DRIVEN, JobContext, SnapshotOptions};
use tenter_model::config::{self, ConfigFile, SiteConfig};
use tenter_model::record::{History, MasterRecord};
use tenter_model::value::{Scalar, Value};
use tenter_model::view::EntityView;
use tenter_model::{EntityRef, ModuleName};

use super::{App, Options};
use crate::clock::SystemClock;
use crate::modules::Upload;

const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP, snapshot: true}
attribs:
  open_ports: {name: Ports, type: observations, data_type: int, multi_value: true, history_params: {post_validity: 36500d}}
  label: {name: Label, type: plain, data_type: string}
  marks: {name: Marks, type: observations, data_type: string, multi_value: true, history_params: {post_validity: 1d}}
  activity:
    name: Activity
    type: timeseries
    timeseries_type: irregular
    timeseries_params: {max_age: null}
    series: {bytes: {data_type: int}}
";

/// Of the guest's sweeps, in microseconds.
const PERIOD: i64 = 60_000_000;

fn site() -> SiteConfig {
    let file = |path: &str, text: &str| ConfigFile { path: path.to_owned(), text: text.to_owned() };
    let core = "worker_processes: 1\nmodules_dir: modules\nenabled_modules: []\n";
    let module = "marks: marks\nsecond: \"*\"\nobject: asset\n";
    // Runs are asked for by the tests, and none comes by the clock in between.
    let never = "creation_rate: {year: \"9998\"}\n";
    let files = [
        file("db_entities/ip.yml", IP),
        file("processing_core.yml", core),
        file("modules/every-kind.yml", module),
        file("snapshots.yml", never),
    ];
    let loaded = config::load(&files);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors))
}

struct Place {
    app: App,
    _data: tempfile::TempDir,
}

impl Place {
    fn new(site: SiteConfig) -> Self {
        let data = tempfile::tempdir().unwrap();
        let app = App::open(Options {
            site,
            data_dir: data.path().to_owned(),
            listen: ([127, 0, 0, 1], 5000).into(),
            store: tenter_store::StoreOptions::default(),
            lanes: 2,
            site_dir: None,
        })
        .unwrap();
        Self { app, _data: data }
    }

    fn upload(&self, name: &str, package: &str) {
        let bytes = std::fs::read(tenter_guest_build::at_test(package)).unwrap();
        let upload = Upload {
            actor: "test",
            name: &ModuleName::new(name).unwrap(),
            bytes: &bytes,
            grant_requested: true,
            allow_downgrade: false,
            signature: None,
        };
        self.app.modules().upload(&upload).unwrap();
    }

    fn send(&self, datapoints: &str) {
        let accepted = self.app.schema().accept_datapoints(datapoints.as_bytes()).unwrap();
        let bodies = accepted.into_iter().map(|(entity, datapoints)| {
            let mut body = tenter_model::TaskBody::new(entity);
            body.datapoints = datapoints;
            body
        });
        let (done, told) = std::sync::mpsc::channel();
        self.app.engine().admit(bodies.collect(), Box::new(move |admitted| done.send(admitted.map(drop)).unwrap()));
        told.recv().unwrap().unwrap();
        self.settle();
    }

    /// Waits until every task has its end.
    #[track_caller]
    fn settle(&self) {
        let reader = self.app.reader().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let counters = reader.counters().unwrap();
            if counters.pending == 0 {
                assert_eq!(counters.accepted, counters.applied + counters.denied + counters.dead);
                return;
            }
            assert!(Instant::now() < until, "the queue does not become empty: {counters:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn snapshot(&self) {
        self.app.engine().run_snapshot(SnapshotOptions::default()).unwrap();
        self.settle();
    }

    /// Does batches of all sweeps.
    fn sweep(&self, batch_period: i64, batches: u32) {
        let context = JobContext::by_hand(Arc::new(SystemClock));
        for _ in 0..batches {
            self.app.engine().run_updates(batch_period, &context).unwrap();
        }
        self.settle();
    }

    /// Waits for a mark that comes by the clock.
    #[track_caller]
    fn wait_for(&self, mark: &str, entity: &EntityRef) {
        let until = Instant::now() + Duration::from_secs(60);
        while !self.stored(entity).contains(mark) {
            if Instant::now() > until {
                let timers = self.app.engine().scheduler().timers();
                let errors = self.app.reader().unwrap().errors(&tenter_store::ErrorFilter::default(), 5);
                panic!("no mark {mark} on {entity}: {timers:?} {errors:?}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The record of an entity.
    fn record(&self, entity: &EntityRef) -> MasterRecord {
        self.app.reader().unwrap().record(entity).unwrap().unwrap()
    }

    /// Marks in the record of an entity.
    fn stored(&self, entity: &EntityRef) -> BTreeSet<String> {
        let record = self.record(entity);
        let Some(History::Observations(points)) = record.attributes.get("marks") else { return BTreeSet::new() };
        points.iter().map(|point| text(&point.value)).collect()
    }

    /// The latest snapshot of an entity.
    fn picture(&self, entity: &EntityRef) -> EntityView {
        self.app.reader().unwrap().snapshot(entity).unwrap().unwrap().view
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.close();
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Scalar(Scalar::Text(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

fn ip(eid: &str) -> EntityRef {
    EntityRef { etype: "ip".parse().unwrap(), eid: eid.parse().unwrap() }
}

#[test]
fn every_kind_that_is_called_proves_it_by_a_stored_value() {
    let place = Place::new(site());
    place.upload("every-kind", "test-every-kind");
    place.send(
        r#"[
        {"type": "ip", "id": "192.0.2.9", "attr": "open_ports", "v": 22, "t1": "2026-01-01T00:00:00Z"},
        {"type": "ip", "id": "192.0.2.9", "attr": "activity", "t1": "2026-01-01T00:00:00Z", "t2": "2026-01-01T00:00:01Z",
         "v": {"time": ["2026-01-01T00:00:00Z"], "bytes": [5]}}
    ]"#,
    );
    // The second run sees what the tasks of the first have stored.
    place.snapshot();
    place.snapshot();
    // As long as the period of the guest: the whole sweep in one batch.
    place.sweep(PERIOD, 1);
    place.wait_for("cron", &ip("192.0.2.1"));

    // Case hooks have instances of their own: what they leave is a count in the module's state, and tags.
    let asset = place.asset("a", "").unwrap().object.target;
    place.click(asset, "every-kind");
    place.jobs();
    let case_hooks = ["before", "after", "manual"].into_iter().filter(|kind| place.counted("every-kind", kind));

    // Hooks that are about no entity leave their marks on 192.0.2.1.
    let marks: BTreeSet<String> =
        place.stored(&ip("192.0.2.9")).union(&place.stored(&ip("192.0.2.1"))).cloned().collect();
    let marks: BTreeSet<String> = marks.into_iter().chain(case_hooks.map(str::to_owned)).collect();
    let driven: BTreeSet<String> = DRIVEN.iter().map(|kind| kind.name().to_owned()).collect();
    assert!(driven.len() >= 15, "{driven:?}");
    let missing: Vec<_> = driven.difference(&marks).collect();
    assert!(missing.is_empty(), "no mark of {missing:?} among {marks:?}");

    // Changes are part of the picture and of no record: the last hook to change the label was the one with the record.
    let picture = place.picture(&ip("192.0.2.9"));
    let label = picture.values_of("label").next().unwrap();
    assert_eq!(text(&label.value), "correlate-with-record");
    let marks: Vec<String> = picture.values_of("marks").map(|v| text(&v.value)).collect();
    assert_eq!(&marks[marks.len() - 2..], ["correlate", "correlate-with-record"], "{marks:?}");
}

#[test]
fn the_examples_of_sweeps_visit_every_entity() {
    const DAY: i64 = 24 * 3600 * 1_000_000;
    let files = crate::embedded::DEMO_SITE.iter().filter(|(path, _)| path.ends_with(".yml"));
    let files: Vec<ConfigFile> = files
        .map(|(path, bytes)| ConfigFile { path: (*path).to_owned(), text: String::from_utf8(bytes.to_vec()).unwrap() })
        .collect();
    let place = Place::new(config::load(&files).config.unwrap());
    for name in ["stale-notes", "recheck-indicators"] {
        place.upload(name, &format!("example-{name}"));
    }
    let old = "2019-01-01T00:00:00Z";
    place.send(&format!(
        r#"[
        {{"type": "domain", "id": "a.example", "attr": "query_type", "v": "A", "t1": "{old}"}},
        {{"type": "domain", "id": "b.example", "attr": "queries", "v": 1}},
        {{"type": "ip", "id": "108.59.9.32", "attr": "role", "v": "server", "t1": "{old}"}},
        {{"type": "ip", "id": "192.0.2.1", "attr": "role", "v": "server", "t1": "{old}"}}
    ]"#
    ));
    // A batch a day: seven make a week, the longest period.
    place.sweep(DAY, 7);

    let plain = |entity: &EntityRef, attr: &str| match place.record(entity).attributes.get(attr) {
        Some(History::Plain { value, .. }) => Some(value.to_json_untyped().to_string()),
        _ => None,
    };
    let domain = |eid: &str| EntityRef { etype: "domain".parse().unwrap(), eid: eid.parse().unwrap() };
    assert_eq!(plain(&domain("a.example"), "stale_since"), Some(format!("{old:?}")));
    assert_eq!(plain(&domain("b.example"), "stale_since"), None, "nothing was ever observed of it");
    for (eid, listed) in [("108.59.9.32", true), ("192.0.2.1", false)] {
        assert!(plain(&ip(eid), "list_checked").is_some(), "{eid} was not visited");
        assert_eq!(
            plain(&ip(eid), "indicator").is_some_and(|mark| mark.contains("demonstration list")),
            listed,
            "{eid}"
        );
    }
}
