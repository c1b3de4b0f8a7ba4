//! `tenter demo` as a newcomer meets it, held against the raw logs.
//!
//! What should come out is worked out here from the log files by a few lines that share nothing with the program: they
//! split lines at tabs or parse them as JSON and look at columns. Zeek's documentation says which states of a
//! connection mean that the responder answered. The rest is in the README of the demonstration: an address or a name in
//! the logs is an entity, IPv6 is left out, `domain-links` brings in addresses of DNS answers, `admit-prefixes` keeps
//! three prefixes out.

mod logs;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Stdio};

use serde::Deserialize as _;
use serde_json::Value;

use logs::{KINDS, Set, expected_addresses, expected_ports, folder, lines, listed, name, plain, services};

use crate::harness::{Client, assert_reconciled, signal, tenter, wait_for_exit};

/// A demonstration that was kept.
struct Kept {
    home: tempfile::TempDir,
    child: Child,
    client: Client,
    report: Value,
}

impl Kept {
    fn start(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = tenter(home.path());
        command.args(["demo", "--keep", "-o", "json"]).args(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let said = std::thread::spawn(move || {
            let mut text = String::new();
            // The pipe ends with the process; what was read until then is shown.
            let _read = stderr.read_to_string(&mut text);
            text
        });
        // The document ends long before the process does.
        let mut stdout = serde_json::Deserializer::from_reader(BufReader::new(child.stdout.take().unwrap()));
        let Ok(report) = Value::deserialize(&mut stdout) else {
            child.kill().unwrap();
            panic!("no report from `tenter demo`: {}", said.join().unwrap());
        };
        let client = Client::new(report["url"].as_str().unwrap(), None);
        Self { home, child, client, report }
    }

    /// Its files in the folder for temporary files.
    fn leftovers(&self) -> Vec<PathBuf> {
        std::fs::read_dir(self.home.path().join("tmp")).unwrap().map(|e| e.unwrap().path()).collect()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn set(values: &[Value]) -> Set {
    values.iter().map(plain).collect()
}

/// Values of the points of an attribute in a master record.
fn values(master: &Value, attr: &str) -> Set {
    master[attr].as_array().into_iter().flatten().map(|point| plain(&point["v"])).collect()
}

/// Calls and tasks of a module.
fn work(report: &Value, module: &str) -> (u64, u64) {
    let calls = report["hook_calls"].as_array().unwrap().iter().filter(|c| c["module"] == module);
    calls.fold((0, 0), |sum, c| (sum.0 + c["calls"].as_u64().unwrap(), sum.1 + c["tasks"].as_u64().unwrap()))
}

#[test]
fn a_newcomer_sees_it_work() {
    let home = tempfile::tempdir().unwrap();
    let output = tenter(home.path()).args(["demo", "-o", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number =
        |path: &str| report.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path}: {report:#}"));
    assert!(number("/entities") > 100.0, "{report:#}");
    assert!(number("/datapoints/received") > 1000.0, "{report:#}");
    assert!(number("/datapoints/derived") > 100.0, "{report:#}");
    let calls = report["hook_calls"].as_array().unwrap();
    let sum = |key: &str| calls.iter().map(|call| call[key].as_u64().unwrap()).sum::<u64>();
    assert!(sum("calls") > 1000, "{calls:#?}");
    assert_eq!((sum("faults"), sum("errors")), (0, 0), "{calls:#?}");
    assert_eq!((number("/pending"), number("/dead_letters")), (0.0, 0.0), "{report:#}");
    assert!(number("/elapsed_s") < 60.0, "{report:#}");
    assert_reconciled(&report);
    let sent = std::fs::read_to_string(folder().join("datapoints.ndjson")).unwrap().lines().count();
    assert_eq!(report["datapoints"]["received"], sent, "each datapoint counts once");
    let left: Vec<_> = std::fs::read_dir(home.path().join("tmp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");

    // The second act: a denial, marks from profiles, and the answer to a click.
    let case = &report["case"];
    assert!(case["denied"].as_str().unwrap().contains("the number that the SOC gave it"), "{case:#}");
    assert_eq!(case["name"], "#2 - IR Beaconing hosts");
    let iocs = case["indicators"].as_array().unwrap();
    assert!(iocs.len() == 3 && iocs.iter().all(|ioc| ioc["tags"] == "demonstration,in-threat-list"), "{case:#}");
    assert_eq!((&case["action"]["state"], &case["action"]["entry"]), (&"succeeded".into(), &"Profile".into()));
    assert!(case["action"]["result"]["message"] == "1 of 1 have a profile", "{case:#}");

    // Two snapshots: the second knows names, and risk flows over links from domains to the address that they resolve to.
    assert_eq!(report["snapshots"].as_array().unwrap().len(), 2, "{report:#}");
    let profile = &report["profile"];
    assert_eq!(profile["eid"], "74.86.20.50", "the address of the list with most listed domains");
    let [first, second] = &profile["snapshots"].as_array().unwrap()[..] else { panic!("{profile:#}") };
    assert_eq!((&first["risk"], &first["risk_from"]), (&0.8.into(), &serde_json::json!(["indicator"])));
    let names: Set =
        listed("domain").into_iter().filter(|n| ["saggerboy.com", "twinkcam.net"].contains(&n.as_str())).collect();
    let from: Set = names.iter().map(|name| format!("domain/{name}")).chain(["indicator".to_owned()]).collect();
    assert_eq!(set(second["risk_from"].as_array().unwrap()), from);
    // Three reasons of 0.8 each.
    assert_eq!(second["risk"], 0.992);
    assert!(
        second["mean_bytes"].as_f64().unwrap() > 0.0 && second["statements"].as_u64() > first["statements"].as_u64()
    );
    // The list of programs was loaded by a timer; the raw logs name these user agents.
    assert!(work(&report, "reload-list").1 > 5, "{calls:#?}");
    for kind in ["cron", "timeseries", "correlate", "correlate-with-record", "snapshot-init", "snapshot-finalize"] {
        assert!(
            calls.iter().any(|call| call["hook"] == kind && call["calls"].as_u64() > Some(0)),
            "{kind}: {calls:#?}"
        );
    }
}

#[test]
fn what_is_stored_is_what_the_logs_say() {
    let mut demo = Kept::start(&[]);
    let client = &demo.client;

    let addresses = set(&client.ids("ip"));
    assert_eq!(addresses, expected_addresses());
    assert_eq!(demo.report["entities_by_type"]["ip"], addresses.len());

    // Every address: its open ports, and the services that stand for them.
    let (ports, services) = (expected_ports(), services());
    assert!(ports.len() >= 3 && !services.is_empty());
    for address in &addresses {
        let master = client.master("ip", address);
        let open = ports.get(address).cloned().unwrap_or_default();
        let named: Set = open.iter().filter_map(|port| services.get(port).cloned()).collect();
        let open: Set = open.iter().map(u64::to_string).collect();
        assert_eq!(values(&master, "open_ports"), open, "{address}: {master:#}");
        assert_eq!(values(&master, "services"), named, "{address}: {master:#}");
        assert!(master["label"]["v"].is_string(), "{address}: {master:#}");
    }
    // So that the loop above is known to compare something: three that anybody can look up in the logs.
    for (address, open) in [("192.168.33.10", vec![]), ("4.2.2.3", vec!["53"]), ("54.230.86.87", vec!["443", "80"])] {
        let open: Set = open.into_iter().map(str::to_owned).collect();
        assert_eq!(values(&client.master("ip", address), "open_ports"), open, "{address}");
    }

    // Every name: how often it was asked for.
    let mut queries: BTreeMap<String, u64> = BTreeMap::new();
    for line in lines("dns") {
        if let Some(name) = line.get("query").and_then(|q| name(q)) {
            *queries.entry(name).or_default() += 1;
        }
    }
    let domains = set(&client.ids("domain"));
    for domain in &domains {
        let stored = client.master("domain", domain)["queries"]["v"].as_u64().unwrap_or(0);
        assert_eq!(stored, queries.get(domain).copied().unwrap_or(0), "{domain}");
    }
    let unknown: Vec<_> = queries.keys().filter(|name| !domains.contains(*name)).collect();
    assert!(unknown.is_empty() && queries.values().any(|n| *n > 1), "{unknown:?}");

    // What was found of the list is the intersection of two sets.
    let names: Set = ["query", "answers", "host", "server_name"]
        .iter()
        .flat_map(|field| {
            let texts = KINDS.into_iter().flat_map(lines).filter_map(|line| line.get(*field).cloned());
            texts.flat_map(|t| t.split(',').filter_map(name).collect::<Vec<_>>()).collect::<Vec<_>>()
        })
        .collect();
    let marked = |etype: &str| {
        let raw = client.raw(etype, "attr=indicator");
        raw.iter().map(|point| plain(&point["id"])).collect::<Set>()
    };
    let (of_addresses, of_domains) = (listed("address"), listed("domain"));
    assert_eq!(marked("ip"), of_addresses.intersection(&addresses).cloned().collect());
    assert_eq!(marked("domain"), of_domains.intersection(&names).cloned().collect());
    assert!(!marked("ip").is_empty() && !marked("domain").is_empty());
    let found: Set = demo.report["indicators"].as_array().unwrap().iter().map(|i| plain(&i["eid"])).collect();
    assert_eq!(found, marked("ip").union(&marked("domain")).cloned().collect());

    // Ctrl-C leaves nothing behind.
    assert_eq!(demo.leftovers().len(), 1, "{:?}", demo.leftovers());
    signal("INT", &demo.child);
    assert!(wait_for_exit(&mut demo.child).success());
    assert_eq!(demo.leftovers(), Vec::<PathBuf>::new());
}

#[test]
fn without_a_module_its_part_is_missing_and_no_other() {
    let (whole, without) = (Kept::start(&[]), Kept::start(&["--without", "services"]));
    assert_eq!(without.client.raw("ip", "attr=services"), Vec::<Value>::new());
    assert!(!whole.client.raw("ip", "attr=services").is_empty());
    assert_eq!(work(&without.report, "services"), (0, 0));
    assert_eq!(without.report["entities_by_type"], whole.report["entities_by_type"]);
    assert_eq!(without.report["datapoints"]["received"], whole.report["datapoints"]["received"]);
    assert_eq!(without.report["indicators"], whole.report["indicators"]);
    for module in ["admit-prefixes", "label", "indicators", "domain-links"] {
        assert_eq!(work(&without.report, module), work(&whole.report, module), "{module}");
    }
    let others = |kept: &Kept| {
        let attributes = ["label", "indicator", "domains", "open_ports"];
        let mut points: Vec<String> = attributes
            .iter()
            .flat_map(|attr| kept.client.raw("ip", &format!("attr={attr}")))
            .map(|point| point.to_string())
            .collect();
        points.sort();
        points
    };
    assert_eq!(others(&without), others(&whole));
    let derived = |kept: &Kept| kept.report["datapoints"]["derived"].as_u64().unwrap();
    assert_eq!(derived(&whole) - derived(&without), work(&whole.report, "services").1);
}

#[test]
fn ctrl_c_while_it_works_leaves_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let mut command = tenter(home.path());
    let mut child = command.arg("demo").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let leftovers = || std::fs::read_dir(home.path().join("tmp")).unwrap().count();
    // The first upload has gone through the server, so it is up, and most of the work lies ahead.
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("uploaded module")));
    assert!(leftovers() > 0);
    std::thread::spawn(move || said.count());
    signal("INT", &child);
    let status = wait_for_exit(&mut child);
    assert!(matches!(status.code(), Some(0 | 130)), "{status}");
    assert_eq!(leftovers(), 0);
}

#[test]
fn an_unknown_module_cannot_be_left_out() {
    let home = tempfile::tempdir().unwrap();
    let output = tenter(home.path()).args(["demo", "--without", "servces"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("services"), "{said}");
    assert!(output.stdout.is_empty());
}
