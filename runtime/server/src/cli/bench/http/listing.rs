//! Asking for the latest snapshots of a type: by a range of ids, which the disk is ordered by, and by an attribute, for which
//! every snapshot must be looked at. On a store with a tenth of the entities and on one with all, in turn.

use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use serde_json::{Value as Json, json};
use tenter_model::time::Clock as _;
use tenter_store::{Store, StoreOptions};

use super::line::{Line, request};
use super::options;
use crate::api;
use crate::cli::bench::meter::{median, quantile, rounded};
use crate::cli::bench::{snapshot, world};
use crate::clock::SystemClock;
use crate::serving::Serving;

/// What is asked, by name: a page of a range of ids, and what no entity has, so that all are looked at.
const QUERIES: [(&str, &str); 2] = [
    ("indexed", r#"{"last.eid":{"$gte":"domain-2","$lt":"domain-3"}}"#),
    ("unindexed", r#"{"last.entropy":{"$gt":100}}"#),
];

/// Milliseconds of answers, by store and query.
type Times = [[Vec<f64>; 2]; 2];

/// Measures with so many entities and a tenth of them.
///
/// # Errors
/// When a server does not start, or an answer is not what was asked for.
pub(super) fn measure(dir: &Path, entities: u64, asked: usize) -> anyhow::Result<Json> {
    let sizes = [(entities / 10).max(1), entities];
    let mut places = Vec::new();
    for size in sizes {
        let data = tempfile::tempdir_in(dir)?;
        let store = Store::open(data.path(), StoreOptions::default(), SystemClock.now())?;
        snapshot::prepare(&store, size)?;
        store.close()?;
        let serving = Serving::start_with(options(data.path(), world::site(&[])?), api::router)?;
        let mut line = Line::open(serving.app.address())?;
        let token = Some(serving.app.operator_token());
        line.ask(&request("POST", "/api/v1/snapshots", token, br#"{"wait": true}"#))?;
        places.push((serving, line, data));
    }
    let mut times = Times::default();
    for _ in 0..asked {
        for ((_, line, _), times) in places.iter_mut().zip(&mut times) {
            for ((name, filter), times) in QUERIES.iter().zip(times) {
                let path = format!("/entity/domain/get?limit=20&generic_filter={}", escaped(filter));
                let began = Instant::now();
                let answer = line.ask(&request("GET", &path, None, b""))?;
                times.push(began.elapsed().as_secs_f64() * 1e3);
                let found = serde_json::from_slice::<Json>(answer)?.get("count").and_then(Json::as_u64);
                ensure!((found > Some(0)) == (*name == "indexed"), "{name}: {found:?} entities were found");
            }
        }
    }
    for (serving, line, data) in places {
        drop(line);
        serving.stop()?;
        data.close()?;
    }
    let [tenth, all] = times;
    let of = |tenth: &[f64], all: &[f64]| {
        let figures = |times: &[f64]| {
            let quantile = |share| rounded(quantile(times.iter().copied(), share));
            json!({"p50_ms": quantile(0.5), "p99_ms": quantile(0.99)})
        };
        let growth = median(all.iter().copied()) / median(tenth.iter().copied());
        json!({"tenth": figures(tenth), "all": figures(all), "growth": rounded(growth)})
    };
    let [tenth_indexed, tenth_unindexed] = &tenth;
    let [all_indexed, all_unindexed] = &all;
    Ok(json!({
        "indexed": of(tenth_indexed, all_indexed),
        "unindexed": of(tenth_unindexed, all_unindexed),
        "entities": entities,
        "queries": asked,
    }))
}

/// A value of a query string.
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}
