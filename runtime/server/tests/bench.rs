//! `tenter bench` measures and reports in the shape that scripts rely on. Nothing here judges a figure: tests run
//! without optimisation, on machines that do other things.

#![allow(clippy::unwrap_used, reason = "tests may fail loudly, and their helpers with them")]

use std::process::{Command, Stdio};

use serde_json::Value;

fn bench(what: &str) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tenter"))
        .args(["bench", what, "--extent", "small", "-o", "json"])
        .env("TMPDIR", dir.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "something stays behind");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn figures(report: &Value, pointers: &[&str]) {
    for pointer in pointers {
        let figure = report.pointer(pointer).and_then(Value::as_f64);
        assert!(figure.is_some_and(|f| f.is_finite() && f > 0.0), "{pointer} is no figure in {report:#}");
    }
}

#[test]
fn calls() {
    let report = bench("call");
    figures(&report, &["/call/native_ns", "/call/warm_ns", "/call/ratio", "/cores"]);
    assert!(report["replace_us"].is_number());
    assert_eq!(report["extent"], "small");
    assert!(report.get("ingest").is_none());
}

#[test]
fn ingestion() {
    let report = bench("ingest");
    let keys =
        ["no_hooks_tps", "ceiling_tps", "cpu_us_per_task", "three_hooks_ratio", "created_ratio", "ceiling_ratio"];
    figures(&report["ingest"], &keys.map(|key| format!("/{key}")).each_ref().map(String::as_str));
    figures(&report, &["/fsync_per_s"]);
    assert!(report.get("call").is_none());
}

#[test]
fn http() {
    let report = bench("http");
    let of = |part: &str, keys: &[&str]| keys.iter().map(|key| format!("/http/{part}/{key}")).collect::<Vec<_>>();
    let path = of("path", &["datapoints_per_s", "cpu_us_per_datapoint", "parse_us_per_datapoint", "ratio"]);
    let ingest = of("ingest", &["over_http_datapoints_per_s", "without_datapoints_per_s", "ratio"]);
    let listing = of("listing", &["indexed/all/p99_ms", "unindexed/all/p99_ms", "unindexed/growth"]);
    figures(&report, &path.iter().chain(&ingest).chain(&listing).map(String::as_str).collect::<Vec<_>>());
    assert!(report.get("ingest").is_none());
}

#[test]
fn neighbours() {
    let report = bench("neighbours");
    figures(&report["neighbours"], &["/alone/p50_us", "/alone/p99_us", "/beside/p99_us", "/p99_ratio"]);
    figures(&report, &["/neighbours/hostile_calls_stopped"]);
}

#[test]
fn snapshots() {
    let report = bench("snapshot");
    let keys = ["no_hook_entities_per_s", "hook_entities_per_s", "no_hook_cpu_us", "hook_cpu_us", "hook_ratio"];
    figures(&report["snapshot"], &keys.map(|key| format!("/{key}")).each_ref().map(String::as_str));
    for shape in ["component", "hub", "chain", "cycle"] {
        let of_shape = ["entities", "links", "wall_ms"].map(|key| format!("/shapes/{shape}/{key}"));
        figures(&report["snapshot"], &of_shape.each_ref().map(String::as_str));
    }
    assert!(report.get("ingest").is_none());
}
