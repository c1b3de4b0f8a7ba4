//! Writes tables of the files that the binary carries: the site of `tenter init`, the module template, SDK and WIT of
//! `tenter new`, and the components of the examples for `tenter demo`.

#![allow(clippy::disallowed_methods, reason = "a build script is told everything through the environment")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders that are carried: the table's name, its documentation and where it is, seen from the repository.
const FOLDERS: [(&str, &str, &str); 4] = [
    ("SITE", "The site that `tenter init` writes.", "runtime/server/site-template"),
    ("WIT", "The contract.", "wit"),
    ("DEMO_LISTS", "The folder that a module of `tenter demo` reads.", "runtime/server/demo/lists"),
    ("DEMO_SITE", "The site of `tenter demo`.", "runtime/server/demo/site"),
];

/// Example modules that `tenter demo` uploads.
const EXAMPLES: [&str; 16] = [
    "admit-prefixes",
    "label",
    "indicators",
    "services",
    "domain-links",
    "count-tasks",
    "reload-list",
    "mean-traffic",
    "risk-score",
    "profile-age",
    "run-report",
    "recheck-indicators",
    "stale-notes",
    "nightly-cleanup",
    "case-rules",
    "ioc-profile",
];
/// Folders that tools leave in sources.
const LEFT_BEHIND: [&str; 5] = ["target", "node_modules", "__pycache__", ".tenter", ".pytest_cache"];
/// The example module that `tenter bench` calls.
const BENCH: &str = "hostname-class";

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let root = here.ancestors().nth(2).ok_or("this package is not where it should be")?;
    let mut text = String::new();
    for (name, doc, place) in FOLDERS {
        let folder = root.join(place);
        println!("cargo::rerun-if-changed={}", folder.display());
        writeln!(text, "/// {doc}\npub(crate) const {name}: &[File] = &[")?;
        list(&folder, |_| true, &mut text)?;
        writeln!(text, "];")?;
    }
    sdks(&root.join("guest-sdk"), &mut text)?;
    examples(&mut text)?;
    let datapoints = root.join("runtime/server/demo/datapoints.ndjson");
    println!("cargo::rerun-if-changed={}", datapoints.display());
    writeln!(text, "/// The datapoints of `tenter demo`, one JSON object a line.")?;
    writeln!(
        text,
        "pub(crate) const DEMO_DATAPOINTS: &[u8] = include_bytes!({:?});",
        datapoints.display().to_string()
    )?;
    let table = PathBuf::from(std::env::var("OUT_DIR")?).join("embedded.rs");
    // A target directory that was copied with hard links shares the old file with the other checkout.
    if table.exists() {
        std::fs::remove_file(&table)?;
    }
    std::fs::write(table, text)?;
    Ok(())
}

/// SDKs and templates: of each folder what an author gets. `template` begins a module in the language that the folder is
/// called after, `template-LANGUAGE` one in another that shares its SDK.
fn sdks(folder: &Path, text: &mut String) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut languages = names(folder)?;
    languages.retain(|name| folder.join(name).is_dir());
    let mut templates = String::new();
    writeln!(text, "/// SDKs, by the folder of each below `guest-sdk`, without templates and tests.")?;
    writeln!(text, "pub(crate) const SDKS: &[(&str, &[File])] = &[")?;
    for language in &languages {
        let sdk = folder.join(language);
        writeln!(text, "    ({language:?}, &[")?;
        let is_for_authors = |path: &str| !path.starts_with("template") && !path.split('/').any(|part| part == "tests");
        list(&sdk, is_for_authors, text)?;
        writeln!(text, "    ]),")?;
        for name in names(&sdk)? {
            let Some(rest) = name.strip_prefix("template") else { continue };
            let of = rest.strip_prefix('-').unwrap_or(language);
            writeln!(templates, "    ({of:?}, &[")?;
            list(&sdk.join(&name), |_| true, &mut templates)?;
            writeln!(templates, "    ]),")?;
        }
    }
    writeln!(text, "];\n/// Modules that `tenter new` begins, by the folder's language.")?;
    writeln!(text, "pub(crate) const TEMPLATES: &[(&str, &[File])] = &[\n{templates}];")?;
    Ok(())
}

/// Names in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Writes the files of a folder as lines of a table.
fn list(folder: &Path, keep: impl Fn(&str) -> bool, text: &mut String) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.retain(|(path, _)| keep(path));
    files.sort();
    for (path, file) in files {
        writeln!(text, "    ({path:?}, include_bytes!({:?})),", file.display().to_string())?;
    }
    Ok(())
}

/// Builds the example modules that `tenter demo` uploads, and the one that `tenter bench` calls.
fn examples(text: &mut String) -> Result<(), Box<dyn Error>> {
    let packages: Vec<String> = EXAMPLES.iter().chain(&[BENCH]).map(|name| format!("example-{name}")).collect();
    let built = tenter_guest_build::build(&packages.iter().map(String::as_str).collect::<Vec<_>>());
    writeln!(text, "/// The example modules of `tenter demo`: name and component.")?;
    writeln!(text, "pub(crate) const EXAMPLES: &[(&str, &[u8])] = &[")?;
    let component = |package: &str| {
        let path = built.get(package).ok_or_else(|| format!("{package} was not built"))?;
        println!("cargo::rerun-if-changed={}", path.display());
        Ok::<_, String>(format!("include_bytes!({:?})", path.display().to_string()))
    };
    for (name, package) in EXAMPLES.iter().zip(&packages) {
        writeln!(text, "    ({name:?}, {}),", component(package)?)?;
    }
    writeln!(text, "];")?;
    writeln!(text, "/// The component of the example module {BENCH}.")?;
    writeln!(text, "pub(crate) const HOSTNAME_CLASS: &[u8] = {};", component(&format!("example-{BENCH}"))?)?;
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
        if kind.is_dir() && !LEFT_BEHIND.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else if kind.is_file()
            && name != "Cargo.lock"
            && ![".snap.new", ".pyc", ".wasm"].iter().any(|e| name.ends_with(e))
        {
            files.push((format!("{prefix}{name}"), entry.path()));
        }
    }
    Ok(())
}
