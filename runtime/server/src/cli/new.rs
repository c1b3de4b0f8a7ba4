//! `tenter new`: begins a module in a folder that builds anywhere.
//!
//! The template, the SDK and the contract come out of the binary, so that neither a checkout nor a published package
//! is needed, and a module stays with the contract that it was made with.

use std::path::PathBuf;

use serde_json::json;
use tenter_model::{ModuleName, config};
use tenter_toolchain::{Language, Manifest};

use crate::cli::Context;
use crate::cli::build::built;
use crate::cli::init::{must_be_empty, unpack};
use crate::embedded;
use crate::error::{CliError, Kind};

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
    /// Language to write it in: rust, python, javascript, typescript, go, c or zig.
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
    let (language, template) = language(&args.lang)?;
    let name = module_name(&args.name, language)?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(name.as_str()));
    must_be_empty(&dir, "`--dir DIR` names another folder")?;

    unpack(template, &dir, |bytes| named(bytes, name.as_str()))?;
    let sdk = language.sdk();
    unpack(embedded::sdk(sdk), &dir.join(VENDOR).join("guest-sdk").join(sdk), <[u8]>::to_vec)?;
    unpack(embedded::WIT, &dir.join(VENDOR).join("wit"), <[u8]>::to_vec)?;

    let begins = match language {
        Language::Rust => PathBuf::from("src/lib.rs"),
        _ => Manifest::read(&dir).map_err(built)?.source,
    };
    let answer = json!({"name": name, "language": language.name(), "dir": dir.display().to_string()});
    context.out.one(&answer, |_| format!("{}\n", dir.display()))?;
    context.out.note(&format!("the module {name} begins in {}", dir.join(begins).display()));
    context.out.next(&format!("tenter build {}", dir.display()));
    Ok(())
}

/// A language by its name, with its template.
fn language(name: &str) -> Result<(Language, &'static [embedded::File]), CliError> {
    let known = || Language::ALL.into_iter().filter(|l| embedded::template(*l).is_some()).map(Language::name);
    let found = Language::find(name).and_then(|l| Some((l, embedded::template(l)?)));
    found.ok_or_else(|| {
        let near = config::nearest(name, known()).map_or(String::new(), |n| format!("; did you mean {n:?}?"));
        CliError::new(Kind::Usage, format!("there is no template for {name:?}{near}")).help(format!(
            "there are {}; any other language that makes components can be used with the contract that `tenter wit DIR` writes",
            known().collect::<Vec<_>>().join(", ")
        ))
    })
}

fn module_name(text: &str, language: Language) -> Result<ModuleName, CliError> {
    let name = ModuleName::new(text).map_err(|e| CliError::new(Kind::Usage, e.to_string()))?;
    if language == Language::Rust && NOT_PACKAGES.contains(&name.as_str()) {
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
        let manifest = text(embedded::template(Language::Rust).unwrap(), "Cargo.toml");
        assert!(manifest.contains("name = \"my-module\""));
        assert!(manifest.contains(&format!("path = \"{VENDOR}/guest-sdk/rust\"")));
        let sdk = embedded::sdk("rust");
        assert!(text(sdk, "Cargo.toml").contains("name = \"tenter-sdk\""));
        // What the SDK inherited from a workspace would be missing in the author's folder.
        assert!(!text(sdk, "Cargo.toml").contains("workspace = true"));
        assert!(text(sdk, "src/bindings.rs").contains("path: \"../../wit\""));
        assert!(text(embedded::WIT, "worlds.wit").contains("world everything"));
    }

    #[test]
    fn every_language_has_a_template_and_an_sdk() {
        for language in Language::ALL {
            let template = embedded::template(language).unwrap_or_else(|| panic!("{language} has no template"));
            assert!(!embedded::sdk(language.sdk()).is_empty(), "{language}");
            let manifest = template.iter().find(|(name, _)| *name == tenter_toolchain::FILE);
            assert_eq!(manifest.is_some(), language != Language::Rust, "{language}");
            let Some((_, manifest)) = manifest else { continue };
            let manifest = String::from_utf8(named(manifest, "x")).unwrap();
            let manifest = Manifest::parse(&manifest, &PathBuf::from(tenter_toolchain::FILE)).unwrap();
            assert_eq!(manifest.language, language);
            assert!(template.iter().any(|(name, _)| manifest.source.ends_with(name)), "{language}");
        }
    }

    #[test]
    fn a_language_that_is_not_there_is_named_with_those_that_are() {
        let error = language("pyton").unwrap_err();
        insta::assert_snapshot!(format!("{error}\nhelp: {}", error.help.clone().unwrap()), @r#"
        there is no template for "pyton"; did you mean "python"?
        help: there are rust, python, javascript, typescript, go, c, zig; any other language that makes components can be used with the contract that `tenter wit DIR` writes
        "#);
    }

    #[test]
    fn names_are_those_of_modules_and_packages() {
        assert!(module_name("domain-links", Language::Rust).is_ok());
        assert!(module_name("test", Language::Python).is_ok());
        for name in ["Label", "fn", "test", "../x"] {
            assert_eq!(module_name(name, Language::Rust).unwrap_err().kind, Kind::Usage, "{name}");
        }
        assert!(NOT_PACKAGES.is_sorted());
    }
}
