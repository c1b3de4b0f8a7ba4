//! Bindings for C and Go, by the generators of wit-bindgen.

use std::path::Path;

use wit_bindgen_core::wit_parser::{Resolve, WorldId};
use wit_bindgen_core::{Files, WorldGenerator};

use crate::error::{BuildError, Kind, Result};

/// Writes header, code and the object with the component's type into a folder.
pub(crate) fn c(resolve: &Resolve, world: WorldId, out: &Path) -> Result<()> {
    write(wit_bindgen_c::Opts::default().build(), resolve, world, None, out)
}

/// Writes the packages of the Go bindings into a folder of the SDK.
pub(crate) fn go(resolve: &Resolve, world: WorldId, out: &Path) -> Result<()> {
    let options = wit_bindgen_go::Opts {
        // Formatting would need another program, and nobody edits this.
        format: wit_bindgen_go::Format::False,
        pkg_name: Some("tenter/internal/bind".to_owned()),
        export_pkg_name: Some("tenter/internal/export".to_owned()),
        ..wit_bindgen_go::Opts::default()
    };
    // What generated code shares comes with the SDK, so that a build needs no network.
    let shared = ("go.bytecodealliance.org/pkg/wit/", "tenter/internal/wit/");
    write(options.build(), resolve, world, Some(shared), out)
}

/// Generates, and replaces a text in what was generated.
fn write(
    mut generator: Box<dyn WorldGenerator>,
    resolve: &Resolve,
    world: WorldId,
    replace: Option<(&str, &str)>,
    out: &Path,
) -> Result<()> {
    let mut files = Files::default();
    generator
        .generate(&mut resolve.clone(), world, &mut files)
        .map_err(|e| BuildError::new(Kind::Invalid, format!("bindings cannot be generated: {e:#}")))?;
    for (name, bytes) in files.iter() {
        let path = out.join(name);
        let folder = path.parent().unwrap_or(out);
        std::fs::create_dir_all(folder).map_err(|e| BuildError::file("make", folder, e))?;
        let changed = replace.map(|(from, to)| String::from_utf8_lossy(bytes).replace(from, to));
        let bytes = changed.as_ref().map_or(bytes, String::as_bytes);
        std::fs::write(&path, bytes).map_err(|e| BuildError::file("write", &path, e))?;
    }
    Ok(())
}
