//! Drives a language's tools from a module's folder to a component.
//!
//! Whatever is generated on the way lies in `.tenter/` in the module's folder, which no version control takes along, so
//! that editors find bindings there. The component goes where the caller puts it.

use std::path::{Path, PathBuf};

use tenter_model::ModuleName;

use crate::about::{About, CONTRACT};
use crate::error::{BuildError, Kind, Result};
use crate::language::Language;
use crate::manifest::Manifest;
use crate::shell::Shell;
use crate::tools::{Tool, Tools};

mod c;
mod foreign;
mod go;
mod javascript;
mod python;

pub use foreign::{Foreign, System, build_foreign};

/// Folder for what is generated.
const WORK: &str = ".tenter";

/// What a module is built with beside tools; the program carries both.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    /// Files of the WIT package.
    pub wit: &'a [(&'static str, &'static [u8])],
    /// Files of the language's SDK.
    pub sdk: &'a [(&'static str, &'static [u8])],
    /// Version of the program.
    pub version: &'a str,
}

/// A module to build.
#[derive(Debug)]
pub struct Job<'a> {
    /// Its folder.
    pub dir: &'a Path,
    /// What it says of itself.
    pub manifest: &'a Manifest,
    /// Tools as it sees them.
    pub tools: &'a Tools,
    /// Runs them.
    pub shell: &'a Shell<'a>,
    /// Contract and SDK.
    pub contract: Contract<'a>,
}

/// Builds a module and gives its component.
///
/// # Errors
/// When a tool is missing or the code does not compile.
pub fn build(job: &Job<'_>) -> Result<Vec<u8>> {
    let language = job.manifest.language;
    // Before anything is written: all that is missing at once would be a list, the first is a command to run.
    for tool in language.needs() {
        job.tools.need(*tool, language)?;
    }
    let place = Place::make(job)?;
    let mut component = match language {
        Language::Python => python::build(job, &place)?,
        Language::JavaScript | Language::TypeScript => javascript::build(job, &place)?,
        Language::Go => go::build(job, &place)?,
        Language::C | Language::Zig => c::build(job, &place)?,
        Language::Rust => {
            return Err(BuildError::new(Kind::Invalid, "modules in Rust are built by cargo"));
        }
    };
    sign(&mut component, &job.manifest.name, language, job.tools, &job.contract)?;
    Ok(component)
}

/// Writes into a component how it was built.
fn sign(
    component: &mut Vec<u8>,
    name: &ModuleName,
    language: Language,
    tools: &Tools,
    contract: &Contract<'_>,
) -> Result<()> {
    let version = |tool: &Tool| Some((tool.name().to_owned(), tools.look(*tool).version?));
    let about = About {
        name: name.to_string(),
        language: language.to_string(),
        tenter: contract.version.to_owned(),
        contract: CONTRACT.to_owned(),
        tools: language.needs().iter().filter_map(version).collect(),
    };
    about.add_to(component)
}

/// Folders of a build, all absolute.
#[derive(Debug)]
struct Place {
    /// The module's folder.
    dir: PathBuf,
    /// The folder for what is generated.
    work: PathBuf,
    /// The contract.
    wit: PathBuf,
    /// The SDK.
    sdk: PathBuf,
}

impl Place {
    /// Takes contract and SDK from where the module has them, or else from the program.
    fn make(job: &Job<'_>) -> Result<Self> {
        let dir = job.dir.canonicalize().map_err(|e| BuildError::file("find", job.dir, e))?;
        let work = dir.join(WORK);
        make(&work)?;
        write(&work.join(".gitignore"), b"*\n")?;
        let vendored = |folder: &str, files, into: PathBuf| {
            let own = dir.join("vendor/tenter").join(folder);
            if own.is_dir() {
                return Ok(own);
            }
            unpack(files, &into)?;
            Ok(into)
        };
        let wit = vendored("wit", job.contract.wit, work.join("wit"))?;
        let sdk_folder = format!("guest-sdk/{}", job.manifest.language.sdk());
        let sdk = vendored(&sdk_folder, job.contract.sdk, work.join("sdk"))?;
        Ok(Self { dir, work, wit, sdk })
    }

    /// The module's own world, in a folder of WIT: itself and the contract below it.
    fn world(&self, manifest: &Manifest) -> Result<PathBuf> {
        let folder = self.fresh("world")?;
        self.contract_below(&folder)?;
        write(&folder.join("world.wit"), crate::world::text(manifest).as_bytes())?;
        Ok(folder)
    }

    /// Puts the contract where a folder of WIT has other packages.
    fn contract_below(&self, folder: &Path) -> Result<()> {
        copy(&self.wit, &folder.join("deps/tenter-hooks"))
    }

    /// An empty folder of that name.
    fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|e| BuildError::file("empty", &folder, e))?;
        }
        make(&folder)?;
        Ok(folder)
    }

    /// The file that a tool was to write.
    fn made(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.work.join(name);
        std::fs::read(&path).map_err(|e| BuildError::file("read", &path, e))
    }
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| BuildError::file("make", folder, e))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|e| BuildError::file("write", path, e))
}

/// Copies the files of a folder, and of those in it, over what is there.
fn copy(from: &Path, to: &Path) -> Result<()> {
    make(to)?;
    let entries = std::fs::read_dir(from).map_err(|e| BuildError::file("look into", from, e))?;
    for entry in entries.flatten() {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            std::fs::copy(&path, &target).map_err(|e| BuildError::file("write", &target, e))?;
        }
    }
    Ok(())
}

/// Writes files into an emptied folder.
fn unpack(files: &[(&'static str, &'static [u8])], folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|e| BuildError::file("empty", folder, e))?;
    }
    make(folder)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        make(path.parent().unwrap_or(folder))?;
        write(&path, bytes)?;
    }
    Ok(())
}
