//! Hostile guests written by hand, for what no compiler of a language would make. Each row names its number in the
//! table of `tests/sandbox/zoo.rs`, how it ends, and the same guest without the mischief, which ends well.

use tenter_model::host::HookFailure;
use tenter_model::limits::CallLimits;
use wasmtime::component::{Component, Linker};

use super::tests::{core, limits, room, string};
use crate::guest::Stage;

/// What `f` of the component takes and gives.
#[derive(Clone, Copy)]
enum Shape {
    Nothing,
    Text,
    Texts,
    Takes,
}

fn enter(shape: Shape, text: &str, limits: CallLimits) -> Result<(), HookFailure> {
    let engine = crate::engine::start(1).unwrap();
    let component = Component::new(&engine, wat::parse_str(text).unwrap()).unwrap();
    room(&engine).enter(Stage::Start, limits, |store| {
        let instance = Linker::new(&engine).instantiate(&mut *store, &component)?;
        match shape {
            Shape::Nothing => Ok(()),
            Shape::Text => instance.get_typed_func::<(), (String,)>(&mut *store, "f")?.call(store, ()).map(drop),
            Shape::Texts => instance.get_typed_func::<(), (Vec<String>,)>(&mut *store, "f")?.call(store, ()).map(drop),
            Shape::Takes => instance.get_typed_func::<(&str,), ()>(&mut *store, "f")?.call(store, ("twelve bytes",)),
        }
    })
}

/// `f` takes a text; this allocates room for it.
fn takes(realloc: &str) -> String {
    format!(
        r#"(component
        (core module $m
            (memory (export "m") 1)
            (func (export "r") (param i32 i32 i32 i32) (result i32) {realloc})
            (func (export "f") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "f") (param "t" string)
            (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))"#
    )
}

/// `f` gives a text, and this runs after it.
fn after(cleanup: &str) -> String {
    string(16, 2, "ok")
        .replace(
            r#"(func (export "f") (result i32)"#,
            &format!(r#"(func (export "p") (param i32) {cleanup}) (func (export "f") (result i32)"#),
        )
        .replace(
            r#"(memory (core memory $i "m"))"#,
            r#"(memory (core memory $i "m")) (post-return (core func $i "p"))"#,
        )
}

/// `f` gives a list of so many texts, all of them the same bytes.
fn aliased(count: u32, len: u32) -> String {
    format!(
        r#"(component
        (core module $m
            (memory (export "m") 64)
            (func (export "f") (result i32) (local i32)
                (loop $l
                    (i32.store (i32.add (i32.const 1024) (i32.mul (local.get 0) (i32.const 8))) (i32.const 0))
                    (i32.store (i32.add (i32.const 1028) (i32.mul (local.get 0) (i32.const 8))) (i32.const {len}))
                    (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                    (br_if $l (i32.lt_u (local.get 0) (i32.const {count}))))
                (i32.store (i32.const 8) (i32.const 1024))
                (i32.store (i32.const 12) (i32.const {count}))
                (i32.const 8)))
        (core instance $i (instantiate $m))
        (func (export "f") (result (list string)) (canon lift (core func $i "f") (memory (core memory $i "m")))))"#
    )
}

/// Two functions that call each other through a table, with many locals each, so deep.
fn mutual(depth: u32) -> String {
    let locals = "i64 ".repeat(50);
    let used: String =
        (1..50).map(|i| format!("(local.set {i} (i64.add (local.get {}) (i64.load (i32.const 0))))", i + 1)).collect();
    let body = |to: u32| {
        format!(
            "(func (param i32) (local {locals}) {used} (if (i32.lt_u (local.get 0) (i32.const {depth})) (then \
             (call_indirect (type $t) (i32.add (local.get 0) (i32.const 1)) (i32.const {to})))) \
             (i64.store (i32.const 0) (local.get 1)))"
        )
    };
    core(&format!(
        "(type $t (func (param i32))) (memory 1) (table 2 funcref) (elem (i32.const 0) 0 1) {} {} \
         (func $s (call 0 (i32.const 0))) (start $s)",
        body(1),
        body(0)
    ))
}

fn handles(count: u32) -> String {
    format!(
        r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
            (import "" "new" (func $new (param i32) (result i32)))
            (func $f (local i32) (loop $l
                (drop (call $new (i32.const 1)))
                (local.set 0 (i32.add (local.get 0) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get 0) (i32.const {count})))))
            (start $f))
        (core instance (instantiate $m (with "" (instance (export "new" (func $new)))))))"#
    )
}

/// Fills so much memory, so often.
fn fill(bytes: u32, times: u32) -> String {
    core(&format!(
        "(memory 900) (func $f (local i32) (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const {bytes})) \
         (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br_if $l (i32.lt_u (local.get 0) (i32.const {times})))))\
         (start $f)"
    ))
}

fn grow(kind: &str, by: u32) -> String {
    let init = if kind == "table" { "(ref.null func)" } else { "" };
    let part = if kind == "table" { "(table 1 funcref)" } else { "(memory 1)" };
    core(&format!("{part} (func $f (drop ({kind}.grow {init} (i32.const {by})))) (start $f)"))
}

const START: &str = "(func $f (loop $l (br $l))) (start $f)";
const NO_START: &str = "(func $f (loop $l)) (start $f)";
const LOOP: &str = "(loop $l (br $l)) (i32.const 64)";

#[test]
fn each_ends_for_its_reason_and_without_the_mischief_well() {
    use Shape::{Nothing, Takes, Text, Texts};
    for (z, shape, hostile, reason, benign) in [
        (2, Nothing, core(START), "fuel", core(NO_START)),
        (3, Takes, takes(LOOP), "fuel", takes("(i32.const 64)")),
        (3, Text, after("(loop $l (br $l))"), "fuel", after("(loop $l)")),
        (5, Nothing, mutual(1_000_000), "stack", mutual(50)),
        (6, Nothing, grow("memory", 65_535), "memory", grow("memory", 10)),
        (8, Nothing, fill(58_000_000, 1), "fuel", fill(1_000, 1)),
        (8, Nothing, fill(100_000, 100_000), "fuel", fill(100_000, 10)),
        (9, Nothing, grow("table", 1_000_000), "table", grow("table", 10_000)),
        (12, Texts, aliased(100_000, 1_000_000), "hostcall-fuel", aliased(10, 1_000)),
        (13, Text, string(16, 2, "\\ff\\fe"), "abi", string(16, 2, "ok")),
        (13, Text, string(u32::MAX - 8, 100, ""), "abi", string(16, 100, "")),
        (13, Text, string(16, 2, "ok").replace("(i32.const 8)))", "(i32.const 9)))"), "abi", string(16, 2, "ok")),
        (13, Takes, takes("(i32.const -4)"), "abi", takes("(i32.const 64)")),
        (25, Nothing, handles(1_000_000), "handles", handles(100)),
        (50, Takes, takes("unreachable"), "trap", takes("(i32.const 64)")),
    ] {
        let failure = enter(shape, &hostile, limits()).expect_err(&format!("Z{z}"));
        assert_eq!(failure.reason.code(), reason, "Z{z}: {failure:?}");
        enter(shape, &benign, limits()).unwrap_or_else(|f| panic!("Z{z} without the mischief: {f:?}"));
    }
}

/// The list's bytes would be 100 GB: nothing of them is copied before the limit is seen.
#[test]
fn aliased_texts_are_refused_at_once() {
    let begun = std::time::Instant::now();
    enter(Shape::Texts, &aliased(100_000, 1_000_000), limits()).unwrap_err();
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
