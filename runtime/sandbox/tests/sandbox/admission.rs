//! Admission refuses with texts that say what to do.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tenter_model::Family;
use tenter_model::hook::HookKind;
use tenter_sandbox::{Sandbox, SandboxOptions};

use crate::support::{Data, admit, sandbox, settings, villain};

fn refused(bytes: &[u8]) -> String {
    let error = admit(&sandbox(), bytes, settings(json!({})), Arc::new(Data::default())).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

fn refused_text(text: &str) -> String {
    refused(&wat::parse_str(text).unwrap())
}

fn refused_config(config: Json) -> String {
    let error = admit(&sandbox(), &villain(), settings(config), Arc::new(Data::default())).unwrap_err();
    format!("{}: {}", error.code, error.message)
}

#[test]
fn a_good_module_is_described() {
    let requests = json!({ "requests": ["state", "read-entities ip"], "subscriptions": "good-path" });
    let module = admit(&sandbox(), &villain(), settings(requests), Arc::new(Data::default())).unwrap();
    assert_eq!((module.descriptor.title.as_str(), module.descriptor.version.as_str()), ("Villain", "1.2.3"));
    assert_eq!(module.digest.len(), 64);
    assert_eq!(module.families, [Family::Ingest]);
    let asked: Vec<_> = module.requests.iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["state", "read-entities ip"]);
    let kinds: Vec<_> = module.subscriptions.iter().map(|s| s.moment.kind()).collect();
    assert_eq!(kinds, [HookKind::OnNewAttribute]);
}

#[test]
fn forms() {
    insta::assert_snapshot!(refused(b""), @"");
    insta::assert_snapshot!(refused(b"\0as"), @"");
    insta::assert_snapshot!(refused(b"\x7fELF\x02\x01"), @"");
    insta::assert_snapshot!(refused(b"(component)"), @"");
    insta::assert_snapshot!(refused(b"PK\x03\x04"), @"");
    insta::assert_snapshot!(refused_text("(module)"), @"");
    insta::assert_snapshot!(refused(&vec![0; (64 << 20) + 1]), @"");
    let whole = villain();
    insta::assert_snapshot!(refused(&whole[..whole.len() / 2]), @"");
}

#[test]
fn features_and_sizes() {
    insta::assert_snapshot!(refused_text("(component (core module (memory 32768)))"), @"");
    insta::assert_snapshot!(refused_text("(component (core module (memory i64 1)))"), @"");
    insta::assert_snapshot!(refused_text("(component (core module (memory 1 2 shared)))"), @"");
    insta::assert_snapshot!(refused_text("(component (core module (memory 1) (memory 1)))"), @"");
    let many = "(core instance (instantiate $m))".repeat(129);
    insta::assert_snapshot!(refused_text(&format!("(component (core module $m) {many})")), @"");
}

fn importing(name: &str) -> String {
    refused_text(&format!(r#"(component (import "{name}" (instance)))"#))
}

#[test]
fn imports() {
    insta::assert_snapshot!(importing("wasi:http/outgoing-handler@0.2.6"), @"");
    insta::assert_snapshot!(importing("wasi:cli/environment@0.3.0"), @"");
    insta::assert_snapshot!(importing("evil:host/backdoor"), @"");
    insta::assert_snapshot!(importing("tenter:hooks/stat@0.1.0"), @"");
    insta::assert_snapshot!(importing("tenter:hooks/log@0.2.0"), @"");
    insta::assert_snapshot!(refused_text(r#"(component (import "open" (func)))"#), @"");
    let other = r#"(component (import "tenter:hooks/log@0.1.0" (instance (export "write" (func (param "x" u32))))))"#;
    insta::assert_snapshot!(refused_text(other), @"");
}

fn exporting(names: &[&str]) -> String {
    let exports: String = names.iter().map(|n| format!(r#"(export "{n}" (instance $i))"#)).collect();
    refused_text(&format!("(component (instance $i) {exports})"))
}

#[test]
fn exports() {
    insta::assert_snapshot!(exporting(&[]), @"");
    insta::assert_snapshot!(exporting(&["init", "exports"]), @"");
    insta::assert_snapshot!(exporting(&["tenter:hooks/module@0.2.0"]), @"");
    insta::assert_snapshot!(exporting(&["tenter:hooks/module@0.1.0"]), @"");
}

#[test]
fn capabilities() {
    insta::assert_snapshot!(refused_config(json!({ "requests": ["stat"] })), @"");
    insta::assert_snapshot!(refused_config(json!({ "requests": ["state all"] })), @"");
    insta::assert_snapshot!(refused_config(json!({ "requests": ["http"] })), @"");
}

#[test]
fn configurations() {
    insta::assert_snapshot!(refused_config(json!({ "configure": "fail" })), @"");
    insta::assert_snapshot!(refused_config(json!({ "configure": "panic" })), @"");
    insta::assert_snapshot!(refused_config(json!({ "must": 5 })), @"");
    let looping = refused_config(json!({ "configure": "loop" }));
    let (said, rest) = looping.split_once(" after ").unwrap();
    assert_eq!(said, "configure: `module.configure` failed (fuel): used 500000000 of 500000000 fuel");
    assert!(rest.contains("raise `limits.fuel`"), "{rest}");
    let bare = tenter_model::module::ModuleSettings::default();
    let error = admit(&sandbox(), &villain(), bare, Arc::new(Data::default())).unwrap_err();
    insta::assert_snapshot!(error.message, @"");
}

#[test]
fn subscriptions() {
    let with = |name: &str| refused_config(json!({ "subscriptions": name }));
    insta::assert_snapshot!(with("none"), @"");
    insta::assert_snapshot!(with("bad-id"), @"");
    insta::assert_snapshot!(with("twice"), @"");
    insta::assert_snapshot!(with("unknown-type"), @"");
    insta::assert_snapshot!(with("unknown-attribute"), @"");
    insta::assert_snapshot!(with("bad-name"), @"");
    insta::assert_snapshot!(with("no-may-change"), @"");
    insta::assert_snapshot!(with("bad-path"), @"");
    insta::assert_snapshot!(with("bad-last"), @"");
}

#[test]
fn compiled_code_is_kept_and_a_damaged_entry_compiled_anew() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Sandbox::new(SandboxOptions { cache_dir: Some(dir.path().to_owned()), lanes: 1 }).unwrap();
    let load = || admit(&open(), &villain(), settings(json!({})), Arc::new(Data::default())).unwrap();
    let digest = load().digest;
    let entry = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.file_name().unwrap().to_string_lossy().starts_with(&digest))
        .expect("an entry of that digest");
    let good = std::fs::read(&entry).unwrap();
    load();
    assert_eq!(std::fs::read(&entry).unwrap(), good);
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    std::fs::write(&entry, &bad).unwrap();
    load();
    assert_ne!(std::fs::read(&entry).unwrap(), bad, "the damaged entry is replaced");
}
