//! Which features of WebAssembly a component uses that modules cannot have, by name.
//!
//! The engine refuses them too, but says only which instruction it did not expect. So a component that is not valid
//! with our features is looked at again with one more at a time: the one that makes it valid is the one to name.

use wasmparser::{Validator, WasmFeatures};

use super::{AdmitError, Admitted};

/// A feature that is off: what to call it, and what to do without it.
struct Feature {
    bits: WasmFeatures,
    name: &'static str,
    advice: &'static str,
}

const fn feature(bits: WasmFeatures, name: &'static str, advice: &'static str) -> Feature {
    Feature { bits, name, advice }
}

const REBUILD: &str = "build it without";

/// What is on. The same as in `engine.rs`, but for typed function references, which no supported language uses, and
/// several memories, which the engine needs for itself.
const OURS: WasmFeatures = WasmFeatures::WASM2
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::COMPONENT_MODEL)
    .difference(WasmFeatures::GC_TYPES);

const REFUSED: &[Feature] = &[
    // First, since more than one of the others brings it along.
    feature(WasmFeatures::GC_TYPES, "references to things of the host (externref)", REBUILD),
    feature(
        WasmFeatures::THREADS,
        "threads (shared memories and atomic operations)",
        "modules run on one thread; build for wasm32-wasip2, not for a target with threads",
    ),
    feature(WasmFeatures::MEMORY64, "64-bit memories (memory64)", "build for wasm32"),
    feature(WasmFeatures::MULTI_MEMORY, "several memories in one module (multi-memory)", REBUILD),
    feature(WasmFeatures::RELAXED_SIMD, "relaxed SIMD", "its results differ between machines; use SIMD or none"),
    feature(
        WasmFeatures::EXCEPTIONS.union(WasmFeatures::GC_TYPES),
        "exceptions (exception-handling)",
        "build with `panic = \"abort\"`, or -fno-exceptions",
    ),
    feature(
        WasmFeatures::LEGACY_EXCEPTIONS,
        "exceptions in their old form",
        "build with `panic = \"abort\"`, or -fno-exceptions",
    ),
    feature(WasmFeatures::FUNCTION_REFERENCES, "typed function references", REBUILD),
    feature(
        WasmFeatures::GC.union(WasmFeatures::GC_TYPES).union(WasmFeatures::FUNCTION_REFERENCES),
        "garbage collection (GC)",
        "use a toolchain that brings its own heap in linear memory",
    ),
    feature(WasmFeatures::STACK_SWITCHING.union(WasmFeatures::FUNCTION_REFERENCES), "stack switching", REBUILD),
    feature(WasmFeatures::WIDE_ARITHMETIC, "128-bit arithmetic (wide-arithmetic)", REBUILD),
    feature(WasmFeatures::CUSTOM_PAGE_SIZES, "memories with pages of another size (custom-page-sizes)", REBUILD),
    feature(WasmFeatures::SHARED_EVERYTHING_THREADS.union(WasmFeatures::THREADS), "shared-everything threads", REBUILD),
    feature(WasmFeatures::MEMORY_CONTROL, "memory control", REBUILD),
    feature(WasmFeatures::CUSTOM_DESCRIPTORS, "custom descriptors", REBUILD),
    feature(WasmFeatures::COMPACT_IMPORTS, "compact imports", REBUILD),
    feature(
        WasmFeatures::CM_ASYNC
            .union(WasmFeatures::CM_ASYNC_STACKFUL)
            .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
            .union(WasmFeatures::CM_THREADING),
        "asynchronous component functions (component-model-async)",
        "hooks are synchronous; with componentize-qjs use `--sync`",
    ),
    feature(WasmFeatures::CM_ERROR_CONTEXT, "error contexts of components", REBUILD),
    feature(WasmFeatures::CM_GC, "garbage collection at the border of components", REBUILD),
    feature(WasmFeatures::CM_MAP, "maps in component types", REBUILD),
    feature(WasmFeatures::CM64, "64-bit memories at the border of components", REBUILD),
    feature(WasmFeatures::CM_FIXED_LENGTH_LISTS, "lists of fixed length in component types", REBUILD),
    feature(WasmFeatures::CM_VALUES, "values as imports and exports of components", REBUILD),
    feature(WasmFeatures::CM_NESTED_NAMES, "nested names of components", REBUILD),
    feature(WasmFeatures::CM_IMPLEMENTS, "`implements` in names of components", REBUILD),
    feature(WasmFeatures::CM_CANON_NAMES, "version suffixes in names of components", REBUILD),
];

/// Names the features that are used and off. What is wrong for another reason is left to the compiler, whose words
/// are better.
pub(crate) fn check(bytes: &[u8]) -> Admitted<()> {
    let valid = |features| Validator::new_with_features(features).validate_all(bytes).is_ok();
    if valid(OURS) {
        return Ok(());
    }
    if let Some(one) = REFUSED.iter().find(|f| valid(OURS.union(f.bits))) {
        return Err(refused(&[one]));
    }
    let all = REFUSED.iter().fold(OURS, |all, f| all.union(f.bits));
    if !valid(all) {
        return Ok(());
    }
    // Some bring others along; of those that cannot be missed, the ones that ask for least are meant.
    let needed: Vec<&Feature> = REFUSED.iter().filter(|f| !valid(all.difference(f.bits))).collect();
    let least = |f: &&&Feature| !needed.iter().any(|g| g.bits != f.bits && f.bits.contains(g.bits));
    let needed: Vec<&Feature> = needed.iter().filter(least).copied().collect();
    if needed.is_empty() { Ok(()) } else { Err(refused(&needed)) }
}

