//! Module state that changes under a run.

use std::sync::atomic::{AtomicUsize, Ordering};

use tenter_model::Timestamp;
use tenter_model::hook::Moment;
use tenter_model::host::{HostData, StateRead, StateWrite};

use crate::support::*;

fn put(key: &str, version: Option<u64>, value: &str) -> Answer {
    Answer {
        state: vec![StateWrite::Put { key: key.into(), value: value.into(), until: None }],
        reads: vec![StateRead { key: key.into(), version }],
        ..Answer::nothing()
    }
}

fn stored(bench: &Bench, key: &str) -> Option<String> {
    let data: &dyn HostData = &bench.reader;
    let found = data.state_get(&name("m"), key, Timestamp(0)).unwrap();
    found.map(|(value, _)| String::from_utf8(value).unwrap())
}

fn modules() -> Vec<tenter_model::module::LoadedModule> {
    vec![module("m", vec![Moment::SnapshotInit, correlate("e", &[], &["x"]), Moment::SnapshotFinalize])]
}

fn things() -> tenter_model::Schema {
    schema(&["entity: {id: e, name: e, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
"])
}

/// Calls that wrote what somebody else had changed meanwhile are made again, with what then is there.
#[test]
fn a_portion_whose_state_was_changed_meanwhile_is_computed_again() {
    let bench = Bench::with(things(), modules(), 1);
    let tries: [AtomicUsize; 3] = Default::default();
    bench.host.on("m", move |seen| {
        let (place, key) = match seen.call.kind {
            tenter_model::HookKind::SnapshotInit => (0, "init"),
            tenter_model::HookKind::Correlate => (1, "entity"),
            _ => (2, "finalize"),
        };
        // The first two times a version that is not there was read.
        let number = tries[place].fetch_add(1, Ordering::SeqCst);
        let mut answer = put(key, if number < 2 { Some(12_345) } else { None }, &format!("try {number}"));
        if seen.view.is_some() {
            answer.changes = seen.set("x", &format!("try {number}")).changes;
        }
        answer
    });
    bench.feed(vec![task("e/1", &[("x", "1")])]);
    let report = bench.run();
    for key in ["init", "entity", "finalize"] {
        assert_eq!(stored(&bench, key).as_deref(), Some("try 2"), "{key}");
    }
    assert_eq!(bench.doc("e/1").unwrap()["x"], "try 2");
    assert_eq!((bench.count(&report, "documents"), bench.host.calls().len()), (1, 9));
}

/// State that is never as it was read is given up in the end; the documents are stored.
#[test]
fn a_portion_does_not_try_for_ever() {
    let bench = Bench::with(things(), modules(), 1);
    bench.host.on("m", |seen| {
        let answer = put("never", Some(12_345), "mine");
        if seen.view.is_some() { Answer { changes: seen.set("x", "set").changes, ..answer } } else { answer }
    });
    bench.feed(vec![task("e/1", &[("x", "1")])]);
    bench.run();
    assert_eq!(bench.doc("e/1").unwrap()["x"], "set");
    assert_eq!(stored(&bench, "never"), None);
}
