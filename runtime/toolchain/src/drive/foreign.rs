//! Modules in Python that were written for another system and run unchanged.
//!
//! The SDK has a package for each system, with what its modules import. Before a build its `scan.py` reads the module's
//! source: what it needs from the registry, what it will ask the operator for, and what cannot work in a sandbox, by
//! file and line.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::ModuleName;

use super::{Contract, Place, python, sign, unpack};
use crate::error::{BuildError, Kind, Result};
use crate::language::Language;
use crate::shell::Shell;
use crate::tools::{Tool, Tools};

/// The system that a module was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// DP³: a file.
    Dp3,
    /// DFIR-IRIS: a package.
    Iris,
}

/// A module of another system.
#[derive(Debug)]
pub struct Foreign<'a> {
    /// Which system.
    pub system: System,
    /// The file or package.
    pub path: &'a Path,
    /// The values of its configuration file, which become the defaults of its parameters.
    pub config: Value,
    /// A folder for what is generated; it is the caller's to remove.
    pub work: &'a Path,
    /// Tools.
    pub tools: &'a Tools,
    /// Runs them.
    pub shell: &'a Shell<'a>,
    /// Contract and the SDK for Python.
    pub contract: Contract<'a>,
}

/// What `scan.py` prints.
#[derive(Deserialize)]
struct Scanned {
    name: String,
    source: String,
    root: PathBuf,
    uses: Value,
    addresses: Value,
    requests: Value,
    clear: Value,
    preload: Value,
    requires: Vec<String>,
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    file: String,
    line: u64,
    level: String,
    text: String,
}

/// Builds a module of another system; gives its name and component.
///
/// # Errors
/// When a tool is missing, the module cannot run in a sandbox, or it does not build.
pub fn build_foreign(foreign: &Foreign<'_>) -> Result<(ModuleName, Vec<u8>)> {
    let Foreign { tools, shell, contract, .. } = foreign;
    tools.need(Tool::ComponentizePy, Language::Python)?;
    let path = foreign.path.canonicalize().map_err(|e| {
        let expected = match foreign.system {
            System::Dp3 => "the file of a module",
            System::Iris => "the folder of a module's package",
        };
        BuildError::new(Kind::Invalid, format!("cannot use {}: {e}", foreign.path.display()))
            .help(format!("name {expected}"))
    })?;
    let (wit, sdk) = (foreign.work.join("wit"), foreign.work.join("sdk"));
    unpack(contract.wit, &wit)?;
    unpack(contract.sdk, &sdk)?;
    let place = Place { dir: foreign.work.to_path_buf(), work: foreign.work.to_path_buf(), wit, sdk };

    let found = scan(foreign, &place, &path, None)?;
    let name = ModuleName::new(&found.name).map_err(|e| {
        BuildError::new(Kind::Invalid, format!("{}: {e}", path.display())).help("rename the file or the package")
    })?;
    let list = found.requires.join("\n");
    let packages = python::requirements::install(&list, name.as_str(), tools, shell, &place)?;
    // Packages may use the network too.
    let found = match &packages {
        Some(packages) => scan(foreign, &place, &path, Some(packages))?,
        None => found,
    };
    found.problems.iter().for_each(|p| shell.say(&format!("{}:{}: {}: {}", p.file, p.line, p.level, p.text)));
    if found.problems.iter().any(|p| p.level == "error") {
        return Err(BuildError::new(Kind::Code, format!("{name} cannot run in a sandbox as it is"))
            .help("change the lines that are named above"));
    }

    let mut component = python::component(
        tools,
        shell,
        &place,
        &manifest(foreign, &found),
        &folders(foreign.system, &place, &found, packages),
    )?;
    sign(&mut component, &name, Language::Python, tools, contract)?;
    Ok((name, component))
}

fn scan(foreign: &Foreign<'_>, place: &Place, path: &Path, packages: Option<&Path>) -> Result<Scanned> {
    let mut command = Command::new(foreign.tools.need(Tool::Python, Language::Python)?);
    command.arg(place.sdk.join("scan.py"));
    command.arg(match foreign.system {
        System::Dp3 => "--dp3",
        System::Iris => "--iris",
    });
    command.arg(path);
    if let Some(packages) = packages {
        command.arg("--deps").arg(packages);
    }
    let printed = foreign.shell.run(&mut command, &format!("{} cannot be read", foreign.path.display()))?.stdout;
    serde_json::from_slice(&printed)
        .map_err(|e| BuildError::new(Kind::Machine, format!("what scan.py printed is not understood: {e}")))
}

fn manifest(foreign: &Foreign<'_>, found: &Scanned) -> Vec<(&'static str, Value)> {
    let adapter = match foreign.system {
        System::Dp3 => "dp3.host.adapter",
        System::Iris => "tenter_iris",
    };
    vec![
        ("ADAPTER", json!(adapter)),
        ("SOURCE", json!(found.source)),
        ("NAME", json!(found.name)),
        ("TITLE", json!("")),
        ("DESCRIPTION", json!("")),
        ("VERSION", json!("0.1.0")),
        ("CONFIG", foreign.config.clone()),
        ("USES", found.uses.clone()),
        ("ADDRESSES", found.addresses.clone()),
        ("REQUESTS", found.requests.clone()),
        ("CLEAR", found.clear.clone()),
        ("PRELOAD", found.preload.clone()),
    ]
}

/// Where the module's imports are looked for; ours come first, since they stand for what is not there.
fn folders(system: System, place: &Place, found: &Scanned, packages: Option<PathBuf>) -> Vec<PathBuf> {
    let mut folders = vec![place.sdk.clone()];
    if system == System::Iris {
        folders.push(place.sdk.join("iris"));
    }
    folders.push(found.root.clone());
    folders.extend(packages);
    folders
}
