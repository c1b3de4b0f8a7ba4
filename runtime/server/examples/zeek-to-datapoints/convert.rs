//! What each log means: which datapoints a line of it stands for.
//!
//! Certificates come first, since handshakes refer to them by file id, and connections before the protocols inside
//! them: a line of `http` or `ssl` repeats what `conn` says of the same connection, and only where `conn` does not
//! know the connection do its ends, port and protocol come from there. An address that occurs in DNS answers alone
//! gets no datapoints of its own; that it exists is for a module to conclude from the domain that resolves to it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use crate::certificate::{self, Files};
use crate::log::{self, Log, Record};
use crate::output::{Entity, Json, Output};
use crate::profile::{Flow, Profiles};

/// The logs that are converted, in the order in which they are.
const KINDS: [&str; 8] = ["x509", "dhcp", "conn", "dns", "http", "ssl", "weird", "notice"];

/// Confidence in an open port where Zeek did not recognise what was spoken.
const UNRECOGNISED: f64 = 0.6;

/// What became of a directory of logs.
pub(crate) struct Conversion {
    /// The datapoints, one per line.
    pub(crate) ndjson: String,
    /// What was read, written and left out, for people.
    pub(crate) report: String,
}

/// Converts all logs below `dir`. Fails as [`log::read_all`] does.
pub(crate) fn convert(dir: &Path) -> Result<Conversion, String> {
    let logs = log::read_all(dir)?;
    let mut converter = Converter::default();
    for kind in KINDS {
        for log in logs.iter().filter(|log| log.kind == kind) {
            converter.log(log);
        }
    }
    let Converter { mut out, profiles, .. } = converter;
    profiles.write(&mut out);
    for log in logs.iter().filter(|log| !KINDS.contains(&log.kind.as_str())) {
        out.skip_many("line of a log of another kind", log.lines);
    }
    Ok(Conversion { ndjson: out.ndjson(), report: report(&logs, &out) })
}

fn report(logs: &[Log], out: &Output) -> String {
    let mut text = format!("read {} lines of {} logs\n", logs.iter().map(|l| l.lines).sum::<usize>(), logs.len());
    for log in logs {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:>8} lines of {} in {}", log.lines, log.kind, log.name);
    }
    let totals = out.totals();
    let (points, entities) = totals.values().fold((0, 0), |sum, n| (sum.0 + n.0, sum.1 + n.1));
    let _ = writeln!(text, "wrote {points} datapoints of {entities} entities");
    for (kind, (points, entities)) in totals {
        let _ = writeln!(text, "{points:>8} datapoints of {entities} entities of type {kind}");
    }
    let _ = writeln!(text, "left out {}", out.skipped().values().sum::<usize>());
    for (reason, number) in out.skipped() {
        let _ = writeln!(text, "{number:>8} {reason}");
    }
    text
}

#[derive(Default)]
struct Converter {
    out: Output,
    profiles: Profiles,
    files: Files,
    /// Connections that `conn` told of.
    connections: HashSet<String>,
}

/// A line with what all lines have.
pub(crate) struct Line<'a> {
    /// Its fields.
    pub(crate) record: &'a Record,
    /// The kind of log.
    pub(crate) kind: &'a str,
    /// The source of what it says: the log file.
    pub(crate) src: &'a str,
    /// Its time, in microseconds since 1970.
    pub(crate) at: i64,
    /// Who opened the connection, when that is an IPv4 address.
    pub(crate) originator: Option<Ipv4Addr>,
    /// To whom it was opened, when that is an IPv4 address.
    pub(crate) responder: Option<Ipv4Addr>,
}

impl Converter {
    fn log(&mut self, log: &Log) {
        for (reason, number) in &log.malformed {
            self.out.skip_many(reason, *number);
        }
        let src = format!("zeek/{}", log.name);
        for record in &log.records {
            let Some(at) = record.micros("ts") else {
                self.out.skip("line without a time in seconds");
                continue;
            };
            let originator = self.address(record.text("id.orig_h"));
            let responder = self.address(record.text("id.resp_h"));
            let line = Line { record, kind: &log.kind, src: &src, at, originator, responder };
            match log.kind.as_str() {
                "x509" => certificate::described(&line, &mut self.files, &mut self.out),
                "dhcp" => self.dhcp(&line),
                "conn" => self.conn(&line),
                "dns" => self.dns(&line),
                "http" => self.http(&line),
                "ssl" => self.ssl(&line),
                "weird" => self.weird(&line),
                _ => self.notice(&line),
            }
        }
    }

