//! What documentation and examples promise about hooks.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail loudly")]

use std::path::{Path, PathBuf};

use tenter_engine::DRIVEN;
use tenter_model::hook::TABLE;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// Each kind that the engine calls is used by an example that subscribes to it through the SDK.
#[test]
fn each_driven_kind_has_an_example() {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(root().join("guest-examples")).unwrap() {
        let path = entry.unwrap().path().join("src/lib.rs");
        if let Ok(text) = std::fs::read_to_string(&path) {
            sources.push(text);
        }
    }
    assert!(sources.len() >= 7, "the examples were read: {}", sources.len());
    for kind in DRIVEN {
        let call = format!("on.{}(", kind.name().replace('-', "_"));
        assert!(sources.iter().any(|text| text.contains(&call)), "no example calls {call}…)");
    }
}

/// `docs/hooks.md` has the table of kinds as the code has it, and marks those that are called.
#[test]
fn the_hooks_page_is_the_table() {
    let text = std::fs::read_to_string(root().join("docs/hooks.md")).unwrap();
    let mut lines = text.lines().filter(|line| line.starts_with("| ● |") || line.starts_with("| | "));
    let heading = lines.next().unwrap();
    assert!(heading.contains("kind | family | when"));
    for row in TABLE {
        let mark = if DRIVEN.contains(&row.kind) { "| ● |" } else { "| |" };
        let want = format!(
            "{mark} {} | {} | {} | {} | {} | {} |",
            row.name,
            row.family,
            row.when,
            row.sees,
            row.returns.describe(),
            row.on_failure.describe()
        );
        assert_eq!(lines.next(), Some(want.as_str()));
    }
    assert_eq!(lines.next(), None);
}

/// `docs/modules.md` says of each kind that is called when to choose it, and knows every example.
#[test]
fn the_page_for_authors_has_every_kind_and_every_example() {
    let text = std::fs::read_to_string(root().join("docs/modules.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    for kind in DRIVEN {
        let name = format!("`{}`", kind.name());
        assert!(rows.iter().any(|row| row.contains(&name) && row.contains("../guest-examples/")), "{name} has no row");
    }
    for entry in std::fs::read_dir(root().join("guest-examples")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        // What `tenter new` writes is shown by the SDK; the other one is no example.
        if entry.path().is_dir() && !["build", "hello-create"].contains(&name.as_str()) {
            assert!(text.contains(&format!("(../guest-examples/{name})")), "{name} is not mentioned");
        }
    }
}
