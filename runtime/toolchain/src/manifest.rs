//! `tenter.toml`: what a module's folder says of itself.
//!
//! It is small on purpose. Whatever the module asks of its host it says in code, when it is configured; here stands only
//! what is needed to build it.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use tenter_model::ModuleName;
use tenter_model::config::nearest;
use tenter_model::hook::Family;

use crate::error::{BuildError, Kind, Result};
use crate::language::Language;

/// Name of the file.
pub const FILE: &str = "tenter.toml";
/// Imports that a module may choose; `log` and `call` it always has.
pub(crate) const IMPORTS: [&str; 7] = ["state", "entities", "views", "tasks", "http", "resolver", "secrets"];

/// What is needed to build a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What the module is called; the component is `NAME.wasm`.
    pub name: ModuleName,
    /// What it is written in.
    pub language: Language,
    /// The file that holds it, relative to the folder.
    pub source: PathBuf,
    /// Title, description and version, as far as modules say them here and not in code.
    pub facts: Facts,
    /// Families of hooks that it has, where the language's modules say so.
    pub families: Vec<Family>,
    /// Imports that it uses beside `log` and `call`, where the language's modules say so; those in Go need not.
    pub imports: Vec<&'static str>,
}

/// What a module in Python may say of itself here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// A line for people.
    pub title: Option<String>,
    /// More for people.
    pub description: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    module: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: String,
    language: String,
    source: String,
    title: Option<String>,
    description: Option<String>,
    version: Option<String>,
    families: Option<Vec<String>>,
    imports: Option<Vec<String>>,
}

impl Manifest {
    /// The manifest of a module's folder.
    ///
    /// # Errors
    /// When there is none or it is not valid, with its place and what is expected there.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                BuildError::new(Kind::Invalid, format!("there is no {FILE} in {}", dir.display()))
                    .help("`tenter new NAME --lang LANGUAGE` begins a module; name its folder")
            }
            _ => BuildError::file("read", &path, e),
        })?;
        let manifest = Self::parse(&text, &path)?;
        let source = dir.join(&manifest.source);
        if !source.is_file() {
            let wrong = format!("`source` names {}, which is not there", manifest.source.display());
            return Err(invalid(&path, &wrong).help("it is the file that holds the module, relative to its folder"));
        }
        Ok(manifest)
    }

    /// The manifest in a text; the path is for messages.
    ///
    /// # Errors
    /// When it is not valid.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        // The reader shows line, column and the words that are wrong, over several lines.
        let document: Document = toml::from_str(text).map_err(|e| {
            invalid(path, e.to_string().trim_end())
                .help("a manifest is `[module]` with `name`, `language` and `source`; for C, Zig and Go also `families`, for C and Zig `imports`")
        })?;
        let Table { name, language, source, title, description, version, families, imports } = document.module;
        let name = ModuleName::new(&name).map_err(|e| invalid(path, &format!("`name`: {e}")))?;
        let language = language_of(&language, path)?;
        let chosen = families.is_some() || imports.is_some();
        if chosen && !language.chooses_world() {
            let wrong = format!("`families` and `imports` are for C, Zig and Go; modules in {language} have them all");
            return Err(invalid(path, &wrong).help("remove both lines"));
        }
        let facts = Facts { title, description, version };
        if language != Language::Python && facts != Facts::default() {
            let wrong = format!(
                "`title`, `description` and `version` are for Python; a module in {language} says them in code"
            );
            return Err(invalid(path, &wrong).help("remove them here"));
        }
        let manifest = Self {
            name,
            language,
            source: inside(&source, path)?,
            facts,
            families: families.unwrap_or_default().iter().map(|f| family(f, path)).collect::<Result<_>>()?,
            imports: imports.unwrap_or_default().iter().map(|i| import(i, path)).collect::<Result<_>>()?,
        };
        if language.chooses_world() && manifest.families.is_empty() {
            let known = Family::ALL.map(Family::interface).join(", ");
            return Err(invalid(path, &format!("a module in {language} says in `families` which hooks it has"))
                .help(format!("for example `families = [\"ingest\"]`; there are {known}")));
        }
        Ok(manifest)
    }
}

fn language_of(name: &str, path: &Path) -> Result<Language> {
    let known = || Language::ALL.into_iter().filter(|l| *l != Language::Rust).map(Language::name);
    match Language::find(name) {
        Some(Language::Rust) => {
            Err(invalid(path, "a module in Rust has no such file").help("its folder has a Cargo.toml, and that is all"))
        }
        Some(language) => Ok(language),
        None => Err(invalid(path, &format!("`language` is {name:?}{}", meant(name, known())))
            .help(format!("there are {}", known().collect::<Vec<_>>().join(", ")))),
    }
}

/// A path that stays in the folder.
fn inside(source: &str, path: &Path) -> Result<PathBuf> {
    let given = PathBuf::from(source);
    if source.is_empty() || !given.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(invalid(path, &format!("`source` is {source:?}, expected a file in the module's folder")));
    }
    Ok(given)
}

