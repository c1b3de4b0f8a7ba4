//! Large components: many entities, long chains, circles, hubs over the bound.

use std::collections::HashSet;
use std::time::Instant;

use tenter_engine::SnapshotOptions;
use tenter_model::Schema;

use crate::support::*;

fn nodes() -> Schema {
    schema(&["entity: {id: n, name: n, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  y: {name: y, type: plain, data_type: string}
  next: {name: n, type: plain, data_type: link<n>}
"])
}

/// Copies the neighbour's value.
fn neighbour(seen: &Seen<'_>) -> Answer {
    seen.set("y", &seen.linked("next", "x").unwrap_or_else(|| "end".into()))
}

fn linked(from: usize, to: usize) -> tenter_model::TaskBody {
    task(&format!("n/{from}"), &[("x", &format!("v{from}")), ("next", &format!("->n/{to}"))])
}

fn feed(bench: &Bench, tasks: Vec<tenter_model::TaskBody>) {
    for portion in tasks.chunks(5_000) {
        bench.feed(portion.to_vec());
    }
}

#[test]
fn a_component_of_ten_thousand_entities_around_a_hub() {
    let bench = Bench::new(nodes(), vec![module("m", vec![correlate("n", &["next->x"], &["y"])])]);
    bench.host.on("m", neighbour);
    feed(&bench, (1..10_000).map(|n| linked(n, 0)).chain([task("n/0", &[("x", "hub")])]).collect());
    let start = Instant::now();
    let report = bench.run();
    println!("hub with 10 000 entities: {:?}", start.elapsed());
    assert_eq!((bench.count(&report, "components"), bench.count(&report, "linked")), (1, 10_000));
    assert_eq!(bench.count(&report, "documents"), 10_000);
    for n in [1, 5_000, 9_999] {
        assert_eq!(bench.doc(&format!("n/{n}")).unwrap()["y"], "hub");
    }
    assert_eq!(bench.doc("n/0").unwrap()["y"], "end");
}

#[test]
fn a_chain_of_a_thousand_links_and_a_circle() {
    let bench = Bench::new(nodes(), vec![module("m", vec![correlate("n", &["next->x"], &["y"])])]);
    bench.host.on("m", neighbour);
    let chain = (0..1_000).map(|n| linked(n, n + 1));
    let circle = (0..1_000).map(|n| linked(2_000 + n, 2_000 + (n + 1) % 1_000));
    feed(&bench, chain.chain(circle).collect());
    let start = Instant::now();
    let report = bench.run();
    println!("a chain and a circle of 1 000 links: {:?}", start.elapsed());
    assert_eq!((bench.count(&report, "components"), bench.count(&report, "linked")), (2, 2_001));
    assert_eq!(bench.doc("n/7").unwrap()["y"], "v8");
    assert_eq!(bench.doc("n/999").unwrap()["y"], "end");
    assert_eq!(bench.doc("n/2999").unwrap()["y"], "v2000");
}

/// A component over the bound is split; no entity is left out or doubled, and every document says that it is partial.
#[test]
fn a_component_over_the_bound_is_split_and_says_so() {
    let bench = Bench::new(nodes(), vec![module("m", vec![correlate("n", &["next->x"], &["y"])])]);
    bench.host.on("m", neighbour);
    feed(&bench, (0..50).map(|n| linked(n, n + 1)).chain([task("n/alone", &[("x", "1")])]).collect());
    let report = bench.try_run(SnapshotOptions { max_members: 10, ..SnapshotOptions::default() }).unwrap();
    assert_eq!((bench.count(&report, "components"), bench.count(&report, "split")), (6, 6));
    let picture = bench.picture();
    assert_eq!(picture.len(), 52);
    assert_eq!(picture.iter().map(|(entity, _)| entity).collect::<HashSet<_>>().len(), 52);
    for (entity, doc) in &picture {
        assert_eq!(doc.get("_partial").is_some(), entity != "n/alone", "{entity}: {doc}");
        assert_eq!(doc.get("next").is_some(), !["n/alone", "n/50"].contains(&entity.as_str()), "links stay");
    }
}

/// Everything a run saves is bounded by portions, so many entities without links go through few at a time.
#[test]
fn entities_without_links_are_computed_by_all_lanes() {
    let bench = Bench::with(nodes(), vec![module("m", vec![correlate("n", &["x"], &["y"])])], 3);
    bench.host.on("m", |seen| seen.set("y", &seen.own("x").unwrap()));
    feed(&bench, (0..2_000).map(|n| task(&format!("n/{n}"), &[("x", &n.to_string())])).collect());
    bench.run();
    let picture = bench.picture();
    assert_eq!(picture.len(), 2_000);
    assert!(picture.iter().all(|(_, doc)| doc["y"] == doc["x"]));
}
