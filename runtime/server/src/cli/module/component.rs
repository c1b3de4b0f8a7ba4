//! Component files.

use std::io::Read as _;
use std::path::Path;

use tenter_model::ModuleName;
use tenter_model::limits::MAX_UPLOAD_BYTES;

use crate::error::{CliError, Kind};
use crate::output::bytes;

/// What a module is called after its file: the file's name, in lower case and with hyphens.
///
/// # Errors
/// When that is no name of a module.
pub(crate) fn name_of(path: &Path) -> Result<ModuleName, CliError> {
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let name = ModuleName::new(&stem.to_ascii_lowercase().replace('_', "-"));
    name.map_err(|e| CliError::new(Kind::Usage, e.to_string()))
}

/// Reads a component and refuses what cannot be one, before it travels.
///
/// # Errors
/// When the file is missing, is larger than an upload may be, or does not begin like a component.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let wrong = |kind: Kind, why: &str| CliError::new(kind, format!("cannot use {}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        wrong(kind, &e.to_string()).help("`tenter build` makes a component and prints where it is")
    })?;
    let mut component = Vec::new();
    let read = file.take(MAX_UPLOAD_BYTES as u64 + 1).read_to_end(&mut component);
    read.map_err(|e| wrong(Kind::Failed, &e.to_string()))?;
    if component.len() > MAX_UPLOAD_BYTES {
        return Err(wrong(Kind::Invalid, &format!("it is larger than {}", bytes(MAX_UPLOAD_BYTES as u64)))
            .help("build it in release mode and strip its debug information"));
    }
    // Magic number, then version 13 and layer 1 for a component; a core module has version 1 and layer 0.
    match component.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(component),
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => {
            Err(wrong(Kind::Invalid, "it is a core WebAssembly module, not a component")
                .help("build it for wasm32-wasip2, as `tenter build` does"))
        }
        _ => Err(wrong(Kind::Invalid, "it is not WebAssembly")
            .help("`tenter build` makes a component and prints where it is")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_components_are_sent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.wasm");
        assert_eq!(read(&path).unwrap_err().kind, Kind::NotFound);
        std::fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
        assert!(read(&path).unwrap_err().message.ends_with("it is a core WebAssembly module, not a component"));
        std::fs::write(&path, b"#!/bin/sh").unwrap();
        assert!(read(&path).unwrap_err().message.ends_with("it is not WebAssembly"));
        std::fs::write(&path, b"\0asm\x0d\0\x01\0").unwrap();
        assert_eq!(read(&path).unwrap().len(), 8);
    }
}