fn refused(features: &[&Feature]) -> AdmitError {
    let names: Vec<_> = features.iter().map(|f| f.name).collect();
    let it = if features.len() == 1 { "it" } else { "them" };
    let advice = match features {
        [one] if one.advice != REBUILD => one.advice.to_owned(),
        _ => format!("{REBUILD} {it}"),
    };
    let text = format!("the component uses {}, which modules cannot have; {advice}", names.join(" and "));
    AdmitError::new("feature", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(module: &str) -> String {
        let bytes = wat::parse_str(module).unwrap();
        let said = check(&bytes).unwrap_err().message;
        // The engine agrees, but for what only this check refuses: what is named here it would not compile either.
        let engine = crate::engine::compiler().unwrap();
        let here_alone = said.contains("(multi-memory)");
        assert_eq!(engine.precompile_component(&bytes).is_ok(), here_alone, "{module}: {said}");
        said
    }

    #[test]
    fn refused_features_are_named() {
        let relaxed = "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))";
        let wide = "(func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)))";
        for (body, name) in [
            ("(memory 1 2 shared)", "threads (shared memories and atomic operations)"),
            (
                "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))",
                "threads (shared memories and atomic operations)",
            ),
            ("(memory i64 1)", "64-bit memories (memory64)"),
            ("(memory 1) (memory 1)", "several memories in one module (multi-memory)"),
            (relaxed, "relaxed SIMD"),
            ("(tag $t) (func (throw $t))", "exceptions (exception-handling)"),
            ("(type $s (struct (field i32))) (func (drop (struct.new $s (i32.const 1))))", "garbage collection (GC)"),
            ("(func (param externref))", "references to things of the host (externref)"),
            (wide, "128-bit arithmetic (wide-arithmetic)"),
            ("(memory 1 (pagesize 1))", "memories with pages of another size (custom-page-sizes)"),
            (
                "(memory i64 1) (func (drop (i32.atomic.load (i64.const 0))))",
                "threads (shared memories and atomic operations) and 64-bit memories (memory64)",
            ),
        ] {
            let said = said(&format!("(component (core module {body}))"));
            assert!(
                said.starts_with(&format!("the component uses {name}, which modules cannot have; ")),
                "{body}: {said}"
            );
        }
        insta::assert_snapshot!(said("(component (core func (canon task.cancel)))"), @"the component uses asynchronous component functions (component-model-async), which modules cannot have; hooks are synchronous; with componentize-qjs use `--sync`");
        insta::assert_snapshot!(said("(component (type (map string u32)))"), @"the component uses maps in component types, which modules cannot have; build it without it");
    }

    /// Two components with a memory each: the code that joins them has both, though no module of the upload has. Every
    /// QuickJS guest is made like this.
    #[test]
    fn components_inside_may_talk_to_each_other() {
        let text = r#"(component
            (component $a
                (core module $m
                    (memory (export "m") 1)
                    (func (export "r") (param i32 i32 i32 i32) (result i32) (i32.const 64))
                    (func (export "f") (param i32 i32)))
                (core instance $i (instantiate $m))
                (func (export "f") (param "t" string)
                    (canon lift (core func $i "f") (memory (core memory $i "m")) (realloc (core func $i "r")))))
            (component $b
                (import "f" (func $f (param "t" string)))
                (core module $l (memory (export "m") 1))
                (core instance $l (instantiate $l))
                (core func $lowered (canon lower (func $f) (memory (core memory $l "m"))))
                (core module $m (import "" "f" (func (param i32 i32))))
                (core instance (instantiate $m (with "" (instance (export "f" (func $lowered)))))))
            (instance $a (instantiate $a))
            (instance (instantiate $b (with "f" (func $a "f")))))"#;
        let bytes = wat::parse_str(text).unwrap();
        check(&bytes).unwrap();
        crate::engine::compiler().unwrap().precompile_component(&bytes).unwrap();
    }

    #[test]
    fn what_languages_use_is_on() {
        for body in [
            "(func $f (return_call $f))",
            "(func (result i32) (i32.extend8_s (i32.const 1)))",
            "(func (param v128) (result v128) (i8x16.swizzle (local.get 0) (local.get 0)))",
            "(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))",
            "(global i32 (i32.add (i32.const 1) (i32.const 2)))",
            "(table 1 funcref) (func (drop (table.size)))",
        ] {
            let bytes = wat::parse_str(format!("(component (core module {body}))")).unwrap();
            check(&bytes).unwrap();
            crate::engine::compiler().unwrap().precompile_component(&bytes).unwrap();
        }
    }
}
