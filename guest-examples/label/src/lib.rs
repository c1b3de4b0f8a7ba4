//! Labels every new address with the kind of network that it belongs to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tenter_sdk::prelude::*;

struct Label;

impl Module for Label {
    const TITLE: &'static str = "Label addresses by network";

    fn new(_: &Config) -> Result<Self> {
        Ok(Self)
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_entity_creation("ip", Self::label).refresh(["label"]);
        on.request("write-entities", "ip.label");
    }
}

impl Label {
    fn label(&mut self, task: &Task) -> Result<Task> {
        let label = match task.entity.parse()? {
            IpAddr::V4(ip) => label_v4(ip),
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| label_v6(ip), label_v4),
        };
        Ok(Task::on(task.entity.clone()).plain("label", label))
    }
}

fn label_v4(ip: Ipv4Addr) -> &'static str {
    let [a, b, ..] = ip.octets();
    match ip {
        _ if ip.is_unspecified() => "unspecified",
        _ if ip.is_broadcast() => "broadcast",
        _ if ip.is_loopback() => "loopback",
        _ if ip.is_link_local() => "link-local",
        _ if ip.is_multicast() => "multicast",
        _ if ip.is_private() => "private",
        _ if ip.is_documentation() => "documentation",
        // Shared by the customers of one provider (RFC 6598).
        _ if a == 100 && b & 0xc0 == 64 => "shared",
        // Kept for the future (RFC 1112), and "this network" (RFC 791).
        _ if a >= 240 || a == 0 => "reserved",
        _ => "public",
    }
}

fn label_v6(ip: Ipv6Addr) -> &'static str {
    match ip {
        _ if ip.is_unspecified() => "unspecified",
        _ if ip.is_loopback() => "loopback",
        _ if ip.is_unicast_link_local() => "link-local",
        _ if ip.is_multicast() => "multicast",
        _ if ip.is_unique_local() => "private",
        _ if ip.segments().starts_with(&[0x2001, 0xdb8]) => "documentation",
        _ => "public",
    }
}

tenter_sdk::export!(Label: ingest);

#[cfg(test)]
mod tests;
