//! The zoo of hostile modules: how each ends, and that it does not end so for another cause.
//!
//! Every row is made twice: as it is, which must give the reason code, and with its limit lifted or its misbehaviour
//! switched off, which must not. Rows that another test holds are listed with its name, and the list is checked
//! against the sources. Z47 and the bounds on other modules' times have no row: they are matters of load, not of the
//! sandbox.

use std::sync::Arc;

use serde_json::json;
use tenter_model::capability::Grant;

use crate::support::{Data, Host, admit, sandbox, settings, villain};

enum Animal {
    /// The villain acts, under these limits.
    Acts(&'static [(&'static str, u64)], &'static str),
    /// The villain acts with the grant `state` and so many bytes stored already.
    Keeps(u64, &'static str),
    /// The rogue acts in a correlation.
    Correlates(&'static [(&'static str, u64)], &'static str),
    /// An upload.
    Upload(Vec<u8>),
}
use Animal::{Acts, Correlates, Keeps, Upload};

fn outcome(animal: &Animal) -> String {
    let (limits, stored, act) = match animal {
        Upload(bytes) => {
            let admitted = admit(&sandbox(), bytes, settings(json!({})), Arc::new(Data::default()));
            return admitted.map_or_else(|e| e.code.to_owned(), |_| "ok".to_owned());
        }
        Correlates(limits, act) => {
            let limits = limits.iter().map(|(name, value)| ((*name).to_owned(), *value));
            let mut host = crate::prepared::rogue(|settings| settings.limits.extend(limits));
            let done = crate::families::correlate(&mut host, act, None);
            assert_eq!(crate::prepared::sweep(&mut host, "memory"), [""; 0]);
            return done.outcome.map_or_else(|f| f.reason.code().to_owned(), |_| "ok".to_owned());
        }
        Acts(limits, act) => (*limits, None, *act),
        Keeps(stored, act) => (&[][..], Some(*stored), *act),
    };
    let mut settings = settings(json!({}));
    settings.limits.extend(limits.iter().map(|(name, value)| ((*name).to_owned(), *value)));
    settings.grants.extend(stored.map(|_| Grant { capability: "state".into(), scope: String::new() }));
    let mut host = Host::new(settings);
    *host.data.bytes.lock().unwrap() = stored.unwrap_or(0);
    let done = host.act(act);
    // Whatever it did, the next call is served.
    assert_eq!(host.tags("count").len(), 1);
    done.outcome.map_or_else(|f| f.reason.code().to_owned(), |_| "ok".to_owned())
}

fn text(text: &str) -> Animal {
    Upload(wat::parse_str(text).unwrap())
}

fn core(body: &str) -> Animal {
    text(&format!("(component (core module $m {body}))"))
}

fn instances(n: usize) -> Animal {
    core(&format!(") {}(core module", "(core instance (instantiate $m)) ".repeat(n)))
}

fn upload(bytes: &[u8]) -> Animal {
    Upload(bytes.to_vec())
}

const ROOM: &[(&str, u64)] = &[("memory_bytes", 256 << 20), ("fuel", 2_000_000_000), ("deadline_ms", 60_000)];
const WIDE: &[(&str, u64)] =
    &[("memory_bytes", 256 << 20), ("fuel", 2_000_000_000), ("deadline_ms", 60_000), ("hostcall_bytes", 100 << 20)];