fn family(name: &str, path: &Path) -> Result<Family> {
    let known = || Family::ALL.into_iter().map(Family::interface);
    Family::ALL.into_iter().find(|f| f.interface() == name || f.name() == name).ok_or_else(|| {
        invalid(path, &format!("`families` has {name:?}, which is none{}", meant(name, known())))
            .help(format!("there are {}", known().collect::<Vec<_>>().join(", ")))
    })
}

fn import(name: &str, path: &Path) -> Result<&'static str> {
    IMPORTS.into_iter().find(|i| *i == name).ok_or_else(|| {
        let wrong = match name {
            "log" | "call" => format!("`imports` has {name:?}, which every module has"),
            _ => format!("`imports` has {name:?}, which is none{}", meant(name, IMPORTS.into_iter())),
        };
        invalid(path, &wrong).help(format!("there are {}", IMPORTS.join(", ")))
    })
}

fn meant(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    nearest(name, known).map_or(String::new(), |n| format!("; did you mean {n:?}?"))
}

fn invalid(path: &Path, why: &str) -> BuildError {
    BuildError::new(Kind::Invalid, format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Manifest> {
        Manifest::parse(text, Path::new("m/tenter.toml"))
    }

    fn refused(text: &str) -> String {
        let error = parse(text).unwrap_err();
        format!("{error}\nhelp: {}", error.help.clone().unwrap_or_default())
    }

    #[test]
    fn a_manifest_is_small() {
        let python = parse("[module]\nname = \"a-b\"\nlanguage = \"python\"\nsource = \"module.py\"\n").unwrap();
        assert_eq!((python.name.as_str(), python.language), ("a-b", Language::Python));
        assert!(python.families.is_empty());
        let c = "[module]\nname = \"x\"\nlanguage = \"c\"\nsource = \"src/x.c\"\nfamilies = [\"ingest\", \"cases\"]\nimports = [\"state\"]\n";
        let c = parse(c).unwrap();
        assert_eq!((c.families, c.imports), (vec![Family::Ingest, Family::Case], vec!["state"]));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let with = |line: &str| format!("[module]\nname = \"x\"\nlanguage = \"go\"\nsource = \"x.go\"\n{line}\n");
        insta::assert_snapshot!(refused("[module]\nname = \"x\"\nlanguage = \"pyton\"\nsource = \"x.py\""), @r#"
        m/tenter.toml: `language` is "pyton"; did you mean "python"?
        help: there are python, javascript, typescript, go, c, zig
        "#);
        insta::assert_snapshot!(refused("[module]\nname = \"x\"\nlanguage = \"rust\"\nsource = \"x.rs\""), @r"
        m/tenter.toml: a module in Rust has no such file
        help: its folder has a Cargo.toml, and that is all
        ");
        insta::assert_snapshot!(refused("[module]\nname = \"x\"\nlang = \"python\"\n"), @r#"
    m/tenter.toml: TOML parse error at line 3, column 1
      |
    3 | lang = "python"
      | ^^^^
    unknown field `lang`, expected one of `name`, `language`, `source`, `title`, `description`, `version`, `families`, `imports`
    help: a manifest is `[module]` with `name`, `language` and `source`; for C, Zig and Go also `families`, for C and Zig `imports`
    "#);
        insta::assert_snapshot!(refused("[module]\nname = \"X\"\nlanguage = \"go\"\nsource = \"x.go\""), @r#"
    m/tenter.toml: `name`: module name "X" is not valid: expected a lower-case letter, then lower-case letters, digits, _ or -, at most 63 characters
    help:
    "#);
        insta::assert_snapshot!(refused(&with("")), @r#"
    m/tenter.toml: a module in go says in `families` which hooks it has
    help: for example `families = ["ingest"]`; there are ingest, snapshot, update, schedule, cases
    "#);
        insta::assert_snapshot!(refused(&with("families = [\"ingst\"]")), @r#"
    m/tenter.toml: `families` has "ingst", which is none; did you mean "ingest"?
    help: there are ingest, snapshot, update, schedule, cases
    "#);
        insta::assert_snapshot!(refused(&with("families = [\"ingest\"]\nimports = [\"log\"]")), @r#"
    m/tenter.toml: `imports` has "log", which every module has
    help: there are state, entities, views, tasks, http, resolver, secrets
    "#);
        insta::assert_snapshot!(refused("[module]\nname = \"x\"\nlanguage = \"c\"\nsource = \"../x.c\"\nfamilies = [\"ingest\"]"), @r#"
    m/tenter.toml: `source` is "../x.c", expected a file in the module's folder
    help:
    "#);
        insta::assert_snapshot!(refused("[module]\nname = \"x\"\nlanguage = \"python\"\nsource = \"x.py\"\nfamilies = [\"ingest\"]"), @r#"
    m/tenter.toml: `families` and `imports` are for C, Zig and Go; modules in python have them all
    help: remove both lines
    "#);
    }
}
