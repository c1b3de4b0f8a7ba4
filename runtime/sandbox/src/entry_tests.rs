//! Small hostile components, entered directly: what a Rust guest cannot do.

use std::sync::Arc;

use tenter_model::host::{NoData, Reason};
use tenter_model::id::ModuleName;
use tenter_model::limits::CallLimits;
use tenter_model::module::ModuleSettings;
use tenter_model::{Schema, hook::Family};
use wasmtime::component::{Component, Linker, ResourceTable};

use super::*;
use crate::guest::{CallState, ModuleFacts};
use crate::limits::Growth;
use crate::wasi;

pub(crate) fn room(engine: &Engine) -> Room {
    let (clock, printed) = (wasi::CallClock::default(), wasi::Printed::default());
    let facts = ModuleFacts {
        name: ModuleName::new("villain").unwrap(),
        settings: ModuleSettings::default(),
        schema: Schema::default(),
        schema_json: "{}".into(),
        outside: Arc::new(tenter_model::egress::Nowhere),
    };
    let guest = Guest {
        wasi: wasi::context(&clock, &printed, None).0,
        folders: crate::guest::Reading::default(),
        table: ResourceTable::new(),
        growth: Growth::default(),
        call: CallState::new(clock, printed),
        facts: Arc::new(facts),
        data: Arc::new(NoData),
    };
    Room::new(engine, guest)
}

pub(crate) fn limits() -> CallLimits {
    CallLimits { fuel: 5_000_000, ..CallLimits::of(Family::Ingest) }
}

/// Instantiates the text and calls its export `f`, if there is one.
fn enter(text: &str, limits: CallLimits) -> Result<(), HookFailure> {
    let engine = crate::engine::start(1).unwrap();
    let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    let mut room = room(&engine);
    let result = room.enter(Stage::Start, limits, |store| {
        let instance = Linker::new(&engine).instantiate(&mut *store, &component)?;
        if instance.get_func(&mut *store, "f").is_some() {
            instance.get_typed_func::<(), (String,)>(&mut *store, "f")?.call(&mut *store, ())?;
        }
        Ok(())
    });
    assert!(room.take_usage().fuel <= limits.fuel + 1000);
    result
}

pub(crate) fn core(body: &str) -> String {
    format!("(component (core module $m {body}) (core instance (instantiate $m)))")
}

#[track_caller]
fn refused(text: &str, reason: Reason, says: &str) {
    let failure = enter(text, limits()).unwrap_err();
    assert_eq!(failure.reason, reason, "{failure:?}");
    assert!(failure.message.contains(says), "{}", failure.message);
    assert!(failure.message.contains(reason.hint()), "{}", failure.message);
}

const LOOP: &str = "(func $f (loop $l (br $l))) (start $f)";

#[test]
fn a_loop_in_the_start_function_runs_out_of_fuel() {
    refused(&core(LOOP), Reason::Fuel, "used 5000000 of 5000000 fuel");
}

#[test]
fn with_fuel_for_ever_the_deadline_ends_it() {
    let limits = CallLimits { fuel: u64::MAX >> 1, deadline_ms: 30, ..limits() };
    let failure = enter(&core(LOOP), limits).unwrap_err();
    assert_eq!(failure.reason, Reason::Deadline, "{failure:?}");
    assert!(failure.message.contains("of 30 ms; "), "{}", failure.message);
}

#[test]
fn recursion_fills_the_stack() {
    refused(&core("(func $f (call $f)) (start $f)"), Reason::Stack, "the stack");
}

#[test]
fn memories_of_many_modules_are_summed() {
    let one = "(core module $m (memory 600)) ";
    let two = format!("(component {one} (core instance (instantiate $m)) (core instance (instantiate $m)))");
    refused(&two, Reason::Memory, "linear memories would grow to 78643200 of 67108864 bytes");
    let raised = CallLimits { memory_bytes: 80 << 20, ..limits() };
    enter(&two, raised).unwrap();
}

#[test]
fn a_memory_that_grows_is_stopped() {
    let grow = "(memory 1) (func $f (drop (memory.grow (i32.const 65535)))) (start $f)";
    refused(&core(grow), Reason::Memory, "of 67108864 bytes");
}

#[test]
fn tables_that_grow_are_stopped() {
    let grow = "(table 1 funcref) (func $f (drop (table.grow (ref.null func) (i32.const 1000000)))) (start $f)";
    refused(&core(grow), Reason::Table, "tables would grow to 1000001 of 20000 elements");
    let small = "(table 1 funcref) (func $f (drop (table.grow (ref.null func) (i32.const 30000)))) (start $f)";
    enter(&core(small), CallLimits { table_elements: 40_000, ..limits() }).unwrap();
}

