//! The directions of dependency that ARCHITECTURE.md states: which package may name what.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

use std::path::{Path, PathBuf};

fn runtime() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The names under `[dependencies]` of a package.
fn dependencies(package: &str) -> Vec<String> {
    let text = std::fs::read_to_string(runtime().join(package).join("Cargo.toml")).unwrap();
    let (_, after) = text.split_once("\n[dependencies]\n").unwrap();
    let section = after.split("\n[").next().unwrap();
    section.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned()).collect()
}

/// All sources of a package, as path and text.
fn sources(package: &str) -> Vec<(PathBuf, String)> {
    fn collect(folder: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    collect(&runtime().join(package).join("src"), &mut out);
    assert!(!out.is_empty(), "{package} has sources");
    out
}

#[test]
fn dependencies_go_one_way() {
    let ours = |package: &str| {
        dependencies(package).into_iter().filter(|name| name.starts_with("tenter-")).collect::<Vec<_>>()
    };
    assert_eq!(ours("model"), Vec::<String>::new());
    assert_eq!(ours("store"), ["tenter-model"]);
    assert_eq!(ours("sandbox"), ["tenter-model"]);
    assert_eq!(ours("engine"), ["tenter-model", "tenter-store"]);
    assert_eq!(ours("toolchain"), ["tenter-model"]);
    for package in ["model", "store", "engine", "toolchain"] {
        let names = dependencies(package);
        assert!(
            !names.iter().any(|n| n.starts_with("wasmtime") || n == "axum" || n == "tokio"),
            "{package}: {names:?}"
        );
    }
    for package in ["model", "sandbox", "engine", "toolchain", "server"] {
        assert!(!dependencies(package).contains(&"rusqlite".to_owned()), "{package} has no SQL");
    }
    for package in ["model", "store", "engine", "toolchain", "server"] {
        assert!(!dependencies(package).contains(&"wasmtime".to_owned()), "{package} knows no wasm");
    }
}

#[test]
fn only_the_server_is_asynchronous_reads_clocks_or_the_environment() {
    for package in ["model", "store", "engine", "toolchain"] {
        for (path, text) in sources(package) {
            for word in ["async fn", ".await", "SystemTime::now", "env::var"] {
                assert!(!text.contains(word), "{} has {word:?}", path.display());
            }
        }
    }
    for package in ["model", "engine", "sandbox", "server"] {
        for (path, text) in sources(package) {
            for word in ["SELECT ", "INSERT INTO", "DELETE FROM"] {
                assert!(!text.contains(word), "{} has SQL: {word:?}", path.display());
            }
        }
    }
}

/// The map in ARCHITECTURE.md names folders that exist.
#[test]
fn the_map_is_true() {
    let root = runtime().parent().unwrap().to_path_buf();
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (_, map) = text.split_once("| place | what it is for |").unwrap();
    let mut seen = 0;
    for line in map.lines().take_while(|line| !line.starts_with("## ")) {
        let Some(place) = line.strip_prefix("| `").and_then(|rest| rest.split('`').next()) else { continue };
        assert!(root.join(place).exists(), "{place} is on the map and not in the tree");
        seen += 1;
    }
    assert!(seen >= 9, "the map was read: {seen} places");
}