    fn dhcp(&mut self, line: &Line) {
        let record = line.record;
        self.seen(line, line.at);
        let assigned = self.address(record.text("assigned_ip").or(record.text("assigned_addr")));
        let server = line.responder.or_else(|| self.address(record.text("server_addr")));
        let mac = record.text("mac").map(str::to_lowercase).filter(|mac| mac.len() == 17);
        let (Some(assigned), Some(server), Some(mac)) = (assigned, server, mac) else {
            self.out.skip("lease without address, server or hardware address");
            return;
        };
        self.profiles.seen(assigned, line.kind, (line.at, line.at));
        let ip = address_entity(assigned);
        let validity = (line.at, line.at);
        self.out.observe(&ip, "device", Json::link(&mac), validity, line.src);
        let seconds = record.number("lease_time").map(|s| ("seconds", Json::float(s)));
        let lease = [Some(("server", Json::text(&server.to_string()))), Some(("mac", Json::text(&mac))), seconds];
        self.out.observe(&ip, "lease", Json::object(lease.into_iter().flatten()), validity, line.src);
        let vendor = mac.get(..8).unwrap_or_default();
        self.out.plain(&Entity::new("device", &mac), "vendor", Json::text(vendor), line.src);
    }

    fn conn(&mut self, line: &Line) {
        let record = line.record;
        if let Some(uid) = record.text("uid") {
            self.connections.insert(uid.to_owned());
        }
        let to = line.at.saturating_add(record.micros("duration").unwrap_or(0).max(0));
        let state = record.text("conn_state").unwrap_or_default();
        let proto = record.text("proto").unwrap_or_default();
        let answered = ["SF", "S1", "S2", "S3", "RSTO", "RSTR"].contains(&state);
        self.seen(line, to);
        self.session(line, to, proto, record.text("service"), answered);
        let amount = |name| record.count(name).unwrap_or(0);
        let bytes = (amount("orig_bytes"), amount("resp_bytes"));
        let packets = (amount("orig_pkts"), amount("resp_pkts"));
        if let Some(address) = line.originator {
            self.profiles.flow(address, Flow { from: line.at, to, opened: true, bytes, packets });
        }
        if let Some(address) = line.responder {
            let (bytes, packets) = ((bytes.1, bytes.0), (packets.1, packets.0));
            self.profiles.flow(address, Flow { from: line.at, to, opened: false, bytes, packets });
        }
    }

    fn dns(&mut self, line: &Line) {
        let record = line.record;
        let to = line.at.saturating_add(record.micros("rtt").unwrap_or(0).max(0));
        let response = record.text("rcode_name");
        self.seen(line, to);
        self.inside(line, record.text("proto").unwrap_or("udp"), "dns", response.is_some());
        if let (Some(address), Some(_)) = (line.responder, response) {
            self.profiles.resolves(address);
        }
        let Some(name) = self.name(record.text("query")) else { return };
        self.profiles.domain(&name, 1);
        let domain = Entity::new("domain", &name);
        if let Some(qtype) = record.text("qtype_name") {
            self.out.observe(&domain, "query_type", Json::text(qtype), (line.at, to), line.src);
        }
        match response {
            Some(code @ ("NOERROR" | "FORMERR" | "SERVFAIL" | "NXDOMAIN" | "NOTIMP" | "REFUSED")) => {
                self.out.observe(&domain, "response", Json::text(code), (line.at, to), line.src);
            }
            Some(_) => self.out.skip("response code without a name of its own"),
            None => {}
        }
        let ttls: Vec<f64> = record.list("TTLs").iter().filter_map(|ttl| ttl.parse().ok()).collect();
        if let Some(ttl) = ttls.iter().copied().reduce(f64::min) {
            let series = Json::object([
                ("time", Json::list([Json::time(to)])),
                ("answers", Json::list([Json::int(record.list("answers").len() as u64)])),
                ("ttl", Json::list([Json::float(ttl)])),
            ]);
            self.out.series(&domain, "lookups", series, (line.at, to), line.src);
        }
        if matches!(record.text("qtype_name"), Some("A" | "AAAA" | "CNAME")) {
            self.answers(line, &name, &ttls);
        }
    }

    /// The chain of aliases that begins with the name asked for, and the addresses at its end.
    fn answers(&mut self, line: &Line, name: &str, ttls: &[f64]) {
        let mut alias = name.to_owned();
        for (index, answer) in line.record.list("answers").iter().enumerate() {
            let ttl = ttls.get(index).map_or(0, |seconds| (seconds * 1e6) as i64);
            let validity = (line.at, line.at.saturating_add(ttl));
            if answer.parse::<IpAddr>().is_ok() {
                if let Some(address) = self.address(Some(answer)) {
                    let link = Json::link(&address.to_string());
                    self.out.observe(&Entity::new("domain", name), "resolves_to", link, validity, line.src);
                }
            } else if let Some(target) = self.name(Some(answer)) {
                self.profiles.domain(&target, 0);
                let link = Json::link(&target);
                self.out.observe(&Entity::new("domain", &alias), "alias_of", link, validity, line.src);
                alias = target;
            }
        }
    }

    fn http(&mut self, line: &Line) {
        let validity = (line.at, line.at);
        self.seen(line, line.at);
        self.inside(line, "tcp", "http", true);
        if let (Some(address), Some(agent)) = (line.originator, line.record.text("user_agent")) {
            self.out.observe(&address_entity(address), "user_agent", Json::text(agent), validity, line.src);
        }
        let Some(name) = self.name(line.record.text("host")) else { return };
        self.served(line, &name);
        if let Some(status) = line.record.count("status_code") {
            self.out.observe(&Entity::new("domain", &name), "http_status", Json::int(status), validity, line.src);
        }
    }