#[test]
fn filling_memory_costs_fuel_by_the_byte() {
    let fill = "(memory 900) (func $f (memory.fill (i32.const 0) (i32.const 1) (i32.const 58000000))) (start $f)";
    refused(&core(fill), Reason::Fuel, "fuel");
}

#[test]
fn too_many_core_instances() {
    let many = "(core instance (instantiate $m))".repeat(65);
    refused(&format!("(component (core module $m) {many})"), Reason::Instances, "instance count too high at 65");
}

/// Pins the text that handles are recognised by.
#[test]
fn handles_are_counted() {
    let text = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (func $f (loop $l (drop (call $new (i32.const 1))) (br $l)))
            (start $f))
        (core instance (instantiate $m (with "" (instance (export "new" (func $new)))))))"#;
    refused(text, Reason::Handles, "more than 1000 resources are open");
}

/// A component whose `f` returns the string at this address with this length.
pub(crate) fn string(address: u32, len: u32, data: &str) -> String {
    format!(
        r#"(component
        (core module $m
            (memory (export "m") 400)
            (data (i32.const 16) "{data}")
            (func (export "f") (result i32)
                (i32.store (i32.const 8) (i32.const {address}))
                (i32.store (i32.const 12) (i32.const {len}))
                (i32.const 8)))
        (core instance $i (instantiate $m))
        (func (export "f") (result string)
            (canon lift (core func $i "f") (memory (core memory $i "m")))))"#
    )
}

/// Pins the text that hostcall fuel is recognised by.
#[test]
fn bytes_to_the_host_are_bounded() {
    refused(&string(16, 2_000_000, "x"), Reason::HostcallFuel, "more than 1048576 bytes would pass");
    enter(&string(16, 2_000_000, ""), CallLimits { hostcall_bytes: 4 << 20, ..limits() }).unwrap();
}

#[test]
fn malformed_values_are_told_apart_from_traps() {
    enter(&string(16, 2, "ok"), limits()).unwrap();
    refused(&string(16, 2, "\\ff\\fe"), Reason::Abi, "utf-8");
    refused(&string(u32::MAX - 8, 100, ""), Reason::Abi, "out of bounds");
    refused(&core("(func $f unreachable) (start $f)"), Reason::Trap, "unreachable");
}

#[test]
fn a_panic_of_the_host_costs_one_call() {
    let engine = crate::engine::start(1).unwrap();
    let failure = room(&engine).enter::<()>(Stage::Hook, limits(), |_| panic!("a bug")).unwrap_err();
    assert_eq!(failure.reason, Reason::Host);
    assert_eq!(failure.message, "the host panicked during the call: a bug");
}

#[test]
fn a_full_pool_is_the_hosts_fault() {
    let engine = crate::engine::start(1).unwrap();
    let component = Component::new(&engine, wat::parse_str(core("(memory 1)")).unwrap()).unwrap();
    let mut rooms = Vec::new();
    let failure = loop {
        let mut next = room(&engine);
        let made = next.enter(Stage::Start, limits(), |store| Linker::new(&engine).instantiate(store, &component));
        match made {
            Ok(_) => rooms.push(next),
            Err(failure) => break failure,
        }
        assert!(rooms.len() < 5000, "the pool has no end");
    };
    assert_eq!(failure.reason, Reason::Host, "{failure:?}");
    assert!(failure.message.contains("all slots for instances are in use"), "{}", failure.message);
}

/// Only `entry.rs` holds a store, and nothing calls a guest but through it.
#[test]
fn there_is_one_door() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let name = entry.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains("tests") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&entry).unwrap();
            let stores = text.matches("Store::new").count() + text.matches("catch_unwind(").count();
            assert_eq!(stores, if name == "entry.rs" { 2 } else { 0 }, "{name} makes a store or catches panics");
            let enters =
                ["instance.rs", "hooks.rs", "prepared.rs", "admit.rs", "subscriptions.rs"].contains(&name.as_str());
            for needle in [".call_", ".instantiate("] {
                let calls = text.matches(needle).count()
                    - text.matches(".call_limits(").count() * usize::from(needle == ".call_");
                assert!(enters || calls == 0, "{name} calls a guest; only work passed to `Room::enter` may");
            }
        }
    }
    assert!(seen > 20, "the source was not found");
}
