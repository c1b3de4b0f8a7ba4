//! Uploads that are small and dear: each ends, refused by its parts or by a limit of the process that compiles.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tenter_sandbox::{CompileLimits, Compiler};

use crate::confined::{me, refused};

fn component(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).unwrap()
}

/// One function with many branches, one after the other.
fn ifs(n: usize) -> Vec<u8> {
    let one = "(if (local.get 0) (then (local.set 0 (i32.add (local.get 0) (i32.const 7)))))";
    component(&format!("(func (param i32) {})", one.repeat(n)))
}

/// One function with many branches inside each other, which costs more than by their number.
fn nested(n: usize) -> Vec<u8> {
    component(&format!("(func (param i32) {} {})", "local.get 0 if ".repeat(n), "end ".repeat(n)))
}

/// One function of many operations that need each other, 12 bytes each.
fn operations(n: usize) -> Vec<u8> {
    let one = "local.get 0 i32.const 1234567 i32.xor local.get 1 i32.add local.set 0 ";
    component(&format!("(func (param i32 i32) {})", one.repeat(n)))
}

/// Many functions that do next to nothing, each another thing.
fn functions(n: usize) -> Vec<u8> {
    let mut all = String::new();
    for i in 0..n {
        write!(all, "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const {i})))").unwrap();
    }
    component(&all)
}

/// `n` components, each of which makes two instances of the one inside it.
fn doubling(n: usize) -> Vec<u8> {
    let mut text = "(component $c (core module $m) (core instance (instantiate $m)))".to_owned();
    for _ in 0..n {
        text = format!("(component $c {text} (instance (instantiate $c)) (instance (instantiate $c)))");
    }
    wat::parse_str(text).unwrap()
}

fn within(cpu_seconds: u64, memory_mib: u64, wall_ms: u64) -> Compiler {
    let limits = CompileLimits { cpu_seconds, memory_bytes: memory_mib << 20, wall: Duration::from_millis(wall_ms) };
    Compiler::Child { program: me(), limits }
}

pub(crate) fn each_limit_has_its_words() {
    let bomb = ifs(40_000);
    assert_eq!(
        refused(within(1, 4096, 600_000), &bomb),
        "compile-limit: the component is too dear: compiling it takes more than 1 s of processor time; split large functions and leave out what is not used"
    );
    assert_eq!(
        refused(within(60, 200, 600_000), &bomb),
        "compile-limit: the component is too dear: compiling it needs more than 200 MiB of memory; split large functions and leave out what is not used"
    );
    assert_eq!(
        refused(within(60, 4096, 100), &bomb),
        "compile-limit: the component is too dear: compiling it takes longer than 0 s; split large functions and leave out what is not used"
    );
}

/// With a second of processor time and a quarter of the memory, so that the test is short. `docs/limits.md` has what
/// the same bombs do within the usual limits.
pub(crate) fn bombs_end() {
    let mut bombs = vec![
        ("20000 branches", ifs(20_000), "compile-limit"),
        ("20000 branches inside each other", nested(20_000), "compile-limit"),
        ("150000 operations", operations(150_000), "parts"),
        ("100000 functions", functions(100_000), "parts"),
        ("2^12 instances", doubling(12), "parts"),
    ];
    if std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full") {
        bombs.push(("400000 functions", functions(400_000), "parts"));
    }
    for (what, bytes, code) in bombs {
        let begun = Instant::now();
        let said = refused(within(1, 256, 600_000), &bytes);
        println!("{what}: {} bytes, {} ms: {said}", bytes.len(), begun.elapsed().as_millis());
        assert!(said.starts_with(&format!("{code}: ")), "{what}: {said}");
    }
}
