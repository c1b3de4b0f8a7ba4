//! The demonstration's files agree with each other and with the logs they come from. No server is needed.
//!
//! What the converter makes of the logs is checked against readings of the raw logs that share no code with it: a few
//! lines below that split the files at tabs, or parse them as JSON, and look at the columns that hold addresses and
//! names.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly, its helpers too; the converter is linted where it is built as an example"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde_json::Value;

#[path = "../examples/zeek-to-datapoints/certificate.rs"]
mod certificate;
#[path = "../examples/zeek-to-datapoints/convert.rs"]
mod convert;
#[path = "../examples/zeek-to-datapoints/log.rs"]
mod log;
#[path = "../examples/zeek-to-datapoints/output.rs"]
mod output;
#[path = "../examples/zeek-to-datapoints/profile.rs"]
mod profile;

type Set = BTreeSet<String>;

fn demo(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(demo(path)).unwrap_or_else(|e| panic!("demo/{path}: {e}"))
}

fn datapoints() -> Vec<Value> {
    text("datapoints.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// Every value in the named columns of every raw log, lists taken apart.
fn columns(names: &[&str]) -> Set {
    let mut values = Set::new();
    for path in files(&demo("zeek")).into_iter().filter(|p| p.extension().is_some_and(|e| e == "log")) {
        let mut header: Vec<String> = Vec::new();
        for line in fs::read_to_string(path).unwrap().lines() {
            let cells: Vec<(String, String)> = if let Some(fields) = line.strip_prefix("#fields\t") {
                header = fields.split('\t').map(str::to_owned).collect();
                continue;
            } else if line.starts_with('#') {
                continue;
            } else if let Ok(Value::Object(members)) = serde_json::from_str::<Value>(line) {
                let cell = |v: Value| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]);
                let flat = members.into_iter().flat_map(|(k, v)| cell(v).into_iter().map(move |v| (k.clone(), v)));
                flat.filter_map(|(k, v)| Some((k, v.as_str()?.to_owned()))).collect()
            } else {
                let cells = header.iter().cloned().zip(line.split('\t'));
                cells.flat_map(|(k, v)| v.split(',').map(move |v| (k.clone(), v.to_owned()))).collect()
            };
            values.extend(cells.into_iter().filter(|(k, v)| names.contains(&k.as_str()) && v != "-").map(|(_, v)| v));
        }
    }
    values
}

/// IPv4 addresses in the raw logs: those of the ends of connections, and with DNS answers.
fn addresses(with_answers: bool) -> Set {
    let names = ["id.orig_h", "id.resp_h", "assigned_ip", "src", "answers"];
    let values = columns(if with_answers { &names } else { &names[..4] });
    values.into_iter().filter(|v| v.parse::<Ipv4Addr>().is_ok()).collect()
}

/// Domain names in the raw logs.
fn domains() -> Set {
    let names = columns(&["query", "answers", "host", "server_name"]);
    names.into_iter().map(|n| n.to_lowercase()).filter(|n| n.parse::<IpAddr>().is_err()).collect()
}

/// Entities that the datapoints are about.
fn entities(kind: &str) -> Set {
    let of_kind = datapoints().into_iter().filter(|p| p["type"] == kind);
    of_kind.map(|p| p["id"].as_str().map_or_else(|| p["id"].to_string(), str::to_owned)).collect()
}

