//! `egress` of `tenter.yml`: how requests and look-ups of modules leave this server.

use std::net::{IpAddr, SocketAddr};

use super::section::{Report, Section, Words, text, texts};
use super::yaml::Node;

/// `egress`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Egress {
    /// `proxy`: address of an HTTP proxy for requests of modules, such as `http://proxy.example.org:3128`. The environment
    /// is not looked at.
    pub proxy: Option<String>,
    /// `ca_file`: file of certificates (PEM) that are trusted beside those that browsers trust.
    pub ca_file: Option<String>,
    /// `dns`: servers that look-ups of modules go to; empty = those of the system.
    pub dns: Vec<SocketAddr>,
}

pub(super) fn read(report: &mut Report, section: Section<'_>) -> Egress {
    let out = Egress {
        proxy: section.read(report, "proxy", proxy),
        ca_file: section.read(report, "ca_file", file),
        dns: section.read(report, "dns", servers).unwrap_or_default(),
    };
    section.close(report);
    out
}

fn proxy(node: &Node) -> Result<String, Words> {
    let given = text(node)?;
    let rest = given.strip_prefix("http://").or_else(|| given.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && given.bytes().all(|b| b.is_ascii_graphic()) => Ok(given),
        _ => Err(Words::wrong("the address of a proxy, such as \"http://proxy.example.org:3128\"", node)),
    }
}

fn file(node: &Node) -> Result<String, Words> {
    let given = text(node)?;
    if std::path::Path::new(&given).is_absolute() {
        return Ok(given);
    }
    Err(Words::wrong("the absolute path of a file", node))
}

fn servers(node: &Node) -> Result<Vec<SocketAddr>, Words> {
    let one = |text: &String| {
        let bare = |ip: IpAddr| SocketAddr::new(ip, 53);
        text.parse().ok().or_else(|| text.parse().ok().map(bare))
    };
    let wrong = || Words::wrong("a list of addresses, such as [\"192.0.2.53\", \"[2001:db8::53]:5353\"]", node);
    texts(node).map_err(|_| wrong())?.iter().map(one).collect::<Option<_>>().ok_or_else(wrong)
}
