//! What is known of an address or a domain over all logs together.
//!
//! These facts cannot be written line by line: the first time something was seen, sums, and timeseries whose pieces
//! gather several lines. They are collected while the logs are read and written at the end, in the order of the ids.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::output::{Entity, Json, Output};

const MINUTE: i64 = 60_000_000;

/// A run of the timeseries by minute ends when nothing happens for more minutes than this.
const QUIET: i64 = 10;

/// Who says what was summed up from several logs.
const SRC: &str = "zeek";

/// One connection as one of its ends sees it. Times in microseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct Flow {
    /// Its beginning.
    pub(crate) from: i64,
    /// Its end.
    pub(crate) to: i64,
    /// Whether this end opened it.
    pub(crate) opened: bool,
    /// Payload bytes sent by this end and received by it.
    pub(crate) bytes: (u64, u64),
    /// Packets sent by this end and received by it.
    pub(crate) packets: (u64, u64),
}

/// Profiles of everything that the logs name.
#[derive(Default)]
pub(crate) struct Profiles {
    addresses: BTreeMap<Ipv4Addr, Address>,
    domains: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Address {
    seen: Option<(i64, i64)>,
    logs: BTreeSet<String>,
    resolver: bool,
    flows: BTreeMap<i64, Vec<Flow>>,
}

impl Profiles {
    /// An address took part in something that log `kind` tells of.
    pub(crate) fn seen(&mut self, address: Ipv4Addr, kind: &str, (from, to): (i64, i64)) {
        let profile = self.addresses.entry(address).or_default();
        let (first, last) = profile.seen.unwrap_or((from, to));
        profile.seen = Some((first.min(from), last.max(to)));
        profile.logs.insert(kind.to_owned());
    }

    /// An address had a connection.
    pub(crate) fn flow(&mut self, address: Ipv4Addr, flow: Flow) {
        let minute = flow.from.div_euclid(MINUTE);
        self.addresses.entry(address).or_default().flows.entry(minute).or_default().push(flow);
    }

    /// An address answered a DNS query.
    pub(crate) fn resolves(&mut self, address: Ipv4Addr) {
        self.addresses.entry(address).or_default().resolver = true;
    }

    /// A domain is named by some log; `queries` more DNS queries asked for it.
    pub(crate) fn domain(&mut self, name: &str, queries: u64) {
        *self.domains.entry(name.to_owned()).or_default() += queries;
    }

