//! Admission refuses with texts that say what to do.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tenter_model::Family;
use tenter_model::hook::{HookKind, Moment};
use tenter_sandbox::{Sandbox, SandboxOptions};

use crate::support::{Data, admit, guest, sandbox, settings, villain};

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

/// A component of all five families, made with the SDK; every kind of hook is known to the sandbox.
#[test]
fn every_kind_of_hook_is_admitted() {
    let bytes = std::fs::read(guest("test-every-kind")).unwrap();
    let config = json!({ "attr": "hostname", "series": "traffic", "depends_on": "hostname" });
    let module = admit(&sandbox(), &bytes, settings(config.clone()), Arc::new(Data::default())).unwrap();
    assert_eq!(module.families, Family::ALL);
    let mut kinds: Vec<_> = module.subscriptions.iter().map(|s| s.moment.kind()).collect();
    kinds.sort();
    kinds.dedup();
    let mut all: Vec<_> = tenter_model::hook::TABLE.iter().map(|row| row.kind).collect();
    all.sort();
    assert_eq!(kinds, all);
    let cron = module.subscriptions.iter().find(|s| s.moment.kind() == HookKind::Cron).unwrap();
    let Moment::Cron(timer) = &cron.moment else { panic!("{cron:?}") };
    assert_eq!(timer.fields, Some(vec![("minute".to_owned(), "*/5".to_owned())]));
    assert_eq!((timer.grace_seconds, timer.arguments.as_str()), (60, "{\"n\":1}"));

    let refused = |key: &str, value: &str| {
        let mut config = config.clone();
        config[key] = value.into();
        admit(&sandbox(), &bytes, settings(config), Arc::new(Data::default())).unwrap_err().message
    };
    insta::assert_snapshot!(refused("series", "hostname"), @r#"`snapshot.subscriptions`, subscription "timeseries:ip.hostname" to timeseries: 'ip.hostname' holds observations, expected a timeseries attribute"#);
    insta::assert_snapshot!(refused("object", "iocs"), @r#"`cases.subscriptions`, subscription "before:iocs.create" to before: no case hook of this phase is about the object "iocs", did you mean "ioc"?"#);
}

#[test]
fn forms() {
    insta::assert_snapshot!(refused(b""), @"form: the upload is empty; expected a WebAssembly component");
    insta::assert_snapshot!(refused(b"\0as"), @"form: the upload does not begin like WebAssembly; expected a WebAssembly component");
    insta::assert_snapshot!(refused(b"\x7fELF\x02\x01"), @"form: the upload is native code; compiled code is never accepted from outside; expected a WebAssembly component");
    insta::assert_snapshot!(refused(b"(component)"), @"form: the upload is WebAssembly text; turn it into binary with `wasm-tools parse`; expected a WebAssembly component");
    insta::assert_snapshot!(refused(b"PK\x03\x04"), @"form: the upload is an archive; upload the component itself; expected a WebAssembly component");
    insta::assert_snapshot!(refused_text("(module)"), @"form: the upload is a core WebAssembly module, expected a component; Rust: build for the target wasm32-wasip2; else wrap it with `wasm-tools component new`");
    insta::assert_snapshot!(refused(&vec![0; (64 << 20) + 1]), @"size: the upload has 67108865 bytes, at most 67108864 are accepted; strip debug information (`wasm-tools strip`)");
    let whole = villain();
    // Where the section ends depends on the size of the guest.
    insta::with_settings!({ filters => vec![(r"\d{4,}", "[n]")] }, {
        insta::assert_snapshot!(refused(&whole[..whole.len() / 2]), @"compile: the component cannot be compiled for this host: failed to parse WebAssembly module: wasm component contains an invalid module section: section range [n]..[n] is out of bounds (bound = [n]); it may be damaged or cut off: build and upload it again, and check it with `wasm-tools validate`");
    });
}

#[test]
fn features_and_sizes() {
    insta::assert_snapshot!(refused_text("(component (core module (memory 32768)))"), @"parts: the component has at least 2147483648 bytes of memory at the start, at most 1073741824 are accepted; begin with less and grow");
    insta::assert_snapshot!(refused_text("(component (core module (memory i64 1)))"), @"feature: the component uses 64-bit memories (memory64), which modules cannot have; build for wasm32");
    insta::assert_snapshot!(refused_text("(component (core module (memory 1 2 shared)))"), @"feature: the component uses threads (shared memories and atomic operations), which modules cannot have; modules run on one thread; build for wasm32-wasip2, not for a target with threads");
    insta::assert_snapshot!(refused_text("(component (core module (memory 1) (memory 1)))"), @"feature: the component uses several memories in one module (multi-memory), which modules cannot have; build it without it");
    let many = "(core instance (instantiate $m))".repeat(129);
    insta::assert_snapshot!(refused_text(&format!("(component (core module $m) {many})")), @"compile: the component cannot be compiled for this host: The component transitively contains 129 core module instances, which exceeds the configured maximum of 128 in the pooling allocator; it is larger than any module may be (1 GiB of memory at the start, 128 core instances, 8 memories, 64 tables); link it into fewer and smaller parts");
}

#[test]
fn bombs_are_measured_before_they_are_compiled() {
    let functions = format!("(component (core module {}))", "(func)".repeat(50_001));
    insta::assert_snapshot!(refused_text(&functions), @"parts: the component has at least 50001 functions, at most 50000 are accepted; leave out what is not used");
    let long = format!("(component (core module (func {})))", "nop ".repeat((1 << 20) + 10));
    insta::assert_snapshot!(refused_text(&long), @"parts: the component has at least 1048588 bytes in one function, at most 1048576 are accepted; split the function");
    let modules = format!("(component {})", "(core module)".repeat(65));
    insta::assert_snapshot!(refused_text(&modules), @"parts: the component has at least 65 core modules, at most 64 are accepted; link it into fewer");
    let items = "$f ".repeat(200_001);
    let elements = format!("(component (core module (table 1 funcref) (func $f) (elem func {items})))");
    insta::assert_snapshot!(refused_text(&elements), @"parts: the component has at least 200001 elements in tables, at most 200000 are accepted; leave out what is not used");
    let table = "(component (core module (table 200001 funcref)))";
    insta::assert_snapshot!(refused_text(table), @"parts: the component has at least 200001 elements in a table at the start, at most 200000 are accepted; begin with fewer and grow");
    let segments = format!("(component (core module (memory 1) {}))", "(data \"x\")".repeat(120_001));
    insta::assert_snapshot!(refused_text(&segments), @"parts: the component has at least 120001 segments of data and elements, at most 120000 are accepted; join them");
    let types = format!("(component {})", "(type u8)".repeat(50_001));
    insta::assert_snapshot!(refused_text(&types), @"parts: the component has at least 50001 types, at most 50000 are accepted; leave out what is not used");
    let instances = format!("(component (core module $m) {})", "(core instance (instantiate $m))".repeat(257));
    insta::assert_snapshot!(refused_text(&instances), @"parts: the component has at least 257 instances, at most 256 are accepted; link it into fewer parts");
    let components = format!("(component {})", "(component)".repeat(65));
    insta::assert_snapshot!(refused_text(&components), @"parts: the component has at least 65 nested components, at most 64 are accepted; compose it from fewer");
    let parameters = format!("(component (core module (func (param {}))))", "i32 ".repeat(1_001));
    assert!(refused_text(&parameters).starts_with("compile: "), "{}", refused_text(&parameters));
    let nested = format!("{}{}", "(component ".repeat(40), ")".repeat(40));
    insta::assert_snapshot!(refused_text(&nested), @"parts: the component has at least 17 levels of nesting, at most 16 are accepted; make it flatter");
}

/// A component that is damaged anywhere is refused or runs within its limits; the host never panics.
#[test]
fn damaged_components_never_break_the_host() {
    let sandbox = Sandbox::new(SandboxOptions { cache_dir: None, lanes: 1 }).unwrap();
    let whole = villain();
    let mut seed = 7u64;
    let mut next = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut refusals = 0;
    for _ in 0..24 {
        let mut bytes = whole.clone();
        for _ in 0..=next(3) {
            let at = next(bytes.len());
            bytes[at] ^= 1 << next(8);
        }
        refusals += usize::from(admit(&sandbox, &bytes, settings(json!({})), Arc::new(Data::default())).is_err());
    }
    assert!(refusals > 2, "{refusals} of 24 were refused");
}

fn importing(name: &str) -> String {
    refused_text(&format!(r#"(component (import "{name}" (instance)))"#))
}

#[test]
fn imports() {
    insta::assert_snapshot!(importing("wasi:http/outgoing-handler@0.2.6"), @"import: the component imports wasi:http/outgoing-handler@0.2.6, which modules cannot have; allowed are imports of tenter:hooks and of wasi:cli, clocks, filesystem, io, random and sockets 0.2; remove what needs it (outbound requests go through tenter:hooks/http)");
    insta::assert_snapshot!(importing("wasi:cli/environment@0.3.0"), @"import: the component imports wasi:cli/environment@0.3.0, this host has WASI 0.2 alone; build it for wasm32-wasip2 or WASI 0.2");
    insta::assert_snapshot!(importing("evil:host/backdoor"), @"import: the component imports evil:host/backdoor, which modules cannot have; allowed are imports of tenter:hooks and of wasi:cli, clocks, filesystem, io, random and sockets 0.2; remove what needs it (outbound requests go through tenter:hooks/http)");
    insta::assert_snapshot!(importing("tenter:hooks/stat@0.1.0"), @r#"import: the component imports tenter:hooks/stat@0.1.0, which this host does not have, did you mean "state"?; it has types, log, call, state, entities, views, tasks, http, resolver, secrets"#);
    insta::assert_snapshot!(importing("tenter:hooks/log@0.2.0"), @"import: the component imports tenter:hooks/log@0.2.0, this host speaks tenter:hooks/log@0.1.0; build it against version 0.1.0 of the WIT package tenter:hooks");
    insta::assert_snapshot!(refused_text(r#"(component (import "open" (func)))"#), @"import: the component imports open, which modules cannot have; allowed are imports of tenter:hooks and of wasi:cli, clocks, filesystem, io, random and sockets 0.2; remove what needs it (outbound requests go through tenter:hooks/http)");
    let other = r#"(component (import "tenter:hooks/log@0.1.0" (instance (export "write" (func (param "x" u32))))))"#;
    insta::assert_snapshot!(refused_text(other), @"import: an import has another type than this host gives: component imports instance `tenter:hooks/log@0.1.0`, but a matching implementation was not found in the linker: instance export `write` has the wrong type: type mismatch with parameters: expected 2-tuple, found 1-tuple; build against version 0.1.0 of the WIT package tenter:hooks");
}

fn exporting(names: &[&str]) -> String {
    let exports: String = names.iter().map(|n| format!(r#"(export "{n}" (instance $i))"#)).collect();
    refused_text(&format!("(component (instance $i) {exports})"))
}

#[test]
fn exports() {
    insta::assert_snapshot!(exporting(&[]), @"export: the component does not export tenter:hooks/module@0.1.0, which every module has; it exports nothing; build it with one of the Tenter SDKs, or against a world that includes `tenter:hooks/base`");
    insta::assert_snapshot!(exporting(&["init", "exports"]), @"export: the component does not export tenter:hooks/module@0.1.0, which every module has; it exports init, exports; build it with one of the Tenter SDKs, or against a world that includes `tenter:hooks/base`");
    insta::assert_snapshot!(exporting(&["tenter:hooks/module@0.2.0"]), @"export: the component exports tenter:hooks/module@0.2.0, this host speaks tenter:hooks/module@0.1.0; build it against version 0.1.0 of the WIT package tenter:hooks");
    insta::assert_snapshot!(exporting(&["tenter:hooks/module@0.1.0"]), @"export: the component exports tenter:hooks/module@0.1.0, but not with the types of version 0.1.0: instance export `tenter:hooks/module@0.1.0` does not have export `describe`; build it against the WIT package of this host");
}

/// The villain with a name in it changed to another of the same length.
fn renamed(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = villain();
    let places: Vec<_> =
        bytes.windows(from.len()).enumerate().filter(|(_, w)| *w == from.as_bytes()).map(|(i, _)| i).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

#[test]
fn families() {
    let other = renamed("tenter:hooks/ingest@0.1.0", "tenter:hooks/ingest@0.9.0");
    insta::assert_snapshot!(refused(&other), @"export: the component exports tenter:hooks/ingest@0.9.0, this host speaks tenter:hooks/ingest@0.1.0; build it against version 0.1.0 of the WIT package tenter:hooks");
    let none = renamed("tenter:hooks/ingest@0.1.0", "tenter:hooks/digest@0.1.0");
    insta::assert_snapshot!(refused(&none), @"export: the component exports no family of hooks; it exports tenter:villain/things, tenter:hooks/digest@0.1.0, tenter:hooks/module@0.1.0, expected at least one of tenter:hooks/ingest@0.1.0, tenter:hooks/snapshot@0.1.0, tenter:hooks/update@0.1.0, tenter:hooks/schedule@0.1.0, tenter:hooks/cases@0.1.0");
    // The same functions under the name of another family.
    let wrong = renamed("tenter:hooks/ingest@0.1.0", "tenter:hooks/update@0.1.0");
    insta::assert_snapshot!(refused(&wrong), @"export: the component exports tenter:hooks/update@0.1.0, but not with the types of version 0.1.0: instance export `tenter:hooks/update@0.1.0` does not have export `update-record`; build it against the WIT package of this host");
}

#[test]
fn capabilities() {
    insta::assert_snapshot!(refused_config(json!({ "requests": ["stat"] })), @r#"capability: `module.configure` asks for the capability "stat", which does not exist, did you mean "state"?; `tenter grant --help` lists them"#);
    insta::assert_snapshot!(refused_config(json!({ "requests": ["state all"] })), @r#"capability: `module.configure` asks for "state" with the scope "all"; this capability has none, leave it empty"#);
    insta::assert_snapshot!(refused_config(json!({ "requests": ["http"] })), @r#"capability: `module.configure` asks for "http" without a scope; expected METHOD URL-pattern [at NETWORK]"#);
}

#[test]
fn a_wish_for_an_internal_network_is_refused() {
    insta::assert_snapshot!(refused_config(json!({ "requests": ["http GET example.org"] })), @r#"capability: `module.configure` asks for "http" with the scope "GET example.org": an address begins with https:// or http://"#);
    insta::assert_snapshot!(refused_config(json!({ "requests": ["http GET http://intranet/ at 10.0.0.0/8"] })), @r#"capability: `module.configure` asks for "http" with the scope "GET http://intranet/ at 10.0.0.0/8": which internal networks a module may reach is for the operator to say, in a grant; leave "at …" out"#);
    let wishes = json!({ "requests": ["http GET http://intranet/", "http *"] });
    assert_eq!(admit(&sandbox(), &villain(), settings(wishes), Arc::new(Data::default())).unwrap().requests.len(), 2);
}

#[test]
fn configurations() {
    insta::assert_snapshot!(refused_config(json!({ "configure": "fail" })), @"configure: `module.configure` of villain 1.2.3 refuses its configuration (failed): I do not like this; correct modules/villain.yml, or the module");
    let panicked = refused_config(json!({ "configure": "panic" }));
    assert!(
        panicked.starts_with("configure: `module.configure` failed (trap): wasm trap: wasm `unreachable`"),
        "{panicked}"
    );
    assert!(
        panicked.contains("; its log ends with: thread ") && panicked.contains("no configuration for me"),
        "{panicked}"
    );
    insta::assert_snapshot!(refused_config(json!({ "must": 5 })), @"config: modules/villain.yml: the parameter `must` is an integer, expected string");
    let looping = refused_config(json!({ "configure": "loop" }));
    let (said, rest) = looping.split_once(" after ").unwrap();
    assert_eq!(said, "configure: `module.configure` failed (fuel): used 500000000 of 500000000 fuel");
    assert!(rest.contains("raise `limits.fuel`"), "{rest}");
    let bare = tenter_model::module::ModuleSettings::default();
    let error = admit(&sandbox(), &villain(), bare, Arc::new(Data::default())).unwrap_err();
    insta::assert_snapshot!(error.message, @"modules/villain.yml lacks the mandatory parameter `must` (string): must; set it and try again");
}

#[test]
fn subscriptions() {
    let with = |name: &str| refused_config(json!({ "subscriptions": name }));
    insta::assert_snapshot!(with("none"), @"subscriptions: the module subscribes to nothing: `ingest.subscriptions` returned nothing; subscribe to at least one hook");
    insta::assert_snapshot!(with("bad-id"), @r#"subscription: `ingest.subscriptions` returned subscriptions[0].id: subscription id "Bad Id" is not valid: expected a lower-case letter or digit, then lower-case letters, digits, _ . : or -, at most 64 characters"#);
    insta::assert_snapshot!(with("twice"), @r#"subscription: `ingest.subscriptions` returned the id "same" twice; ids are unique in a module, since stored rows name them"#);
    insta::assert_snapshot!(with("unknown-type"), @r#"subscription: `ingest.subscriptions`, subscription "a" to allow-entity-creation: Entity 'ipp' does not exist, did you mean "ip"?"#);
    insta::assert_snapshot!(with("unknown-attribute"), @r#"subscription: `ingest.subscriptions`, subscription "a" to on-new-attribute: Attribute 'hostnam' of entity 'ip' does not exist, did you mean "hostname"?"#);
    insta::assert_snapshot!(with("bad-name"), @r#"subscription: `ingest.subscriptions` returned subscriptions[0].attr: attribute name "host name" is not valid: expected a letter or _, then letters, digits, _ or -, at most 128 characters"#);
    insta::assert_snapshot!(with("no-may-change"), @r#"subscription: `ingest.subscriptions`, subscription "a" to on-new-attribute: `refresh` is set, but `may-change` is empty; name what a re-run may set"#);
    insta::assert_snapshot!(with("bad-path"), @r#"subscription: `ingest.subscriptions`, subscription "a" to on-new-attribute: Invalid path 'hostname->label', failed on 'hostname': it is no relation."#);
    insta::assert_snapshot!(with("bad-last"), @r#"subscription: `ingest.subscriptions`, subscription "a" to on-new-attribute: Invalid path 'asn->nam', failed on 'nam', did you mean "name"?"#);
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
