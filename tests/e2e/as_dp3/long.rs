//! Long lists: they come in pages, take no memory and hold their place.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use super::run;
use crate::harness::{Dp3, Known, Server, Site, Type, tenter};

/// Many entities with much to say.
fn many(n: usize) -> Known {
    let filler = "x".repeat(2_000);
    let row = |i: usize| json!({"eid": format!("p{i:05}"), "title": filler});
    let page = Type {
        spec: json!({"id": "page", "name": "Page", "eid_estimate_count": n, "attribs": {"title": {}}}),
        snapshots: (0..n).map(row).collect(),
        ..Type::default()
    };
    Known { types: vec![("page".to_owned(), page)], fixed: Vec::new() }
}

/// The most memory that a process has had, in KiB.
#[cfg(target_os = "linux")]
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn the_length_of_a_list_takes_no_memory() {
    let dp3 = Dp3::start("", many(8_000));
    for format in ["ndjson", "json"] {
        let home = tempfile::tempdir().unwrap();
        let mut command = tenter(home.path());
        command.args(["--url", &dp3.url, "entity", "list", "page", "--limit", "0", "-o", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut until = |row: usize| {
            let id = format!("\"p{row:05}\"");
            assert!(lines.any(|line| line.unwrap().contains(&id)), "{format}: {row}");
            // It is still there: what is left does not fit in the pipe.
            peak(child.id())
        };
        // The first page of the longer ones has been printed; 11 MB follow.
        let (early, late) = (until(2_500), until(7_500));
        assert!(late < early + 4_096, "{format}: {early} KiB, then {late} KiB");
        drop(lines);
        assert!(child.wait().unwrap().success(), "{format}");
    }
}

#[test]
fn a_long_list_comes_in_pages_and_ends_with_its_reader() {
    let dp3 = Dp3::start("", many(5_000));
    let home = tempfile::tempdir().unwrap();
    let mut command = tenter(home.path());
    command.args(["--url", &dp3.url, "entity", "list", "page", "--limit", "0", "-o", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for i in 0..3 {
        let row: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(row["eid"], format!("p{i:05}"));
    }
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status.code()), ("", Some(0)));
    // What the pipe held, and no more, was read ahead.
    let asked = dp3.seen().len();
    assert!(asked < 10, "{asked} requests for 3 lines");

    let all = run(&dp3.url, None, &["entity", "list", "page", "-s", "100", "-l", "250", "-o", "ndjson"]).0;
    let ids: Vec<String> = all.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["eid"].to_string()).collect();
    assert_eq!(ids, (100..350).map(|i| format!("\"p{i:05}\"")).collect::<Vec<_>>());
    let lines: Vec<String> = dp3.seen().into_iter().map(|seen| seen.line).collect();
    let path = "GET /entity/page/get";
    assert_eq!(
        lines,
        ["?skip=100&limit=100", "?skip=199&limit=101", "?skip=299&limit=51"].map(|query| format!("{path}{query}"))
    );
    // As one document it is the same list.
    let json = run(&dp3.url, None, &["entity", "list", "page", "-s", "100", "-l", "250", "-o", "json"]).0;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json.as_array().unwrap().iter().map(|r| r["eid"].to_string()).collect::<Vec<_>>(), ids);
}

#[test]
fn what_arrives_meanwhile_doubles_nothing() {
    let mut server = Server::start(&Site::new());
    let points = |from: usize, to: usize| -> Value {
        let point = |i: usize| json!({"type": "ip", "id": "192.0.2.1", "attr": "note", "v": format!("note {i:06}")});
        (from..to).map(point).collect()
    };
    server.post_datapoints(&points(0, 4_000));
    server.settle();
    let home = tempfile::tempdir().unwrap();
    let mut command = tenter(home.path());
    command.args(["--url", &server.url, "entity", "raw", "ip", "--limit", "0", "-o", "ndjson"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut read = vec![lines.next().unwrap().unwrap()];
    // The rest does not fit in the pipe, so that more is asked for when these are in front of it.
    server.post_datapoints(&points(4_000, 4_300));
    server.settle();
    read.extend(lines.map(Result::unwrap));
    assert_eq!(String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap(), "");
    let value = |line: &String| serde_json::from_str::<Value>(line).unwrap()["v"].as_str().unwrap().to_owned();
    let read: Vec<String> = read.iter().map(value).collect();
    assert!(
        read.iter().eq((0..4_000).rev().map(|i| format!("note {i:06}")).collect::<Vec<_>>().iter()),
        "{}",
        read.len()
    );
    server.assert_well();
}
