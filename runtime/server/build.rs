//! Writes tables of the files that the binary carries: the site of `tenter init`, the module template, SDK and WIT of
//! `tenter new`, and the components of the examples for `tenter demo`.

#![allow(clippy::disallowed_methods, reason = "a build script is told everything through the environment")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders that are carried: the table's name, its documentation and where it is, seen from the repository.
const FOLDERS: [(&str, &str, &str); 4] = [
    ("SITE", "The site that `tenter init` writes.", "runtime/server/site-template"),
    ("TEMPLATE", "The module that `tenter new` writes.", "guest-sdk/rust/template"),
    ("SDK", "The Rust SDK, without its template.", "guest-sdk/rust"),
    ("WIT", "The contract.", "wit"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = here.ancestors().nth(2).ok_or("this package is not where it should be")?;
    let mut text = String::new();
    for (name, doc, place) in FOLDERS {
        let folder = root.join(place);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, "", &mut files)?;
        if name == "SDK" {
            files.retain(|(path, _)| !path.starts_with("template/") && !path.starts_with("tests/"));
        }
        files.sort();
        writeln!(text, "/// {doc}\npub(crate) const {name}: &[File] = &[")?;
        for (path, file) in files {
            writeln!(text, "    ({path:?}, include_bytes!({:?})),", file.display().to_string())?;
        }
        writeln!(text, "];")?;
    }
    std::fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("embedded.rs"), text)?;
    Ok(())
}

/// Files below a folder, links and what tools leave behind not among them.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|n| format!("{} is not UTF-8", n.display()))?;
        let kind = entry.file_type()?;
        if kind.is_dir() && name != "target" {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else if kind.is_file() && name != "Cargo.lock" && !name.ends_with(".snap.new") {
            files.push((format!("{prefix}{name}"), entry.path()));
        }
    }
    Ok(())
}
