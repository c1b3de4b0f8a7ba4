//! `tenter.yml`: our own keys, apart from DP³'s so that a directory stays loadable by it.

use std::collections::BTreeMap;

use super::egress;
use super::http;
use super::keys::{GRANT, MODULE, TENTER};
use super::section::{Report, Section, Words, at_least, boolean, one_of, text, texts, word};
use super::site::{ModuleSection, Signatures, Synchronous, TenterConfig};
use super::yaml::{Entry, Kind, Node};
use crate::capability::{self, Grant};
use crate::id::ModuleName;
use crate::module::{
    EffectHooks, Isolation, ModuleSettings, OnAdmissionFault, OnBeforeFault, Quarantine, Recording, Undeclared,
};
use crate::schema::DuplicateKeys;

pub(super) fn read(report: &mut Report, file: &str, root: &Node) -> Option<TenterConfig> {
    let top = Section::open(report, file, "", root, &TENTER)?;
    let durable = [("full", Synchronous::Full), ("normal", Synchronous::Normal)];
    let twice = [("last", DuplicateKeys::Last), ("refuse", DuplicateKeys::Refused)];
    let mut out = TenterConfig {
        listen: top.read(report, "listen", address),
        data: top.read(report, "data", text),
        lanes: top.read(report, "lanes", at_least(0)).unwrap_or(0),
        synchronous: top.read(report, "synchronous", |n| word(n, &durable)).unwrap_or_default(),
        cache_mib: top.read(report, "cache_mib", at_least(1)),
        min_free_mib: top.read(report, "min_free_mib", at_least(0)),
        query_max_ms: top.read(report, "query_max_ms", at_least(1)).unwrap_or(TenterConfig::default().query_max_ms),
        http: top.section(report, "http").map(|http| http::read(report, http)).unwrap_or_default(),
        egress: top.section(report, "egress").map(|egress| egress::read(report, egress)).unwrap_or_default(),
        duplicate_keys: top.read(report, "duplicate_keys", |n| word(n, &twice)).unwrap_or_default(),
        signatures: top.read(report, "signatures", signatures).unwrap_or_default(),
        signers: BTreeMap::new(),
        modules: BTreeMap::new(),
    };
    if let Some(signers) = top.section(report, "signers") {
        out.signers = read_signers(report, &signers);
    }
    if out.signatures == Signatures::Required && out.signers.values().all(Vec::is_empty) {
        let words = Words::new("no upload could be signed: `signatures: required` needs keys")
            .expected("signers: {\"*\": [\"ed25519:...\"]}");
        top.error(report, top.at(), "signers", words);
    }
    if let Some(modules) = top.section(report, "modules") {
        for Entry { at, key, value } in modules.entries() {
            match ModuleName::new(key) {
                Err(e) => modules.error(report, *at, key, Words::new(e.to_string())),
                // A name without settings.
                Ok(_) if value.kind == Kind::Null => {}
                Ok(name) => {
                    if let Some(section) = modules.inner(report, key, value, &MODULE) {
                        out.modules.insert(name, module(report, section));
                    }
                }
            }
        }
    }
    top.close(report);
    Some(out)
}

fn signatures(node: &Node) -> Result<Signatures, Words> {
    // Other readers take a bare `off` for a boolean, so whoever writes one means it.
    if node.kind == Kind::Bool(false) {
        return Ok(Signatures::Off);
    }
    word(node, &[("required", Signatures::Required), ("optional", Signatures::Optional), ("off", Signatures::Off)])
}

fn read_signers(report: &mut Report, signers: &Section<'_>) -> BTreeMap<String, Vec<String>> {
    let mut out = BTreeMap::new();
    for Entry { at, key, value } in signers.entries() {
        if key != "*"
            && let Err(e) = ModuleName::new(key)
        {
            signers.error(report, *at, key, Words::new(e.to_string()).expected("a name of a module, or \"*\""));
            continue;
        }
        match texts(value) {
            Err(_) => signers.error(report, value.at, key, Words::wrong("a list of public keys", value)),
            Ok(keys) => match keys.iter().find(|text| !is_public_key(text)) {
                None => {
                    out.insert(key.clone(), keys);
                }
                Some(wrong) => {
                    let words = Words::new(format!("{wrong:?} is no public key")).expected(
                        "\"ed25519:\" and 64 hexadecimal digits in lower case, as `tenter key create` prints it",
                    );
                    signers.error(report, value.at, key, words);
                }
            },
        }
    }
    out
}

