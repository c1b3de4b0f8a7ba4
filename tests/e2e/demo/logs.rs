//! The raw logs of the demonstration, read in a few lines that share nothing with the program.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Texts.
pub(super) type Set = BTreeSet<String>;
/// A line of a log: its fields that are set, by name.
pub(super) type Line = BTreeMap<String, String>;

/// The files of the demonstration.
pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

/// Every line of the logs of one kind; lists are joined with commas.
pub(super) fn lines(kind: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let folders = [folder().join("zeek"), folder().join("zeek/json")];
    let files = folders.iter().flat_map(|f| std::fs::read_dir(f).unwrap()).map(|e| e.unwrap().path());
    let of_kind = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name == format!("{kind}.log") || name.ends_with(&format!("_{kind}.log"))
    };
    for path in files.filter(of_kind) {
        let mut names: Vec<String> = Vec::new();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            if let Some(fields) = line.strip_prefix("#fields\t") {
                names = fields.split('\t').map(str::to_owned).collect();
            } else if line.starts_with('{') {
                let members: BTreeMap<String, Value> = serde_json::from_str(line).unwrap();
                lines.push(members.into_iter().map(|(k, v)| (k, plain(&v))).collect());
            } else if !line.starts_with('#') && !line.is_empty() {
                let cells = names.iter().cloned().zip(line.split('\t').map(str::to_owned));
                lines.push(cells.filter(|(_, v)| v != "-" && v != "(empty)").collect());
            }
        }
    }
    assert!(!lines.is_empty(), "no log of kind {kind}");
    lines
}

/// A value as text, without quotes; lists with commas.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Bool(flag) => if *flag { "T" } else { "F" }.to_owned(),
        other => other.to_string(),
    }
}

/// The logs that become datapoints.
pub(super) const KINDS: [&str; 8] = ["conn", "dhcp", "dns", "http", "notice", "ssl", "weird", "x509"];

/// IPv4 addresses in the fields of all logs, lists taken apart.
fn addresses(fields: &[&str]) -> Set {
    let lines = KINDS.into_iter().flat_map(lines);
    let values = lines.flat_map(|line| fields.iter().filter_map(|f| line.get(*f).cloned()).collect::<Vec<_>>());
    values
        .flat_map(|v| v.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter(|v| v.parse::<Ipv4Addr>().is_ok())
        .collect()
}

/// Whether `admit-prefixes` lets it in: outside 0.0.0.0/8, 127.0.0.0/8 and 240.0.0.0/4.
fn admitted(address: &str) -> bool {
    let [first, ..] = address.parse::<Ipv4Addr>().unwrap().octets();
    first != 0 && first != 127 && first < 240
}

/// What the addresses of the demonstration should be.
pub(super) fn expected_addresses() -> Set {
    let mut all = addresses(&["id.orig_h", "id.resp_h", "assigned_ip", "src"]);
    let dns = lines("dns");
    // Answers to other queries, such as for names of mail servers, are about other things.
    let asked =
        dns.iter().filter(|l| l.get("qtype_name").is_some_and(|t| ["A", "AAAA", "CNAME"].contains(&t.as_str())));
    let answers = asked.filter_map(|line| line.get("answers")).flat_map(|a| a.split(','));
    all.extend(answers.filter(|a| a.parse::<Ipv4Addr>().is_ok()).map(str::to_owned));
    all.into_iter().filter(|a| admitted(a)).collect()
}

/// Ports on which each address answered.
pub(super) fn expected_ports() -> BTreeMap<String, BTreeSet<u64>> {
    let mut ports: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut open = |line: &Line| {
        if let (Some(address), Some(port)) = (line.get("id.resp_h"), line.get("id.resp_p"))
            && address.parse::<Ipv4Addr>().is_ok_and(|_| admitted(address))
        {
            ports.entry(address.clone()).or_default().insert(port.parse().unwrap());
        }
    };
    let connections = lines("conn");
    let known: Set = connections.iter().map(|line| line["uid"].clone()).collect();
    for line in &connections {
        let answered = ["SF", "S1", "S2", "S3", "RSTO", "RSTR"].contains(&line["conn_state"].as_str());
        if answered && ["tcp", "udp"].contains(&line["proto"].as_str()) {
            open(line);
        }
    }
    // Protocols inside connections that `conn` does not tell of.
    let is_new = |line: &&Line| !known.contains(&line["uid"]);
    lines("dns").iter().filter(is_new).filter(|l| l.contains_key("rcode_name")).for_each(&mut open);
    lines("http").iter().filter(is_new).for_each(&mut open);
    lines("ssl").iter().filter(is_new).filter(|l| l.get("established").is_none_or(|e| e == "T")).for_each(&mut open);
    ports
}

/// A name as an id: lower case, without port and final dot.
pub(super) fn name(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let text = text.split(':').next().unwrap().trim_end_matches('.');
    (!text.is_empty() && text.parse::<IpAddr>().is_err()).then(|| text.to_owned())
}

/// Entries of the demonstration list of one kind.
pub(super) fn listed(kind: &str) -> Set {
    let text = std::fs::read_to_string(folder().join("demonstration-indicators.txt")).unwrap();
    let entries = text.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix('\t')?.split('\t').next());
    entries.map(str::to_owned).collect()
}

/// The names of services by port, from the configuration of the module.
pub(super) fn services() -> BTreeMap<u64, String> {
    let text = std::fs::read_to_string(folder().join("site/modules/services.yml")).unwrap();
    let entry = |line: &str| {
        let (port, name) = line.trim().strip_prefix('"')?.split_once("\": ")?;
        Some((port.parse().ok()?, name.to_owned()))
    };
    text.lines().filter_map(entry).collect()
}
