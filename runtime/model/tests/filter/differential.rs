//! Random filters, answered here and by mongomock, which others wrote after MongoDB.
//!
//! 500 filters over 20 documents each, 5 000 with `TENTER_EXTENT=full`; `TENTER_SEED=N` chooses others. The test makes a
//! virtual environment of Python and installs mongomock there; where that cannot be had it says so and passes. The
//! differences that are meant to be stand in [`INTENDED`]; all others fail.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use super::generate::{document, filter};
use super::support::{Random, asked, matches, schema, seed};

/// The version that the list of differences was written for.
const PACKAGE: &str = "mongomock==4.3.0";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/filter/answer.py");
const DOCUMENTS: usize = 20;
const BATCH: usize = 25;

/// The Python of an environment with mongomock, or why there is none.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mongomock");
    let python = folder.join("bin/python");
    let has_it = || run(Command::new(&python).args(["-c", "import mongomock"]));
    if has_it().is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE]))?;
        has_it()?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().last().unwrap_or("no message");
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {last}")) }
}

/// What mongomock answers to each filter of each batch.
fn answers(python: &Path, batches: &[(Vec<Json>, Vec<Json>)]) -> Vec<Vec<Json>> {
    let mut child = Command::new(python).arg(SCRIPT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: Vec<String> = batches
        .iter()
        .map(|(documents, filters)| json!({"documents": documents, "filters": filters}).to_string())
        .collect();
    // Written aside, so that neither side waits for the other with a full pipe.
    let writer = std::thread::spawn(move || lines.iter().for_each(|line| writeln!(input, "{line}").unwrap()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the script of mongomock fails");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
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
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            // Past the capture of tests, so that it is seen.
            writeln!(std::io::stderr(), "SKIPPED: filters were not compared with mongomock: {why}").unwrap();
            return;
        }
    };
    let (seed, schema) = (seed(), schema());
    let total = if asked("TENTER_EXTENT").is_some_and(|e| e == "full") { 5_000 } else { 500 };
    let batches: Vec<(Vec<Json>, Vec<Json>)> = (0..total / BATCH)
        .map(|batch| {
            let mut r = Random(seed ^ ((batch as u64) << 20));
            let documents: Vec<Json> = (0..DOCUMENTS).map(|_| document(&mut r)).collect();
            let filters = (0..BATCH).map(|_| filter(&mut r, &documents, 2)).collect();
            (documents, filters)
        })
        .collect();
    let theirs = answers(&python, &batches);
    assert_eq!(theirs.len(), batches.len());

    let (mut matching, mut differences) = (0, Vec::new());
    let mut intended = [0usize; INTENDED.len()];
    for ((documents, filters), theirs) in batches.iter().zip(&theirs) {
        for (filter, theirs) in filters.iter().zip(theirs) {
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
    println!(
        "{total} filters over {DOCUMENTS} documents each, seed {seed}: {matching} match something, {} differences",
        differences.len()
    );
    for (difference, n) in INTENDED.iter().zip(intended) {
        println!("  intended, {n} times: {}", difference.what);
    }
    assert!(differences.is_empty(), "seed {seed}, {} differences:\n{}", differences.len(), differences.join("\n"));
    assert!(intended.iter().sum::<usize>() * 50 <= total, "too much passes as intended: {intended:?} of {total}");
    assert!(matching * 3 >= total, "only {matching} of {total} filters match anything");
}
