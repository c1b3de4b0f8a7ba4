//! Certificates: which of them a line is about, and what it says.
//!
//! A certificate is told apart by what the log at hand has: its fingerprint, else its serial number together with the
//! issuer, since serial numbers are unique for their issuer alone, else the two names. A handshake that refers by file
//! id to a certificate of `x509` is about that one.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::convert::Line;
use crate::output::{Entity, Json, Output};

/// Ids of certificates by the file ids under which Zeek saw them.
pub(crate) type Files = HashMap<String, String>;

/// A line of `x509`: the certificate by itself.
pub(crate) fn described(line: &Line, files: &mut Files, out: &mut Output) {
    let record = line.record;
    let fields = ["certificate.serial", "certificate.issuer", "certificate.subject"].map(|name| record.text(name));
    let [Some(serial), Some(issuer), Some(subject)] = fields else {
        out.skip("certificate without serial number, issuer or subject");
        return;
    };
    let id = format!("serial:{}-{}", serial.to_lowercase(), digest(issuer, 8));
    for file in [record.text("id"), record.text("fuid")].into_iter().flatten() {
        files.insert(file.to_owned(), id.clone());
    }
    let certificate = Entity::new("certificate", &id);
    names(&certificate, subject, issuer, line.src, out);
    for (attr, field) in [("not_before", "certificate.not_valid_before"), ("not_after", "certificate.not_valid_after")]
    {
        if let Some(time) = record.micros(field) {
            out.plain(&certificate, attr, Json::time(time), line.src);
        }
    }
    if !record.list("san.dns").is_empty() {
        let names = record.list("san.dns").iter().map(|name| Json::text(&name.to_lowercase()));
        out.plain(&certificate, "names", Json::list(names), line.src);
    }
    if let Some(algorithm) = record.text("certificate.key_alg") {
        let length = record.count("certificate.key_length").map(|n| ("length", Json::int(n)));
        let curve = record.text("certificate.curve").map(|c| ("curve", Json::text(c)));
        let key = [Some(("algorithm", Json::text(algorithm))), length, curve];
        out.plain(&certificate, "key", Json::object(key.into_iter().flatten()), line.src);
    }
    if let Some(ca) = record.flag("basic_constraints.ca") {
        out.plain(&certificate, "ca", Json::flag(ca), line.src);
    }
}

/// A line of `ssl`: a server presents the certificate when asked for a name.
pub(crate) fn presented(line: &Line, server_name: Option<&str>, files: &Files, out: &mut Output) {
    let record = line.record;
    let validity = (line.at, line.at);
    let Some(subject) = record.text("subject") else { return };
    let issuer = record.text("issuer").or(record.text("issuer_subject")).unwrap_or_default();
    let file = record.list("cert_chain_fuids").first().and_then(|file| files.get(file));
    let id = match (record.text("cert_hash"), file) {
        (Some(hash), _) => format!("md5:{hash}"),
        (None, Some(id)) => id.clone(),
        (None, None) => format!("name:{}", digest(&format!("{issuer}\n{subject}"), 16)),
    };
    let certificate = Entity::new("certificate", &id);
    names(&certificate, subject, issuer, line.src, out);
    for (attr, field) in [("not_before", "not_valid_before"), ("not_after", "not_valid_after")] {
        if let Some(time) = record.micros(field) {
            out.plain(&certificate, attr, Json::time(time), line.src);
        }
    }
    if let Some(result) = record.text("validation_status") {
        out.observe(&certificate, "validation", Json::text(result), validity, line.src);
    }
    if let Some(address) = line.responder {
        out.observe(&certificate, "seen_on", Json::link(&address.to_string()), validity, line.src);
    }
    if let Some(name) = server_name {
        out.observe(&certificate, "presented_for", Json::link(name), validity, line.src);
    }
}

/// Whom a certificate names.
fn names(certificate: &Entity, subject: &str, issuer: &str, src: &str, out: &mut Output) {
    out.plain(certificate, "subject", Json::text(subject), src);
    out.plain(certificate, "issuer", Json::text(issuer), src);
    if subject == issuer {
        out.plain(certificate, "self_signed", Json::flag(true), src);
    }
}

/// The first `length` hexadecimal digits of the SHA-256 digest.
fn digest(text: &str, length: usize) -> String {
    let mut hex: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(length);
    hex
}