    fn ssl(&mut self, line: &Line) {
        let record = line.record;
        self.seen(line, line.at);
        // Older logs have no such field and list only handshakes that came to an answer.
        self.inside(line, "tcp", "ssl", record.flag("established").unwrap_or(true));
        let server_name = record.text("server_name").and_then(|name| self.name(Some(name)));
        if let Some(name) = &server_name {
            self.served(line, name);
        }
        certificate::presented(line, server_name.as_deref(), &self.files, &mut self.out);
    }

    fn weird(&mut self, line: &Line) {
        self.seen(line, line.at);
        let (Some(address), Some(name)) = (line.originator, line.record.text("name")) else {
            self.out.skip("violation that names no address");
            return;
        };
        self.out.observe(&address_entity(address), "weird", Json::text(name), (line.at, line.at), line.src);
    }

    fn notice(&mut self, line: &Line) {
        self.seen(line, line.at);
        let Some(address) = self.address(line.record.text("src")).or(line.originator) else {
            self.out.skip("notice that names no address");
            return;
        };
        let members = ["note", "msg", "sub", "dst"];
        let members = members.iter().filter_map(|name| Some((*name, Json::text(line.record.text(name)?))));
        let notice = Json::object(members);
        self.out.observe(&address_entity(address), "notice", notice, (line.at, line.at), line.src);
    }

    /// Both ends of the line took part in something until `to`.
    fn seen(&mut self, line: &Line, to: i64) {
        for address in [line.originator, line.responder].into_iter().flatten() {
            self.profiles.seen(address, line.kind, (line.at, to));
        }
    }

    /// The server of the line was asked for that name.
    fn served(&mut self, line: &Line, name: &str) {
        self.profiles.domain(name, 0);
        if let Some(address) = line.responder {
            let link = Json::link(&address.to_string());
            self.out.observe(&Entity::new("domain", name), "served_by", link, (line.at, line.at), line.src);
        }
    }

    /// A line about a protocol inside a connection that `conn` may already have told of.
    fn inside(&mut self, line: &Line, transport: &str, protocol: &str, answered: bool) {
        if !line.record.text("uid").is_some_and(|uid| self.connections.contains(uid)) {
            self.session(line, line.at, transport, Some(protocol), answered);
        }
    }

    fn session(&mut self, line: &Line, to: i64, transport: &str, protocol: Option<&str>, answered: bool) {
        // What stands in the place of ports is type and code of an ICMP message.
        let Some(port) = line.record.count("id.resp_p").filter(|_| matches!(transport, "tcp" | "udp")) else { return };
        let (validity, src, out) = ((line.at, to), line.src, &mut self.out);
        if let Some(address) = line.originator {
            out.observe(&address_entity(address), "role", Json::text("client"), validity, src);
        }
        if let (Some(address), Some(peer)) = (line.originator, line.responder) {
            let link = Json::object([("eid", Json::text(&peer.to_string())), ("data", Json::int(port))]);
            out.observe(&address_entity(address), "talks_to", link, validity, src);
        }
        if !answered {
            return;
        }
        if let Some(address) = line.responder {
            let ip = address_entity(address);
            let confidence = protocol.is_none().then_some(UNRECOGNISED);
            out.observe(&ip, "role", Json::text("server"), validity, src);
            out.observe_with(&ip, "open_ports", Json::int(port), validity, confidence, src);
        }
        let entity = Entity::numbered("port", port);
        out.observe(&entity, "transport", Json::text(transport), validity, src);
        if let Some(protocol) = protocol {
            out.observe(&entity, "protocol", Json::text(protocol), validity, src);
        }
    }

    /// An address of the type that there are entities for. What is left out is counted.
    fn address(&mut self, text: Option<&str>) -> Option<Ipv4Addr> {
        match text?.parse() {
            Ok(IpAddr::V4(address)) => return Some(address),
            Ok(IpAddr::V6(_)) => self.out.skip("IPv6 address, for which there is no entity type"),
            Err(_) => self.out.skip("text in the place of an address"),
        }
        None
    }

    /// A domain name in lower case, without final dot and port. What is left out is counted.
    fn name(&mut self, text: Option<&str>) -> Option<String> {
        let name = text?.to_lowercase();
        let name = name.split_once(':').map_or(name.as_str(), |(name, _)| name).trim_end_matches('.');
        if name.parse::<IpAddr>().is_ok() {
            self.out.skip("address in the place of a domain name");
            return None;
        }
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.split('.').any(str::is_empty) || !name.chars().all(allowed) {
            self.out.skip("text that is no domain name");
            return None;
        }
        Some(name.to_owned())
    }
}

fn address_entity(address: Ipv4Addr) -> Entity {
    Entity::new("ip", &address.to_string())
}
