//! Core modules become components.
//!
//! Compilers make core modules that know WASI of the first generation at most. An adapter inside the component answers
//! it: the usual one, which passes on to the host's WASI and is dropped where nothing is asked of it, or one that comes
//! with an SDK. Go's runtime calls WASI before it can allocate memory, which the usual adapter needs it to.

use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::error::{BuildError, Kind, Result};

/// A component of a core module that carries its component type already; without an adapter of its own it gets the
/// usual one.
pub(crate) fn component(core: &[u8], adapter: Option<&[u8]>) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(core)
        .and_then(|e| {
            let adapter = adapter.unwrap_or(WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER);
            e.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)
        })
        .and_then(ComponentEncoder::encode)
        .map_err(|e| {
            BuildError::new(Kind::Code, format!("what the compiler made is no component: {e:#}")).help(
                "each function of the families in tenter.toml has to be there, with the type that the bindings give",
            )
        })
}

/// An adapter of an SDK: WebAssembly text, and the world of what it imports.
pub(crate) fn adapter(text: &Path, resolve: &Resolve, world: WorldId) -> Result<Vec<u8>> {
    let mut core = wat::parse_file(text).map_err(|e| BuildError::file("encode", text, e))?;
    embed(&mut core, resolve, world)?;
    Ok(core)
}

/// Gives a core module its component type.
pub(crate) fn embed(core: &mut Vec<u8>, resolve: &Resolve, world: WorldId) -> Result<()> {
    embed_component_metadata(core, resolve, world, StringEncoding::UTF8)
        .map_err(|e| BuildError::new(Kind::Invalid, format!("the component's type cannot be written: {e:#}")))
}
