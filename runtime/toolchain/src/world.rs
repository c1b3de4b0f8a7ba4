//! The world that a module in C, Zig or Go is built against: its families and imports and nothing else.

use std::fmt::Write as _;
use std::path::Path;

use wit_bindgen_core::wit_parser::{Resolve, WorldId};

use crate::error::{BuildError, Kind, Result};
use crate::language::Language;
use crate::manifest::{IMPORTS, Manifest};

/// Package of the generated world.
pub(crate) const PACKAGE: &str = "tenter:guest";
/// Name of the generated world, which files and functions of bindings are called after.
pub(crate) const WORLD: &str = "guest";
/// The world of languages whose components have everything.
pub(crate) const EVERYTHING: &str = "everything";

/// The text of the world of a module.
pub(crate) fn text(manifest: &Manifest) -> String {
    let mut text = format!("package {PACKAGE};\n\n/// What {} exports and imports.\nworld {WORLD} {{\n", manifest.name);
    // Go's linker keeps the imports that are used, so that all can be there.
    let imports = if manifest.language == Language::Go { &IMPORTS } else { manifest.imports.as_slice() };
    for import in imports {
        let _ = writeln!(text, "  import tenter:hooks/{import}@{};", crate::about::CONTRACT);
    }
    for family in &manifest.families {
        let _ = writeln!(text, "  include tenter:hooks/{}-hooks@{};", family.name(), crate::about::CONTRACT);
    }
    text.push_str("}\n");
    text
}

/// A world of a folder of WIT, which may have other packages below `deps`.
pub(crate) fn resolve(wit: &Path, world: &str) -> Result<(Resolve, WorldId)> {
    let broken = |e: &dyn std::fmt::Display| {
        BuildError::new(Kind::Invalid, format!("the contract in {} cannot be read: {e:#}", wit.display()))
            .help("take it from this program again: `tenter wit DIR` writes it")
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).map_err(|e| broken(&format!("{e:#}")))?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|e| broken(&format!("{e:#}")))?;
    Ok((resolve, world))
}

#[cfg(test)]
mod tests {
    use tenter_model::hook::Family;

    use super::*;

    #[test]
    fn a_world_has_what_the_manifest_names() {
        let world = |language: &str, rest: &str| {
            let manifest = format!("[module]\nname = \"x\"\nlanguage = \"{language}\"\nsource = \"x\"\n{rest}");
            text(&Manifest::parse(&manifest, Path::new("tenter.toml")).unwrap())
        };
        insta::assert_snapshot!(world("c", "families = [\"ingest\", \"cases\"]\nimports = [\"state\"]"), @r#"
    package tenter:guest;

    /// What x exports and imports.
    world guest {
      import tenter:hooks/state@0.1.0;
      include tenter:hooks/ingest-hooks@0.1.0;
      include tenter:hooks/case-hooks@0.1.0;
    }
    "#);
        let go = world("go", "families = [\"update\"]");
        assert!(IMPORTS.iter().all(|import| go.contains(&format!("/{import}@"))), "{go}");
    }

    #[test]
    fn the_contract_has_every_world_that_a_manifest_can_ask_for() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("deps/hooks");
        std::fs::create_dir_all(&below).unwrap();
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        for file in
            std::fs::read_dir(contract).unwrap().flatten().filter(|f| f.path().extension().is_some_and(|e| e == "wit"))
        {
            std::fs::copy(file.path(), below.join(file.file_name())).unwrap();
        }
        let families = Family::ALL.map(|f| format!("{:?}", f.interface())).join(", ");
        let all = format!("[module]\nname = \"x\"\nlanguage = \"go\"\nsource = \"x\"\nfamilies = [{families}]");
        let manifest = Manifest::parse(&all, Path::new("tenter.toml")).unwrap();
        std::fs::write(folder.path().join("world.wit"), text(&manifest)).unwrap();
        let (resolve, world) = resolve(folder.path(), WORLD).unwrap();
        assert_eq!(resolve.worlds[world].exports.len(), Family::ALL.len() + 1);
        let (resolve, everything) = super::resolve(&folder.path().join("deps/hooks"), EVERYTHING).unwrap();
        assert_eq!(resolve.worlds[everything].exports.len(), Family::ALL.len() + 1);
    }
}
