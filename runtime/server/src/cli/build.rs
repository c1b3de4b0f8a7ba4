//! `tenter build`: makes a component of a module in Rust.
//!
//! It is `cargo build --release --target wasm32-wasip2` and three things more: the target is installed when the
//! toolchain lacks it, the component is put beside `Cargo.toml` under the module's name, and what it will ask for is
//! shown before anybody uploads it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tenter_model::time::Clock as _;

use crate::cli::Context;
use crate::cli::module::component;
use crate::cli::workbench::Workbench;
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};
use crate::output::{bytes, field, pairs};

mod cargo;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the module.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Folder of configuration, to check by it what the module subscribes to.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
}

/// Builds.
///
/// # Errors
/// When there is no module or no toolchain, or the code does not compile.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let file = build_in(&args.dir, context)?;
    let name = component::name_of(&file)?;
    let bytes = component::read(&file)?;
    let bench = Workbench::new(args.site.as_deref())?;
    let module = bench.load(&name, &bytes, bench.settings(&name), None, SystemClock.now())?;

    let answer = json!({
        "name": name,
        "file": file.display().to_string(),
        "size": bytes.len(),
        "digest": module.digest,
        "title": module.descriptor.title,
        "version": module.descriptor.version,
        "families": module.families.iter().map(|f| f.name()).collect::<Vec<_>>(),
        "subscriptions": module.subscriptions,
        "requests": module.requests,
    });
    context.out.one(&answer, human)?;
    context.out.next(&format!("tenter module upload {}", file.display()));
    Ok(())
}

/// Builds the module in a folder, puts its component beside `Cargo.toml` and tells where that is.
///
/// # Errors
/// When there is no module or no toolchain, or the code does not compile.
pub(crate) fn build_in(dir: &Path, context: &Context) -> anyhow::Result<PathBuf> {
    if !dir.join("Cargo.toml").is_file() {
        return Err(CliError::new(Kind::NotFound, format!("there is no Cargo.toml in {}", dir.display()))
            .help("`tenter new NAME` begins a module; name its folder")
            .into());
    }
    cargo::ensure_target(dir, context)?;
    let built = cargo::build(dir, context)?;
    let file = dir.join(format!("{}.wasm", built.name));
    std::fs::copy(&built.path, &file)
        .with_context(|| format!("cannot copy {} to {}", built.path.display(), file.display()))?;
    Ok(file)
}

fn human(built: &Value) -> String {
    let list = |name: &str, parts: &[&str]| {
        let items = built.get(name).and_then(Value::as_array).into_iter().flatten();
        let words = |i: &Value| parts.iter().map(|p| field(i, p)).filter(|w| !w.is_empty()).collect::<Vec<_>>();
        items.map(|i| words(i).join(" ")).collect::<Vec<_>>().join(", ")
    };
    let asks = list("requests", &["capability", "scope"]);
    pairs(&[
        ("module", format!("{} {}", field(built, "name"), field(built, "version"))),
        ("title", field(built, "title")),
        ("file", field(built, "file")),
        ("size", bytes(built.get("size").and_then(Value::as_u64).unwrap_or(0))),
        ("digest", field(built, "digest")),
        ("families", field(built, "families")),
        ("hooks", list("subscriptions", &["kind", "etype", "attr"])),
        ("asks for", if asks.is_empty() { "nothing".to_owned() } else { asks }),
    ])
}
