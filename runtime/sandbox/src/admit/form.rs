//! Size, form, compilation and imports of an upload.

use std::sync::PoisonError;

use sha2::{Digest, Sha256};
use tenter_model::limits::MAX_UPLOAD_BYTES;
use wasmtime::component::Component;
use wasmtime::{Engine, Precompiled};

use super::{AdmitError, Admitted, features};
use crate::Sandbox;
use crate::cache::{self, hex};
use crate::compile_child::{self, Compiler, Failed};
use crate::component::VERSION;
use crate::text::{did_you_mean, escape};

/// Imports of ours.
const OURS: &[&str] = &["types", "log", "call", "state", "entities", "views", "tasks", "http", "resolver", "secrets"];

/// Interfaces of WASI 0.2 that are linked, with nothing behind them.
const WASI: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Size and first bytes.
pub(crate) fn check(bytes: &[u8]) -> Admitted<()> {
    if bytes.len() > MAX_UPLOAD_BYTES {
        let text = format!(
            "the upload has {} bytes, at most {MAX_UPLOAD_BYTES} are accepted; strip debug information (`wasm-tools strip`)",
            bytes.len()
        );
        return Err(AdmitError::new("size", text));
    }
    let found = match bytes {
        [] => "is empty",
        // Layer 1 is the component layer.
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => {
            return Err(AdmitError::new(
                "form",
                "the upload is a core WebAssembly module, expected a component; Rust: build for the target wasm32-wasip2; else wrap it with `wasm-tools component new`",
            ));
        }
        [0, b'a', b's', b'm', ..] => "is WebAssembly of an unknown version",
        [0x7f, b'E', b'L', b'F', ..] => "is native code; compiled code is never accepted from outside",
        [b'(', ..] => "is WebAssembly text; turn it into binary with `wasm-tools parse`",
        [0x1f, 0x8b, ..] | [b'P', b'K', ..] => "is an archive; upload the component itself",
        _ => "does not begin like WebAssembly",
    };
    Err(AdmitError::new("form", format!("the upload {found}; expected a WebAssembly component")))
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Compiles, or takes the compiled code from the cache. One upload at a time: a burst of them must not multiply what
/// one may use.
pub(crate) fn compile(sandbox: &Sandbox, bytes: &[u8], digest: &str) -> Admitted<Component> {
    let cached = || {
        let kept = || sandbox.cache().and_then(|cache| cache.load(sandbox.engine(), digest));
        sandbox.remembered(digest).or_else(kept).inspect(|component| sandbox.remember(digest, component))
    };
    if let Some(component) = cached() {
        return Ok(component);
    }
    // Not for what is cached: it passed when it was compiled.
    features::check(bytes)?;
    let _turn = sandbox.compiling.lock().unwrap_or_else(PoisonError::into_inner);
    // The same upload may have been compiled while this one waited for its turn.
    if let Some(component) = cached() {
        return Ok(component);
    }
    let (component, code) = match &sandbox.compiler {
        Compiler::InProcess => {
            let component = Component::from_binary(sandbox.engine(), bytes).map_err(|e| refused(&format!("{e:#}")))?;
            let code = sandbox.cache().and_then(|_| component.serialize().ok());
            (component, code)
        }
        Compiler::Child { program, limits } => {
            let code = compile_child::compile(program, *limits, bytes).map_err(not_compiled)?;
            (load(sandbox.engine(), &code)?, Some(code))
        }
    };
    if let (Some(cache), Some(code)) = (sandbox.cache(), code) {
        cache.keep(digest, &code);
    }
    sandbox.remember(digest, &component);
    Ok(component)
}

/// Looks at code that the compiler wrote before it is loaded.
fn load(engine: &Engine, code: &[u8]) -> Admitted<Component> {
    if Engine::detect_precompiled(code) != Some(Precompiled::Component) {
        return Err(AdmitError::new(
            "host",
            "the compiler wrote something that is not the code of a component; is the program on disk another one than runs here? Restart the server",
        ));
    }
    cache::deserialize(engine, code).map_err(|e| refused(&format!("{e:#}")))
}

fn refused(text: &str) -> AdmitError {
    AdmitError::new("compile", format!("the component cannot be compiled for this host: {text}; {}", advice(text)))
}

fn not_compiled(failed: Failed) -> AdmitError {
    match failed {
        Failed::Limit(text) => AdmitError::new(
            "compile-limit",
            format!("the component is too dear: {text}; split large functions and leave out what is not used"),
        ),
        Failed::Refused(text) => refused(&text),
        Failed::Crashed(text) => AdmitError::new(
            "compile",
            format!("{text}; the server is not harmed; please report the component that does this"),
        ),
        Failed::Host(text) => {
            AdmitError::new("host", format!("{text}; the component was not looked at, try again when this is mended"))
        }
    }
}

/// What to do about an error of the compiler, which has no kinds but its words.
fn advice(error: &str) -> &'static str {
    if error.contains("must be enabled") || error.contains("multiple memories") {
        "build it without this feature of WebAssembly, which modules cannot use"
    } else if error.contains("pooling allocator") || error.contains("exceeds the") {
        "it is larger than any module may be (1 GiB of memory at the start, 128 core instances, 8 memories, 64 tables); link it into fewer and smaller parts"
    } else {
        "it may be damaged or cut off: build and upload it again, and check it with `wasm-tools validate`"
    }
}

/// Every import must be one of ours or of WASI.
pub(crate) fn check_imports(component: &Component) -> Admitted<()> {
    for (name, _) in component.component_type().imports(component.engine()) {
        check_import(name)?;
    }
    Ok(())
}

fn check_import(name: &str) -> Admitted<()> {
    let shown = escape(name, 100);
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    if let Some(ours) = interface.strip_prefix("tenter:hooks/") {
        if !OURS.contains(&ours) {
            let near = did_you_mean(ours, OURS.iter().copied());
            let text = format!(
                "the component imports {shown}, which this host does not have{near}; it has {}",
                OURS.join(", ")
            );
            return Err(AdmitError::new("import", text));
        }
        if !version.starts_with("0.1.") {
            let text = format!(
                "the component imports {shown}, this host speaks tenter:hooks/{ours}@{VERSION}; build it against version {VERSION} of the WIT package tenter:hooks"
            );
            return Err(AdmitError::new("import", text));
        }
        return Ok(());
    }
    if WASI.contains(&interface) {
        if version.starts_with("0.2.") {
            return Ok(());
        }
        let text = format!(
            "the component imports {shown}, this host has WASI 0.2 alone; build it for wasm32-wasip2 or WASI 0.2"
        );
        return Err(AdmitError::new("import", text));
    }
    let text = format!(
        "the component imports {shown}, which modules cannot have; allowed are imports of tenter:hooks and of wasi:cli, clocks, filesystem, io, random and sockets 0.2; remove what needs it (outbound requests go through tenter:hooks/http)"
    );
    Err(AdmitError::new("import", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_are_the_interfaces_of_the_contract() {
        let wit = include_str!("../../../../wit/host.wit");
        let interfaces = wit.lines().filter_map(|line| line.strip_prefix("interface ")?.strip_suffix(" {"));
        assert_eq!(OURS, [&["types"][..], &interfaces.collect::<Vec<_>>()].concat());
    }
}
