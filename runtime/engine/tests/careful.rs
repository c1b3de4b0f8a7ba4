//! A task that stops the process is found, whatever waits before it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};

use support::*;
use tempfile::TempDir;
use tenter_model::task::{Queue, Task, TaskId};
use tenter_store::{POISON_STOPS, Store, StoreOptions};

/// More than a lane runs with care.
const BEFORE: u64 = 200;

/// What a stop would leave behind at this moment.
fn image(dir: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["tenter.db", "tenter.db-wal"] {
        std::fs::copy(dir.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[test]
fn tasks_that_call_nothing_do_not_use_up_the_care() {
    let clock = TestClock::new();
    let now = {
        use tenter_model::time::Clock as _;
        clock.now()
    };
    let open = |dir: &Path| Store::open(dir, StoreOptions::default(), now).unwrap();
    let first = tempfile::tempdir().unwrap();
    let store = open(first.path());
    let task = |n: u64| {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&n.to_be_bytes());
        let id = TaskId::root(now, random);
        // Nobody watches labels.
        let body = if n < BEFORE {
            body(&format!("quiet{n}"), vec![plain("label", "x")])
        } else {
            body("poison", vec![plain("note", "x")])
        };
        Task { id, root: id, depth: 0, queue: Queue::Normal, origin: None, body }
    };
    store.admit_blocking((0..=BEFORE).map(task).collect(), now).unwrap();
    let mut dir = image(store.dir());
    drop(store);
    for stop in 0..POISON_STOPS {
        let left = Arc::new(Mutex::new(None));
        let store = open(dir.path());
        assert!(store.is_careful() && store.poisoned().is_empty(), "stop {stop}");
        let host = Scripted::default();
        let (from, to) = (store.dir().to_owned(), left.clone());
        host.on("watch", move |_, _, _| {
            // The process could end here: what is on disk by then is what counts.
            *to.lock().unwrap() = Some(image(&from));
            Answer::Nothing
        });
        let bench = Bench::played(store, clock.clone(), vec![module("watch", vec![attribute("note")])], 1, host);
        bench.settle();
        dir = left.lock().unwrap().take().unwrap();
    }
    let store = open(dir.path());
    let [letter] = store.poisoned() else { panic!("{:?}", store.poisoned()) };
    assert_eq!(letter.task.body.entity, entity("poison"));
    assert_eq!(letter.module, Some(name("watch")));
}
