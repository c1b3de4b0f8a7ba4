//! Random filters, answered here and by mongomock, which others wrote after MongoDB.
//!
//! 500 filters and 100 orders over 20 documents each, ten times as many with `TENTER_EXTENT=full`; `TENTER_SEED=N` chooses others. The test makes a
//! virtual environment of Python and installs mongomock there; where that cannot be had it says so and passes. The
//! differences that are meant to be stand in [`INTENDED`]; all others fail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value as Json, json};
use tenter_model::Timestamp;
use tenter_model::filter::{Document, Sort};
use tenter_model::schema::IdType;

use super::generate::{document, filter};
use super::random::{Random, extent, seed};
use super::support::{id, item, matches, schema};

/// The version that the list of differences was written for.
const PACKAGE: &str = "mongomock==4.3.0";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/filter/answer.py");
const DOCUMENTS: usize = 20;
const BATCH: usize = 25;

/// The Python of an environment with mongomock; when there is none, says why where it is seen.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = PYTHON.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mongomock");
        let python = folder.join("bin/python");
        let has_it = || run(Command::new(&python).args(["-c", "import mongomock"]));
        if has_it().is_err() {
            run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
            let quick = ["--quiet", "--disable-pip-version-check", "--retries=0", "--timeout=10"];
            run(Command::new(&python).args(["-m", "pip", "install"]).args(quick).arg(PACKAGE))?;
            has_it()?;
        }
        Ok(python)
    });
    match found {
        Ok(python) => Some(python),
        Err(why) => {
            // Past the capture of tests.
            let notice = format!("SKIPPED: nothing was compared with mongomock: {why}\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
            None
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().last().unwrap_or("no message");
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {last}")) }
}

/// Documents with what is asked of them.
struct Batch {
    documents: Vec<Json>,
    filters: Vec<Json>,
    /// Each a list of pairs of a field and a direction.
    orders: Vec<Json>,
}

/// What mongomock answers: `{"filters": [places], "orders": [places]}` for each batch.
fn answers(python: &Path, batches: &[Batch]) -> Vec<Json> {
    let mut child = Command::new(python).arg(SCRIPT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let line = |b: &Batch| json!({"documents": b.documents, "filters": b.filters, "orders": b.orders}).to_string();
    let lines: Vec<String> = batches.iter().map(line).collect();
    // Written aside, so that neither side waits for the other with a full pipe.
    let writer = std::thread::spawn(move || lines.iter().for_each(|line| writeln!(input, "{line}").unwrap()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the script of mongomock fails");
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), batches.len());
    answers
}

/// Batches of random documents that hold so many questions in all.
fn batches(total: usize, mut fill: impl FnMut(&mut Random, &mut Batch)) -> Vec<Batch> {
    let batch = |number: usize| {
        let mut r = Random::of_case(seed(), number);
        let documents = (0..DOCUMENTS).map(|_| document(&mut r)).collect();
        let mut batch = Batch { documents, filters: Vec::new(), orders: Vec::new() };
        (0..BATCH).for_each(|_| fill(&mut r, &mut batch));
        batch
    };
    (0..total / BATCH).map(batch).collect()
}

/// A difference that is meant to be: what mongomock does otherwise, and where that can show.
struct Intended {
    what: &'static str,
    applies: fn(&Json) -> bool,
}

/// Beside what `generate.rs` does not generate.
const INTENDED: [Intended; 1] = [Intended {
    what: "there a missing value is equal to an empty dictionary",
    applies: |filter| filter.to_string().contains(":{}"),
}];

#[test]
fn filters_answer_as_mongomock_does() {
    let Some(python) = python() else { return };
    let (seed, schema, total) = (seed(), schema(), extent(500));
    let batches = batches(total, |r, batch| batch.filters.push(filter(r, &batch.documents, 2)));
    let answers = answers(python, &batches);

    let (mut matching, mut differences) = (0, Vec::new());
    let mut intended = [0usize; INTENDED.len()];
    for (Batch { documents, filters, .. }, answer) in batches.iter().zip(&answers) {
        for (filter, theirs) in filters.iter().zip(answer["filters"].as_array().unwrap()) {
            let theirs: Vec<usize> =
                serde_json::from_value(theirs.clone()).unwrap_or_else(|_| panic!("{filter}: {theirs}"));
            let ours: Vec<usize> = (0..DOCUMENTS).filter(|i| matches(&schema, filter, &documents[*i])).collect();
            matching += usize::from(!ours.is_empty());
            if ours == theirs {
                continue;
            }
            if let Some(i) = INTENDED.iter().position(|d| (d.applies)(filter)) {
                intended[i] += 1;
                continue;
            }
            let one = (0..DOCUMENTS).find(|i| ours.contains(i) != theirs.contains(i)).unwrap();
            let here = ours.contains(&one);
            differences.push(format!("{filter}\n  on {}\n  matches here: {here}, there: {}", documents[one], !here));
        }
    }
    let n = differences.len();
    println!("{total} filters over {DOCUMENTS} documents, seed {seed}: {matching} match something, {n} differences");
    for (difference, n) in INTENDED.iter().zip(intended) {
        println!("  intended, {n} times: {}", difference.what);
    }
    assert!(differences.is_empty(), "seed {seed}, {n} differences:\n{}", differences.join("\n"));
    assert!(intended.iter().sum::<usize>() * 50 <= total, "too much passes as intended: {intended:?} of {total}");
    assert!(matching * 3 >= total, "only {matching} of {total} filters match anything");
}

#[test]
fn orders_are_those_of_mongomock() {
    let Some(python) = python() else { return };
    let (schema, total) = (schema(), extent(100));
    let batches = batches(total, |r, batch| {
        let key = |key: &&str| r.chance(2).then(|| json!([key, if r.chance(2) { 1 } else { -1 }]));
        let keys: Vec<Json> = ["a", "b", "f"].iter().filter_map(key).collect();
        batch.orders.push(if keys.is_empty() { json!([["f", 1]]) } else { keys.into() });
    });
    let answers = answers(python, &batches);
    let eid = id("h1");
    for (Batch { documents, orders, .. }, answer) in batches.iter().zip(&answers) {
        for (order, theirs) in orders.iter().zip(answer["orders"].as_array().unwrap()) {
            let keys: Vec<String> =
                order.as_array().unwrap().iter().map(|k| format!("{}:{}", k[0].as_str().unwrap(), k[1])).collect();
            let sort = Sort::parse(&keys, &schema, "host").unwrap();
            let place = |last| sort.place(&Document::of(IdType::String, &eid, Timestamp(0), item(last)));
            let places: Vec<_> = documents.iter().map(place).collect();
            let mut ours: Vec<usize> = (0..DOCUMENTS).collect();
            ours.sort_by(|a, b| sort.compare(&places[*a], &places[*b]));
            assert_eq!(json!(ours), *theirs, "seed {}, {keys:?} of {documents:?}", seed());
        }
    }
    println!("{total} orders of {DOCUMENTS} documents, seed {}, 0 differences", seed());
}