/// The demonstration list: kind, value, note.
fn listed() -> Vec<[String; 3]> {
    let list = text("demonstration-indicators.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()).collect()
}

fn listed_values(kind: &str) -> Set {
    listed().into_iter().filter(|entry| entry[0] == kind).map(|[_, value, _]| value).collect()
}

/// Items of a list in a YAML file that stand alone on their lines, below `key:`.
fn items(path: &str, key: &str) -> Vec<String> {
    let yaml = text(path);
    let below = yaml.lines().skip_while(|line| *line != format!("{key}:")).skip(1);
    below.map_while(|line| Some(line.strip_prefix("  - ")?.to_owned())).collect()
}

#[test]
fn datapoints_are_what_the_converter_makes_of_the_logs() {
    let conversion = convert::convert(&demo("zeek")).unwrap();
    assert!(conversion.ndjson == text("datapoints.ndjson"), "convert the logs anew as demo/README.md says");
    insta::assert_snapshot!(conversion.report, @r"
    read 1541 lines of 13 logs
         360 lines of conn in conn.log
           2 lines of dhcp in dhcp.log
          54 lines of dns in dns.log
         150 lines of http in http.log
          50 lines of conn in json/conn.log
          50 lines of dns in json/dns.log
          28 lines of http in json/http.log
          50 lines of ssl in json/ssl.log
           2 lines of notice in notice.log
          37 lines of ssl in ssl.log
         733 lines of ssl in tor_ssl.log
          12 lines of weird in weird.log
          13 lines of x509 in x509.log
    wrote 4829 datapoints of 726 entities
         428 datapoints of 87 entities of type certificate
           1 datapoints of 1 entities of type device
        1468 datapoints of 234 entities of type domain
        2854 datapoints of 387 entities of type ip
          78 datapoints of 17 entities of type port
    left out 4
           1 IPv6 address, for which there is no entity type
           2 address in the place of a domain name
           1 violation that names no address
    ");
}

#[test]
fn there_is_enough_to_show_and_little_to_carry() {
    let points = datapoints();
    assert!(points.len() > 1000, "{} datapoints", points.len());
    let count: usize = ["ip", "domain", "certificate", "port", "device"].map(|kind| entities(kind).len()).iter().sum();
    assert!(count > 100, "{count} entities");
    let size: u64 = files(&demo("")).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(size < 1_500_000, "the demonstration has {size} bytes");
    let licence = text("zeek/LICENSE");
    assert!(licence.starts_with("MIT License") && licence.contains("Copyright (c) 2023 SuperCowPowers LLC"));
}

#[test]
fn entities_are_those_that_the_raw_logs_name() {
    assert_eq!(entities("ip"), addresses(false));
    // Names may come from answers to queries for other things than addresses, which are not followed.
    let named = domains();
    let strangers: Vec<_> = entities("domain").difference(&named).cloned().collect();
    assert_eq!(strangers, Vec::<String>::new());
    let asked: Set = columns(&["query", "server_name"]).into_iter().map(|n| n.to_lowercase()).collect();
    let unknown: Vec<_> = asked.difference(&entities("domain")).cloned().collect();
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn demonstration_list_matches_by_plain_intersection() {
    let points = datapoints();
    let links = points.iter().filter(|p| p["attr"] == "resolves_to");
    let resolved: Set = links.map(|p| p["v"]["eid"].as_str().unwrap().to_owned()).collect();
    let stored: Set = entities("ip").union(&resolved).cloned().collect();
    assert_eq!(stored, addresses(true), "addresses of the datapoints and of the raw logs");
    for (kind, in_logs, in_store) in [("address", addresses(true), stored), ("domain", domains(), entities("domain"))] {
        let listed = listed_values(kind);
        let expected: Set = listed.intersection(&in_logs).cloned().collect();
        assert!(expected.len() >= 5, "{kind}: {expected:?}");
        assert!(expected.len() < listed.len(), "{kind}: some entries must match nothing, or a match means nothing");
        assert_eq!(listed.intersection(&in_store).cloned().collect::<Set>(), expected, "{kind}");
    }
    // One entry is an address that no connection has, so that only a module can bring it in.
    assert!(listed_values("address").intersection(&resolved).any(|address| !entities("ip").contains(address)));
}

#[test]
fn demonstration_list_is_called_so_and_is_the_modules_configuration() {
    let module = text("site/modules/indicators.yml");
    for list in [&module, &text("demonstration-indicators.txt")] {
        assert!(list.starts_with("# Demonstration list, not threat intelligence"), "{list}");
    }
    assert!(module.lines().any(|line| line == "list: demonstration list"));
    let entries = listed().into_iter().map(|[kind, value, note]| {
        assert!(note.starts_with("demonstration: "), "{note}");
        format!(r#"{{value: "{value}", type: {kind}, note: "{note}"}}"#)
    });
    assert_eq!(items("site/modules/indicators.yml", "indicators"), entries.collect::<Vec<_>>());
}

#[test]
fn some_addresses_of_the_logs_are_denied() {
    let denied = |address: &str| {
        let address = u32::from(address.parse::<Ipv4Addr>().unwrap());
        items("site/modules/admit-prefixes.yml", "deny").iter().any(|prefix| {
            let (net, length) = prefix.split_once('/').unwrap();
            let shift = 32 - length.parse::<u32>().unwrap();
            u32::from(net.parse::<Ipv4Addr>().unwrap()) >> shift == address >> shift
        })
    };
    let refused: Vec<_> = addresses(true).into_iter().filter(|address| denied(address)).collect();
    assert_eq!(refused, ["0.0.0.0", "255.255.255.255"]);
    assert!(!listed_values("address").iter().any(|address| denied(address)));
}

#[test]
fn every_datapoint_has_a_place_in_the_configuration() {
    let mut unused = Set::new();
    for path in files(&demo("site/db_entities")) {
        let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let yaml = fs::read_to_string(path).unwrap();
        let attribs = yaml
            .lines()
            .skip_while(|line| *line != "attribs:")
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':').filter(|name| !name.starts_with([' ', '#'])));
        unused.extend(attribs.map(|name| format!("{kind}.{name}")));
    }
    let declared = unused.clone();
    for point in datapoints() {
        let name = format!("{}.{}", point["type"].as_str().unwrap(), point["attr"].as_str().unwrap());
        assert!(declared.contains(&name), "{name} is not configured");
        unused.remove(&name);
    }
    // What the logs say nothing about is for the modules to derive.
    let derived = [
        "domain.in_case",
        "domain.indicator",
        "domain.risk",
        "domain.stale_since",
        "ip.domains",
        "ip.in_case",
        "ip.indicator",
        "ip.known_days",
        "ip.label",
        "ip.list_checked",
        "ip.mean_bytes",
        "ip.program",
        "ip.risk",
        "ip.risk_from",
        "ip.services",
        "ip.statements",
        "report.begun",
        "report.ended",
        "report.lanes",
    ];
    assert_eq!(unused.into_iter().collect::<Vec<_>>(), derived);
}

#[test]
fn times_are_in_order_and_series_inside_their_datapoints() {
    for point in datapoints() {
        let (t1, t2) = (point["t1"].as_str(), point["t2"].as_str());
        let (Some(t1), Some(t2)) = (t1.map(seconds), t2.map(seconds)) else {
            assert!(t1.is_none() && t2.is_none(), "{point}");
            continue;
        };
        assert!(t1 <= t2, "{point}");
        let Some(series) = point["v"].as_object().filter(|v| v.values().all(Value::is_array)) else { continue };
        let lengths: BTreeSet<usize> = series.values().map(|v| v.as_array().unwrap().len()).collect();
        assert_eq!(lengths.len(), 1, "{point}");
        let times = |name: &str| -> Vec<f64> {
            let Some(times) = series.get(name).and_then(Value::as_array) else { return Vec::new() };
            times.iter().map(|t| seconds(t.as_str().unwrap())).collect()
        };
        let (first, last) = (times("time_first"), times("time_last"));
        assert!(first.iter().zip(&last).all(|(from, to)| from <= to), "{point}");
        assert!(first.iter().chain(&last).chain(&times("time")).all(|t| t1 <= *t && *t <= t2), "{point}");
        if point["attr"] == "connections" {
            assert_eq!(t2 - t1, 60.0 * *lengths.first().unwrap() as f64, "{point}");
        }
    }
}

/// Seconds since 1970 of a time as the datapoints write it, by counting days one by one.
fn seconds(time: &str) -> f64 {
    let part = |from: usize, to: usize| time[from..to].parse::<u64>().unwrap();
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (year, month) = (part(0, 4), part(5, 7));
    let mut days: u64 = (1970..year).map(|y| 365 + u64::from(leap(y))).sum();
    let months = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months.iter().take(month as usize - 1).sum::<u64>() + part(8, 10) - 1;
    let whole = days * 86_400 + part(11, 13) * 3600 + part(14, 16) * 60;
    whole as f64 + time[17..].trim_end_matches('Z').parse::<f64>().unwrap()
}

#[test]
fn raw_counts_and_datapoints_agree_on_some_profiles() {
    // Requests, queries and handshakes counted in the raw logs by looking at whole lines.
    let conn = text("zeek/conn.log");
    let of = |address: &str, column: usize| {
        let lines = conn.lines().filter(|line| !line.starts_with('#'));
        lines.filter(|line| line.split('\t').nth(column) == Some(address)).count() as u64
    };
    let mut sums: BTreeMap<(String, String), u64> = BTreeMap::new();
    for point in datapoints().iter().filter(|p| p["attr"] == "connections") {
        for side in ["opened", "answered"] {
            let values = point["v"][side].as_array().unwrap();
            let sum: u64 = values.iter().map(|v| v.as_u64().unwrap()).sum();
            *sums.entry((point["id"].as_str().unwrap().to_owned(), side.to_owned())).or_default() += sum;
        }
    }
    for address in ["192.168.33.10", "54.230.86.87", "108.59.9.32", "194.165.17.4", "4.2.2.3", "91.115.203.164"] {
        for (side, column) in [("opened", 2), ("answered", 4)] {
            assert_eq!(sums[&(address.to_owned(), side.to_owned())], of(address, column), "{address} {side}");
        }
    }
    let queries = text("zeek/dns.log").lines().filter(|l| l.split('\t').nth(8) == Some("j.maxmind.com")).count() as u64;
    let said = datapoints().into_iter().find(|p| p["id"] == "j.maxmind.com" && p["attr"] == "queries").unwrap();
    assert_eq!((said["v"].as_u64(), queries > 5), (Some(queries), true));
}