fn is_public_key(text: &str) -> bool {
    text.strip_prefix("ed25519:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

fn address(node: &Node) -> Result<String, Words> {
    let expected = "an address with a port, such as \"127.0.0.1:5000\"";
    let given = text(node)?;
    let port = given.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(given),
        _ => Err(Words::wrong(expected, node)),
    }
}

fn module(report: &mut Report, section: Section<'_>) -> ModuleSection {
    let isolation = [("warm", Isolation::Warm), ("fresh", Isolation::Fresh)];
    let recording = [("sample", Recording::Sample), ("all", Recording::All)];
    let may_change = [("report", Undeclared::Report), ("strict", Undeclared::Strict)];
    let fault = [("closed", OnAdmissionFault::Closed), ("open", OnAdmissionFault::Open)];
    let before = [("skip", OnBeforeFault::Skip), ("deny", OnBeforeFault::Deny)];
    let effects = [("quiet", EffectHooks::Quiet), ("call", EffectHooks::Call)];
    let mut out = ModuleSection {
        isolation: section.read(report, "isolation", |n| word(n, &isolation)).unwrap_or_default(),
        on_admission_fault: section.read(report, "on_admission_fault", |n| word(n, &fault)).unwrap_or_default(),
        on_before_fault: section.read(report, "on_before_fault", |n| word(n, &before)).unwrap_or_default(),
        effect_hooks: section.read(report, "effect_hooks", |n| word(n, &effects)).unwrap_or_default(),
        quarantine: match section.read(report, "quarantine", boolean) {
            Some(false) => Quarantine::Off,
            Some(true) | None => Quarantine::On,
        },
        recording: section.read(report, "recording", |n| word(n, &recording)).unwrap_or_default(),
        may_change: section.read(report, "may_change", |n| word(n, &may_change)).unwrap_or_default(),
        ..ModuleSection::default()
    };
    if let Some(limits) = section.section(report, "limits") {
        out.limits = read_limits(report, &limits);
    }
    if let Some(files) = section.section(report, "files") {
        out.files = read_files(report, &files);
    }
    match section.get("grants") {
        None => {}
        Some(Node { kind: Kind::List(items), .. }) => {
            for item in items {
                out.grants.extend(section.inner(report, "grants", item, &GRANT).and_then(|s| grant(report, s)));
            }
        }
        Some(other) => section.error(report, other.at, "grants", Words::wrong("a list of {capability, scope}", other)),
    }
    section.close(report);
    out
}

fn read_limits(report: &mut Report, limits: &Section<'_>) -> BTreeMap<String, u64> {
    let names = ModuleSettings::LIMIT_NAMES;
    let mut out = BTreeMap::new();
    for Entry { at, key, value } in limits.entries() {
        if !names.contains(&key.as_str()) {
            let words = Words::new("no limit has this name").expected(one_of(names)).near(key, names.iter().copied());
            limits.error(report, *at, key, words);
            continue;
        }
        match at_least(1)(value) {
            Ok(n) => {
                out.insert(key.clone(), n);
            }
            Err(words) => limits.error(report, value.at, key, words),
        }
    }
    out
}

fn read_files(report: &mut Report, files: &Section<'_>) -> BTreeMap<String, String> {
    let good = |name: &str| {
        let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        name.len() <= 63 && name.bytes().next().is_some_and(|b| b.is_ascii_lowercase()) && name.bytes().all(rest)
    };
    let mut out = BTreeMap::new();
    for Entry { at, key, value } in files.entries() {
        if !good(key) {
            let words = Words::new(format!("{key:?} is no name of a folder")).expected(
                "a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters; modules find it at /files/NAME",
            );
            files.error(report, *at, key, words);
            continue;
        }
        match text(value) {
            Ok(path) if std::path::Path::new(&path).is_absolute() => {
                out.insert(key.clone(), path);
            }
            _ => files.error(report, value.at, key, Words::wrong("the absolute path of a folder", value)),
        }
    }
    out
}

fn grant(report: &mut Report, section: Section<'_>) -> Option<Grant> {
    let name = section.require(report, "capability", text);
    let scope = section.read(report, "scope", text);
    let (at, scope_at) = (section.get("capability").map(|n| n.at), section.get("scope").map(|n| n.at));
    let here = section.at();
    let name = name?;
    let Some(row) = capability::find(&name) else {
        let names: Vec<&str> = capability::TABLE.iter().map(|c| c.name).collect();
        let words = Words::new(format!("{name:?} is no capability"))
            .expected(one_of(&names))
            .near(&name, names.iter().copied());
        section.error(report, at.unwrap_or(here), "capability", words);
        return None;
    };
    if let (Some(scope), Some(scope_at)) = (&scope, scope_at)
        && row.name == "http"
        && let Err(why) = (Grant { capability: name.clone(), scope: scope.clone() }).check()
    {
        section.error(report, scope_at, "scope", Words::new(why));
        return None;
    }
    match (row.scope, &scope) {
        ("", Some(_)) => {
            let words = Words::new(format!("the capability {name:?} has no scope"));
            section.error(report, scope_at.unwrap_or(here), "scope", words);
        }
        (meaning, None) if !meaning.is_empty() => {
            let words = Words::new(format!("the capability {name:?} needs a scope")).expected(meaning);
            section.error(report, here, "scope", words);
        }
        _ => {}
    }
    section.close(report);
    Some(Grant { capability: name, scope: scope.unwrap_or_default() })
}