/// Number, the animal, how it ends, the same without its mischief, how that ends. An empty component is no module, so
/// that it ends with `export`.
fn zoo() -> Vec<(u8, Animal, &'static str, Animal, &'static str)> {
    let whole = villain();
    let functions = |n| core(&"(func)".repeat(n));
    let elements = |n| core(&format!("(table 1 funcref) (func $f) (elem func {})", "$f ".repeat(n)));
    let body = |n| core(&format!("(func {})", "nop ".repeat(n)));
    vec![
        (1, Acts(&[], "loop"), "fuel", Acts(&[], "work 1000"), "ok"),
        (1, Acts(&[("fuel", u64::MAX >> 1), ("deadline_ms", 50)], "loop"), "deadline", Acts(&[], "work 1000"), "ok"),
        (1, Acts(&[], "work 20000000"), "fuel", Acts(ROOM, "work 20000000"), "ok"),
        (4, Acts(&[], "recurse-slim"), "stack", Acts(&[], "count"), "ok"),
        (4, Acts(&[], "recurse"), "stack", Acts(&[], "count"), "ok"),
        (6, Acts(&[], "hold 100"), "memory", Acts(ROOM, "hold 100"), "ok"),
        (7, core("(memory 32768)"), "parts", core("(memory 1)"), "export"),
        (10, instances(1_000), "parts", instances(10), "export"),
        (10, instances(129), "compile", instances(100), "export"),
        (11, Acts(ROOM, "string 52428800"), "hostcall-fuel", Acts(WIDE, "string 52428800"), "ok"),
        (14, Acts(&[], "nan"), "invalid-output", Acts(&[], "time 0"), "ok"),
        (14, Acts(&[], "infinite-confidence"), "invalid-output", Acts(&[], "t1-t2 1 2"), "ok"),
        (14, Acts(&[], "time 9223372036854775807"), "invalid-output", Acts(&[], "time 1700000000000000"), "ok"),
        (14, Acts(&[], "time -9223372036854775808"), "invalid-output", Acts(&[], "time 0"), "ok"),
        (14, Acts(&[], "t1-t2 2 1"), "invalid-output", Acts(&[], "t1-t2 1 1"), "ok"),
        (11, Correlates(ROOM, "text 52428800"), "hostcall-fuel", Correlates(WIDE, "text 52428800"), "ok"),
        (11, Correlates(ROOM, "values 1000000"), "hostcall-fuel", Correlates(WIDE, "values 1000000"), "ok"),
        (14, Correlates(&[], "confidence NaN"), "invalid-output", Correlates(&[], "confidence 0.5"), "ok"),
        (14, Correlates(&[], "confidence 1.5"), "invalid-output", Correlates(&[], "confidence 1"), "ok"),
        (15, Correlates(&[], "deep 100000"), "invalid-output", Correlates(&[], "deep 32"), "ok"),
        (16, Correlates(&[], "attr a/../b"), "invalid-output", Correlates(&[], "attr ab"), "ok"),
        (15, Acts(&[], "deep-json"), "invalid-output", Acts(&[], "string 3"), "ok"),
        (16, Acts(ROOM, "eid 1000000"), "invalid-output", Acts(ROOM, "eid 10"), "ok"),
        (16, Acts(&[], "bad-eid"), "invalid-output", Acts(&[], "eid 3"), "ok"),
        (17, Acts(&[], "host-calls 10000000"), "host-calls", Acts(&[], "host-calls 10"), "ok"),
        (18, Acts(ROOM, "host-bytes 67108864"), "hostcall-fuel", Acts(WIDE, "host-bytes 67108864"), "ok"),
        (19, Acts(&[], "no such act"), "failed", Acts(&[], "log 500"), "ok"),
        (20, body(7_000_000), "parts", body(1_000), "export"),
        (21, functions(100_000), "parts", functions(10), "export"),
        (22, elements(300_000), "parts", elements(10), "export"),
        (24, upload(b"\x1f\x8b\x08 a stream that grows"), "form", upload(&whole), "ok"),
        (25, Acts(&[], "handles 1001"), "handles", Acts(&[("handles", 5_000)], "handles 1001"), "ok"),
        (26, Acts(&[], "tasks 257"), "output-count", Acts(&[], "tasks 256"), "ok"),
        (26, Correlates(&[], "changes 10001"), "output-count", Correlates(&[], "changes 10000"), "ok"),
        (26, Correlates(&[], "tasks 10001"), "output-count", Correlates(&[], "tasks 10000"), "ok"),
        (27, Correlates(&[], "late-error 200"), "invalid-output", Correlates(&[], "changes 200"), "ok"),
        (27, Acts(&[], "late-error 200"), "invalid-output", Acts(&[], "tasks 200"), "ok"),
        (42, core(""), "export", upload(&whole), "ok"),
        (42, text(r#"(component (import "wasi:http/types@0.2.0" (instance)))"#), "import", upload(&whole), "ok"),
        (43, text("(module)"), "form", upload(&whole), "ok"),
        (43, upload(b"\x7fELF\x02\x01\x01"), "form", upload(&whole), "ok"),
        (43, upload(&whole[..whole.len() / 2]), "compile", upload(&whole), "ok"),
        (43, upload(b""), "form", upload(&whole), "ok"),
        (44, core("(memory i64 1)"), "feature", core("(memory 1)"), "export"),
        (44, core("(memory 1 2 shared)"), "feature", core("(memory 1 2)"), "export"),
        (44, core("(memory 1) (memory 1)"), "feature", core("(memory 1)"), "export"),
        (44, core("(type (struct))"), "feature", core("(type (func))"), "export"),
        (44, core("(tag $t) (func (throw $t))"), "feature", core("(func unreachable)"), "export"),
        (45, Keeps((64 << 20) - 100, "state-or-fail 200"), "kv-quota", Keeps(0, "state-or-fail 200"), "ok"),
        (50, Acts(&[], "panic"), "trap", Acts(&[], "count"), "ok"),
        (50, Acts(&[], "allocate 2000000000"), "memory", Acts(&[], "allocate 2000000"), "ok"),
    ]
}

#[test]
fn each_ends_for_its_reason_and_without_the_mischief_otherwise() {
    for (z, hostile, code, benign, otherwise) in zoo() {
        assert_eq!(outcome(&hostile), code, "Z{z}");
        assert_ne!(code, otherwise, "Z{z} proves nothing");
        assert_eq!(outcome(&benign), otherwise, "Z{z} without its mischief");
    }
}

/// Rows that other tests hold: number, file from the root, test.
const ELSEWHERE: &[(u8, &str, &str)] = &[
    (2, "runtime/sandbox/src/entry_zoo_tests.rs", "each_ends_for_its_reason_and_without_the_mischief_well"),
    (3, "runtime/sandbox/src/entry_zoo_tests.rs", "each_ends_for_its_reason_and_without_the_mischief_well"),
    (5, "runtime/sandbox/src/entry_zoo_tests.rs", "each_ends_for_its_reason_and_without_the_mischief_well"),
    (8, "runtime/sandbox/src/entry_zoo_tests.rs", "each_ends_for_its_reason_and_without_the_mischief_well"),
    (9, "runtime/sandbox/src/entry_zoo_tests.rs", "each_ends_for_its_reason_and_without_the_mischief_well"),
    (10, "runtime/sandbox/src/entry_tests.rs", "too_many_core_instances"),
    (12, "runtime/sandbox/src/entry_zoo_tests.rs", "aliased_texts_are_refused_at_once"),
    (13, "runtime/sandbox/src/entry_zoo_tests.rs", "each_ends_for_its_reason_and_without_the_mischief_well"),
    (19, "runtime/sandbox/tests/sandbox/capabilities.rs", "a_flood_of_log_lines_is_cut_and_escaped"),
    (23, "runtime/sandbox/tests/compiler/bombs.rs", "each_limit_has_its_words"),
    (28, "runtime/engine/tests/flow.rs", "grants_decide_what_may_be_written_and_removed"),
    (29, "runtime/engine/tests/flow.rs", "a_hook_that_feeds_itself_ends_in_a_dead_letter_that_names_it"),
    (30, "tests/e2e/hostile.rs", "a_hook_that_feeds_itself_ends_in_a_dead_letter"),
    (31, "tests/e2e/hostile.rs", "descendants_beyond_the_budget_are_dead_letters"),
    (32, "runtime/sandbox/tests/sandbox/capabilities.rs", "nothing_of_the_world_outside_is_seen"),
    (33, "runtime/sandbox/tests/sandbox/capabilities.rs", "nothing_of_the_world_outside_is_seen"),
    (34, "runtime/sandbox/tests/sandbox/capabilities.rs", "nothing_of_the_world_outside_is_seen"),
    (35, "runtime/sandbox/tests/sandbox/capabilities.rs", "nothing_of_the_world_outside_is_seen"),
    (36, "runtime/sandbox/tests/sandbox/warmth.rs", "a_call_is_a_function_of_its_id_and_time"),
    (
        37,
        "runtime/server/src/egress/tests.rs",
        "an_address_that_is_not_of_the_internet_is_refused_before_anything_is_connected",
    ),
    (37, "tests/e2e/egress.rs", "a_module_reaches_what_is_granted_and_nothing_else"),
    (38, "runtime/server/src/egress/tests.rs", "a_redirect_is_not_followed"),
    (38, "tests/e2e/egress.rs", "where_a_redirect_leads_is_granted_or_refused"),
    (39, "runtime/server/src/egress/tests.rs", "a_name_is_resolved_once_and_the_connection_goes_to_what_passed"),
    (40, "runtime/engine/tests/flow.rs", "a_hook_that_keeps_breaking_rules_is_paused_and_released"),
    (41, "runtime/sandbox/tests/sandbox/prepared.rs", "a_module_that_cannot_be_prepared_again_serves_without"),
    (42, "runtime/sandbox/tests/sandbox/admission.rs", "exports"),
    (44, "runtime/sandbox/src/admit/features.rs", "refused_features_are_named"),
    (46, "runtime/sandbox/tests/sandbox/zoo.rs", "state_is_asked_for_in_the_name_of_the_module"),
    (48, "tests/crash/main.rs", "what_was_answered_survives_kills_under_load_exactly_once"),
    (49, "runtime/sandbox/tests/sandbox/zoo.rs", "no_import_leads_back_into_a_hook"),
];

#[test]
fn the_others_are_held_where_the_table_says() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (z, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("Z{z}: {file}: {e}"));
        assert!(text.contains(&format!("fn {test}(")), "Z{z}: {file} has no {test}");
    }
    let mut held: Vec<u8> = zoo().iter().map(|row| row.0).chain(ELSEWHERE.iter().map(|row| row.0)).collect();
    held.sort_unstable();
    held.dedup();
    let expected: Vec<u8> = (1..=50).filter(|z| *z != 47).collect();
    assert_eq!(held, expected);
}

