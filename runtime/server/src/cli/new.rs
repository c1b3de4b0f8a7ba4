//! `tenter new`: begins a module in a folder that builds anywhere.
//!
//! The template, the SDK and the contract come out of the binary, so that neither a checkout nor a published package
//! is needed, and a module stays with the contract that it was made with.

use std::path::PathBuf;

use serde_json::json;
use tenter_model::ModuleName;

use crate::cli::Context;
use crate::cli::init::{must_be_empty, unpack};
use crate::embedded;
use crate::error::{CliError, Kind};

/// Languages with a template.
const LANGUAGES: [&str; 1] = ["rust"];
/// What the module is called in the template.
const PLACEHOLDER: &str = "NAME";
/// Where the SDK and the contract go; the template depends on this path.
const VENDOR: &str = "vendor/tenter";
/// Module names that Cargo refuses as names of packages, or that hide a crate of the compiler.
const NOT_PACKAGES: [&str; 48] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "tenter-sdk",
    "test",
    "trait",
    "try",
    "type",
];

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the module is called.
    name: String,
    /// Language to write it in.
    #[arg(long, default_value = "rust", value_name = "LANGUAGE")]
    lang: String,
    /// Folder to write; it is made when it is missing [default: ./NAME].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Writes the module.
///
/// # Errors
/// When the name cannot be one, the language has no template, or the folder holds something.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if !LANGUAGES.contains(&args.lang.as_str()) {
        return Err(CliError::new(Kind::Usage, format!("there is no template for {:?}", args.lang))
            .help("only `--lang rust` has one; any language that makes components for the contract in wit/ can be used without")
            .into());
    }
    let name = package_name(&args.name)?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    must_be_empty(&dir, "`--dir DIR` names another folder")?;

    unpack(embedded::TEMPLATE, &dir, |bytes| named(bytes, name.as_str()))?;
    unpack(embedded::SDK, &dir.join(VENDOR).join("guest-sdk/rust"), <[u8]>::to_vec)?;
    unpack(embedded::WIT, &dir.join(VENDOR).join("wit"), <[u8]>::to_vec)?;

    let answer = json!({"name": name, "language": args.lang, "dir": dir.display().to_string()});
    context.out.one(&answer, |_| format!("{}\n", dir.display()))?;
    context.out.note(&format!("the module {name} begins in {}", dir.join("src/lib.rs").display()));
    context.out.next(&format!("tenter build {}", dir.display()));
    Ok(())
}

fn package_name(text: &str) -> Result<ModuleName, CliError> {
    let name = ModuleName::new(text).map_err(|e| CliError::new(Kind::Usage, e.to_string()))?;
    if NOT_PACKAGES.contains(&name.as_str()) {
        return Err(CliError::new(Kind::Usage, format!("{text:?} has a meaning in Rust and cannot name a package"))
            .help(format!("take another name, such as `{name}-module`")));
    }
    Ok(name)
}

/// A file of the template for that module.
fn named(bytes: &[u8], name: &str) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replace(PLACEHOLDER, name).into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_depends_on_what_is_unpacked() {
        let text = |files: &[embedded::File], name: &str| {
            let found = files.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no {name} is carried"));
            String::from_utf8(named(found.1, "my-module")).unwrap()
        };
        let manifest = text(embedded::TEMPLATE, "Cargo.toml");
        assert!(manifest.contains("name = \"my-module\""));
        assert!(manifest.contains(&format!("path = \"{VENDOR}/guest-sdk/rust\"")));
        assert!(text(embedded::SDK, "Cargo.toml").contains("name = \"tenter-sdk\""));
        // What the SDK inherited from a workspace would be missing in the author's folder.
        assert!(!text(embedded::SDK, "Cargo.toml").contains("workspace = true"));
        assert!(text(embedded::SDK, "src/bindings.rs").contains("path: \"../../wit\""));
        assert!(text(embedded::WIT, "worlds.wit").contains("world everything"));
    }

    #[test]
    fn names_are_those_of_modules_and_packages() {
        assert!(package_name("domain-links").is_ok());
        for name in ["Label", "fn", "test", "../x"] {
            assert_eq!(package_name(name).unwrap_err().kind, Kind::Usage, "{name}");
        }
        assert!(NOT_PACKAGES.is_sorted());
    }
}