    /// Writes all of it.
    pub(crate) fn write(self, out: &mut Output) {
        for (address, profile) in self.addresses {
            profile.write(&Entity::new("ip", &address.to_string()), out);
        }
        for (name, queries) in self.domains {
            let domain = Entity::new("domain", &name);
            let labels: Vec<&str> = name.split('.').collect();
            let mut longest = "";
            for label in &labels {
                longest = if label.chars().count() > longest.chars().count() { label } else { longest };
            }
            out.plain(&domain, "queries", Json::int(queries), SRC);
            out.plain(&domain, "entropy", Json::float(entropy(longest)), SRC);
            out.plain(&domain, "labels", Json::list(labels.into_iter().map(Json::text)), SRC);
        }
    }
}

impl Address {
    fn write(mut self, ip: &Entity, out: &mut Output) {
        if let Some((first, last)) = self.seen {
            out.plain(ip, "first_seen", Json::time(first), SRC);
            out.plain(ip, "last_seen", Json::time(last), SRC);
            out.plain(ip, "seen_in", Json::list(self.logs.iter().map(|log| Json::text(log))), SRC);
        }
        if self.resolver {
            out.plain(ip, "resolver", Json::flag(true), SRC);
        }
        if self.flows.is_empty() {
            return;
        }
        let bytes = self.flows.values().flatten().map(|flow| flow.bytes.0.saturating_add(flow.bytes.1));
        out.plain(ip, "bytes_total", Json::int(bytes.fold(0, u64::saturating_add)), SRC);
        for flows in self.flows.values_mut() {
            // Stable, so connections that begin at the same time stay in the order of the log.
            flows.sort_by_key(|flow| flow.from);
            write_activity(ip, flows, out);
        }
        write_connections(ip, &self.flows, out);
    }
}

/// The connections of one minute, as one piece of the timeseries.
fn write_activity(ip: &Entity, flows: &[Flow], out: &mut Output) {
    let (Some(from), Some(to)) = (flows.iter().map(|f| f.from).min(), flows.iter().map(|f| f.to).max()) else {
        return;
    };
    let column = |of: fn(&Flow) -> Json| Json::list(flows.iter().map(of));
    let series = Json::object([
        ("time_first", column(|f| Json::time(f.from))),
        ("time_last", column(|f| Json::time(f.to))),
        ("bytes_sent", column(|f| Json::int(f.bytes.0))),
        ("bytes_received", column(|f| Json::int(f.bytes.1))),
        ("packets_sent", column(|f| Json::int(f.packets.0))),
        ("packets_received", column(|f| Json::int(f.packets.1))),
    ]);
    out.series(ip, "activity", series, (from, to), SRC);
}

/// Connections per minute, in runs without long silence.
fn write_connections(ip: &Entity, flows: &BTreeMap<i64, Vec<Flow>>, out: &mut Output) {
    let mut run: Option<(i64, Vec<(u64, u64)>)> = None;
    for (minute, flows) in flows {
        let opened = flows.iter().filter(|f| f.opened).count() as u64;
        let counts = (opened, flows.len() as u64 - opened);
        if let Some((start, values)) = &mut run {
            let silent = minute - (*start + values.len() as i64);
            if silent <= QUIET {
                values.extend(std::iter::repeat_n((0, 0), silent as usize));
                values.push(counts);
                continue;
            }
        }
        if let Some(finished) = run.replace((*minute, vec![counts])) {
            write_run(ip, finished, out);
        }
    }
    if let Some(finished) = run {
        write_run(ip, finished, out);
    }
}

fn write_run(ip: &Entity, (start, values): (i64, Vec<(u64, u64)>), out: &mut Output) {
    let validity = (start * MINUTE, (start + values.len() as i64) * MINUTE);
    let series = Json::object([
        ("opened", Json::list(values.iter().map(|v| Json::int(v.0)))),
        ("answered", Json::list(values.iter().map(|v| Json::int(v.1)))),
    ]);
    out.series(ip, "connections", series, validity, SRC);
}

/// Shannon entropy in bits per character, to thousandths.
fn entropy(label: &str) -> f64 {
    let mut counts: BTreeMap<char, f64> = BTreeMap::new();
    for character in label.chars() {
        *counts.entry(character).or_default() += 1.0;
    }
    let length: f64 = counts.values().sum();
    let bits: f64 = counts.values().map(|n| n / length * (length / n).log2()).sum();
    (bits * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_counts_surprise() {
        assert_eq!(entropy("aaaa"), 0.0);
        assert_eq!(entropy("abcd"), 2.0);
        assert_eq!(entropy("google"), 1.918);
    }

    #[test]
    fn minutes_are_gathered_in_runs() {
        let mut profiles = Profiles::default();
        for (minute, opened) in [(0, true), (0, false), (2, true), (20, true)] {
            let from = minute * MINUTE + 1;
            let flow = Flow { from, to: from, opened, bytes: (1, 2), packets: (0, 0) };
            profiles.flow(Ipv4Addr::LOCALHOST, flow);
        }
        let mut out = Output::default();
        profiles.write(&mut out);
        let text = out.ndjson();
        let runs: Vec<&str> = text.lines().filter(|l| l.contains(r#""connections""#)).collect();
        assert_eq!(runs.len(), 2);
        assert!(runs[0].contains(
            r#""v":{"answered":[1,0,0],"opened":[1,0,1]},"t1":"1970-01-01T00:00:00Z","t2":"1970-01-01T00:03:00Z""#
        ));
        assert!(text.contains(r#""attr":"bytes_total","v":12"#));
    }
}