/// Z46: a guest cannot say whose state it means; the host puts the module's name in.
#[test]
fn state_is_asked_for_in_the_name_of_the_module() {
    struct Owned;
    impl tenter_model::host::HostData for Owned {
        fn read_record(
            &self,
            _: &tenter_model::id::EntityRef,
        ) -> Result<Option<tenter_model::record::MasterRecord>, String> {
            Ok(None)
        }
        fn is_known(&self, _: &tenter_model::id::EntityRef) -> Result<bool, String> {
            Ok(false)
        }
        fn state_get(
            &self,
            module: &tenter_model::id::ModuleName,
            key: &str,
            _: tenter_model::Timestamp,
        ) -> Result<Option<(Vec<u8>, u64)>, String> {
            Ok((module.as_str() == "other" && key == "k").then(|| (b"theirs".to_vec(), 1)))
        }
        fn state_keys(
            &self,
            module: &tenter_model::id::ModuleName,
            _: &str,
            _: Option<&str>,
            _: u32,
            _: tenter_model::Timestamp,
        ) -> Result<Vec<String>, String> {
            Ok(if module.as_str() == "other" { vec!["k".into()] } else { Vec::new() })
        }
        fn state_bytes(&self, _: &tenter_model::id::ModuleName) -> Result<u64, String> {
            Ok(0)
        }
    }
    let mut host = Host::granted(&[("state", "")]);
    host.lane = host.sandbox.lane(Arc::new(Owned));
    assert_eq!(host.tags("state get:k get:other/k keys:"), ["Ok(None)", "Ok(None)", "Ok([])"]);
    let theirs = host.module.settings.clone();
    host.module = admit_as(&host.sandbox, "other", theirs).into();
    host.lane = host.sandbox.lane(Arc::new(Owned));
    assert_eq!(host.tags("state get:k"), ["Ok(Some(\"theirs\"))"]);
}

fn admit_as(
    sandbox: &tenter_sandbox::Sandbox,
    name: &str,
    settings: tenter_model::module::ModuleSettings,
) -> tenter_model::module::LoadedModule {
    let request = tenter_sandbox::AdmitRequest {
        name: tenter_model::id::ModuleName::new(name).unwrap(),
        bytes: &villain(),
        settings,
        schema: &crate::support::schema(),
        schema_json: "{}".into(),
        now: crate::support::NOW,
    };
    sandbox.admit(request, Arc::new(Data::default())).unwrap()
}

/// Z49: what a guest can import offers no function that calls a hook, and one lane calls one guest at a time.
#[test]
fn no_import_leads_back_into_a_hook() {
    let wit =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/host.wit")).unwrap();
    let hooks = tenter_model::hook::TABLE.iter().map(|row| row.kind.name());
    for hook in hooks {
        assert!(!wit.contains(&format!("  {hook}: func(")), "{hook} can be imported");
    }
}
