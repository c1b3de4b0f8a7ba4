//! Uploads at random: whatever the bytes, they are refused or run within their limits, and the host never panics.
//!
//! Random bytes, damaged components, and valid modules that wasm-smith makes. `TENTER_EXTENT=full` makes 10 000 of them,
//! `TENTER_SEED` repeats a run.

#![allow(clippy::disallowed_methods, reason = "the extent of a test comes from the environment")]

use arbitrary::Unstructured;
use wasmtime::component::{Component, Linker};

use super::{features, form, scan};
use crate::entry::tests::{limits, room};
use crate::guest::{Random, Stage};

const SMALL: &[&str] = &[
    r#"(component (core module $m (memory (export "m") 1) (func (export "f") (result i32) (i32.const 8)))
        (core instance $i (instantiate $m))
        (func (export "f") (result string) (canon lift (core func $i "f") (memory (core memory $i "m")))))"#,
    "(component (component $c (core module $m (func $s) (start $s)) (core instance (instantiate $m))) \
     (instance (instantiate $c)) (alias outer 0 0 (component $d)) (instance (instantiate $d)))",
    r#"(component (type $r (resource (rep i32))) (core func $new (canon resource.new $r))
        (core module $m (import "" "new" (func $new (param i32) (result i32))) (table 3 funcref)
            (func $f (drop (call $new (i32.const 1)))) (elem (i32.const 0) $f) (start $f))
        (core instance (instantiate $m (with "" (instance (export "new" (func $new)))))))"#,
];

/// A component of one module, which it makes an instance of.
fn wrapped(module: &[u8]) -> Vec<u8> {
    let mut out = b"\0asm\x0d\0\x01\0\x01".to_vec();
    let mut len = module.len();
    while len >= 0x80 {
        out.push(0x80 | u8::try_from(len & 0x7f).unwrap());
        len >>= 7;
    }
    out.push(u8::try_from(len).unwrap());
    out.extend_from_slice(module);
    // Section of core instances: one, made of module 0 without arguments.
    out.extend_from_slice(&[2, 4, 1, 0, 0, 0]);
    out
}

/// `plain`: with the features that are on alone.
fn smith(random: &mut Random, plain: bool) -> Vec<u8> {
    let seed = random.bytes(2048);
    let config = wasm_smith::Config {
        max_imports: 0,
        max_funcs: 8,
        max_memory32_bytes: 1 << 20,
        exceptions_enabled: !plain,
        gc_enabled: !plain,
        memory64_enabled: !plain,
        relaxed_simd_enabled: !plain,
        threads_enabled: !plain,
        reference_types_enabled: !plain,
        ..Default::default()
    };
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(&seed)).unwrap();
    wrapped(&module.to_bytes())
}

fn damaged(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    for _ in 0..=random.next() % 4 {
        let at = usize::try_from(random.next()).unwrap() % bytes.len();
        match random.next() % 4 {
            0 => bytes[at] ^= 1 << (random.next() % 8),
            1 => bytes[at] = random.next().to_le_bytes()[0],
            2 => bytes.insert(at, random.next().to_le_bytes()[0]),
            _ if bytes.len() > 9 => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

#[test]
fn any_bytes_are_refused_or_run_within_limits() {
    let full = std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full");
    let seed = std::env::var("TENTER_SEED").unwrap_or_else(|_| "seven".to_owned());
    println!("TENTER_SEED={seed}");
    let engine = crate::engine::start(1).unwrap();
    let mut random = Random::seeded(&seed);
    let small: Vec<Vec<u8>> = SMALL.iter().map(|text| wat::parse_str(text).unwrap()).collect();
    let (mut refused, mut broken, mut stopped, mut ran) = (0, 0, 0, 0);
    for _ in 0..if full { 10_000 } else { 2_000 } {
        let bytes = match random.next() % 8 {
            0 => {
                let len = usize::try_from(random.next() % 300).unwrap();
                random.bytes(len)
            }
            1 => [&b"\0asm\x0d\0\x01\0"[..], &random.bytes(100)].concat(),
            2 => smith(&mut random, false),
            3 => smith(&mut random, true),
            4 => {
                let whole = smith(&mut random, true);
                damaged(whole, &mut random)
            }
            n => damaged(small[usize::try_from(n).unwrap() % 3].clone(), &mut random),
        };
        let checked = form::check(&bytes).and_then(|()| scan::measure(&bytes)).and_then(|()| features::check(&bytes));
        if let Err(error) = checked {
            assert!(error.message.len() <= crate::text::MAX_MESSAGE);
            refused += 1;
            continue;
        }
        let Ok(component) = Component::new(&engine, &bytes) else {
            broken += 1;
            continue;
        };
        let entered = room(&engine)
            .enter(Stage::Start, limits(), |store| Linker::new(&engine).instantiate(store, &component).map(drop));
        match entered {
            Ok(()) => ran += 1,
            Err(failure) => {
                assert_ne!(failure.reason, tenter_model::host::Reason::Host, "{failure:?}");
                stopped += 1;
            }
        }
    }
    println!("{refused} refused, {broken} not compiled, {stopped} stopped, {ran} ran");
    // Each way is taken: else the test looks at less than it says.
    assert!(refused > 100 && broken > 100 && stopped > 0 && ran > 100, "{refused} {broken} {stopped} {ran}");
}
