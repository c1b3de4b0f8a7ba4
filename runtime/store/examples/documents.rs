//! How fast documents of a snapshot run are stored, and how fast they are read and cleaned.
//!
//! `cargo run --release -p tenter-store --example documents -- [ENTITIES] [RUNS]`
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example may fail loudly and prints")]

use std::time::Instant;

use tenter_model::view::{CurrentValue, EntityView};
use tenter_model::{AttrName, EntityId, EntityRef, EntityType, Scalar, Timestamp, Value};
use tenter_store::{BeginRun, Document, RunBatch, Store, StoreOptions};

const BATCH: usize = 500;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|n| n.parse::<usize>().unwrap());
    let (entities, runs) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(3));
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreOptions::default(), Timestamp(0)).unwrap();
    let etype = EntityType::new("ip").unwrap();
    let attrs: Vec<AttrName> = (0..10).map(|n| AttrName::new(&format!("attribute_{n}")).unwrap()).collect();
    let of = |n: usize| EntityRef { etype: etype.clone(), eid: EntityId::new(&format!("192.0.{n:07}")).unwrap() };
    let say = |what: &str, began: Instant| {
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = entities as f64 / began.elapsed().as_secs_f64();
        println!("{what}: {rate:.0} entities/s");
    };
    for n in 1..=runs {
        let began = Instant::now();
        let time = Timestamp(i64::try_from(n).unwrap());
        let run = BeginRun { id: format!("r{n}"), time, settings: serde_json::Value::Null };
        let run = store.begin_run(run, time).unwrap().number;
        for first in (0..entities).step_by(BATCH) {
            let these = first..(first + BATCH).min(entities);
            let batch = if n == runs && runs > 1 {
                RunBatch { unchanged: these.map(of).collect(), ..RunBatch::default() }
            } else {
                let documents = these.map(|i| {
                    let value = |attr: &AttrName| CurrentValue {
                        attr: attr.clone(),
                        value: Value::Scalar(Scalar::Text(format!("value {i}"))),
                        confidence: Some(0.9),
                    };
                    let view = EntityView { entity: of(i), values: attrs.iter().map(value).collect() };
                    Document::new(&view, false, Some(1), None).unwrap()
                });
                RunBatch { documents: documents.collect(), ..RunBatch::default() }
            };
            store.save_batch(run, batch, time, Box::new(|saved| assert!(saved.is_ok())));
        }
        store.complete_run(run, RunBatch::default(), time).unwrap();
        say(if n == runs && runs > 1 { "unchanged" } else { "documents" }, began);
    }
    let reader = store.reader().unwrap();
    let began = Instant::now();
    for n in 0..entities {
        assert!(reader.snapshot(&of(n)).unwrap().is_some());
    }
    say("latest one by one", began);
    let began = Instant::now();
    let mut after = None;
    loop {
        let page = reader.snapshots(&etype, None, after.as_ref(), 1_000).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.view.entity.eid.clone());
    }
    say("latest in pages", began);
    let began = Instant::now();
    let rows = store.clean_snapshots(Timestamp(i64::MAX)).unwrap();
    println!("cleaning: {rows} rows in {:.1} s", began.elapsed().as_secs_f64());
}
