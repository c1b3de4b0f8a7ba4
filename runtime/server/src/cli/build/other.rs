//! Modules with a `tenter.toml`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tenter_model::ModuleName;
use tenter_toolchain::{BuildError, Contract, Foreign, Job, Language, Manifest, Search, Shell, System, Tools};

use crate::cli::Context;
use crate::cli::workbench::module_config;
use crate::embedded;
use crate::error::{CliError, Kind};

/// Builds the module in a folder and puts its component beside the manifest.
pub(super) fn build(dir: &Path, context: &Context) -> anyhow::Result<PathBuf> {
    let manifest = Manifest::read(dir).map_err(built)?;
    let file = dir.join(format!("{}.wasm", manifest.name));
    let say = |line: &str| context.out.note(line);
    let job = Job {
        dir,
        manifest: &manifest,
        tools: &tools(dir),
        shell: &Shell::new(&say),
        contract: contract(manifest.language),
    };
    let component = tenter_toolchain::build(&job).map_err(built)?;
    std::fs::write(&file, component).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Builds a module of another system and puts its component where it is told, or into the current folder.
pub(super) fn build_foreign(
    system: System,
    path: &Path,
    config: Option<&Path>,
    out: Option<&Path>,
    context: &Context,
) -> anyhow::Result<PathBuf> {
    let say = |line: &str| context.out.note(line);
    let work = tempfile::tempdir().context("cannot make a temporary folder")?;
    let foreign = Foreign {
        system,
        path,
        config: config.map_or_else(|| Ok(json!({})), configuration)?,
        work: work.path(),
        tools: &tools(path.parent().unwrap_or(path)),
        shell: &Shell::new(&say),
        contract: contract(Language::Python),
    };
    let (name, component) = tenter_toolchain::build_foreign(&foreign).map_err(built)?;
    let file = out.map_or_else(|| PathBuf::from(format!("{name}.wasm")), Path::to_path_buf);
    std::fs::write(&file, component).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Values by name, or the list that IRIS exports.
fn configuration(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    if let Ok(values) = serde_json::from_slice(&text) {
        return Ok(values);
    }
    // The name only serves to read the file by the rules of a site.
    let any = ModuleName::new("module")?;
    Ok(module_config(file, &any)?)
}

/// What this program carries for a language.
fn contract(language: Language) -> Contract<'static> {
    Contract { wit: embedded::WIT, sdk: embedded::sdk(language.sdk()), version: env!("CARGO_PKG_VERSION") }
}

/// The tools of this machine as a module in that folder sees them.
pub(crate) fn tools(dir: &Path) -> Tools {
    Search::new(|name| std::env::var_os(name)).tools(dir)
}

/// What a failure to build means for the command.
pub(crate) fn built(error: BuildError) -> CliError {
    let kind = match error.kind {
        tenter_toolchain::Kind::Missing => Kind::NotFound,
        tenter_toolchain::Kind::Invalid => Kind::Invalid,
        tenter_toolchain::Kind::Code | tenter_toolchain::Kind::Machine => Kind::Failed,
    };
    let cli = CliError::new(kind, error.message);
    match error.help {
        Some(help) => cli.help(help),
        None => cli,
    }
}
