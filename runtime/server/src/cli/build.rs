//! `tenter build`: makes a component of a module.
//!
//! A folder with a `tenter.toml` is built by the tools of its language, through `tenter-toolchain`; one with a `Cargo.toml`
//! is `cargo build --release --target wasm32-wasip2` and two things more: the target is installed when the toolchain
//! lacks it, and the component is put beside `Cargo.toml` under the module's name. Either way what the module will ask
//! for is shown before anybody uploads it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tenter_model::time::Clock as _;
use tenter_toolchain::{About, System};

use crate::cli::Context;
use crate::cli::module::component;
use crate::cli::workbench::Workbench;
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};
use crate::output::{bytes, field, pairs};

mod cargo;
mod other;

pub(crate) use other::{built, tools};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the module.
    #[arg(default_value = ".", conflicts_with_all = ["from_dp3", "from_iris"])]
    dir: PathBuf,
    /// Build a module that was written for DP³, unchanged.
    #[arg(long, value_name = "FILE.py", conflicts_with = "from_iris")]
    from_dp3: Option<PathBuf>,
    /// Build a module that was written for DFIR-IRIS, unchanged.
    #[arg(long, value_name = "PACKAGE")]
    from_iris: Option<PathBuf>,
    /// With `--from-dp3` or `--from-iris`: its configuration, in YAML or JSON, whose values become the defaults of its parameters.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to put the component [default: NAME.wasm in the module's folder; of another system's, here].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of configuration, to check by it what the module subscribes to.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
}

/// Builds.
///
/// # Errors
/// When there is no module or no toolchain, or the code does not compile.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let file = built_file(args, context)?;
    let name = component::name_of(&file)?;
    let bytes = component::read(&file)?;
    let bench = Workbench::new(args.site.as_deref())?;
    bench.compile(&name, &bytes, &context.out)?;
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
        "built": About::of(&bytes),
    });
    context.out.one(&answer, human)?;
    context.out.next(&format!("tenter module upload {}", file.display()));
    Ok(())
}

/// Builds what the arguments name and tells where the component is.
fn built_file(args: &Args, context: &Context) -> anyhow::Result<PathBuf> {
    let foreign = match (&args.from_dp3, &args.from_iris) {
        (Some(path), _) => Some((System::Dp3, path)),
        (None, Some(path)) => Some((System::Iris, path)),
        (None, None) => None,
    };
    if let Some((system, path)) = foreign {
        return other::build_foreign(system, path, args.config.as_deref(), args.out.as_deref(), context);
    }
    if args.config.is_some() {
        let message = "`--config` is for modules of other systems";
        return Err(CliError::new(Kind::Usage, message)
            .help("a module has its defaults in its parameters; `tenter module config` sets them in a server")
            .into());
    }
    let file = build_in(&args.dir, context)?;
    let Some(out) = &args.out else { return Ok(file) };
    std::fs::rename(&file, out).with_context(|| format!("cannot move {} to {}", file.display(), out.display()))?;
    Ok(out.clone())
}

/// Builds the module in a folder, puts its component beside its manifest and tells where that is.
///
/// # Errors
/// When there is no module or no toolchain, or the code does not compile.
pub(crate) fn build_in(dir: &Path, context: &Context) -> anyhow::Result<PathBuf> {
    if dir.join(tenter_toolchain::FILE).is_file() {
        return other::build(dir, context);
    }
    if !dir.join("Cargo.toml").is_file() {
        let message = format!("there is neither a {} nor a Cargo.toml in {}", tenter_toolchain::FILE, dir.display());
        return Err(CliError::new(Kind::NotFound, message)
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
    let tools = built.pointer("/built/tools").and_then(Value::as_object).into_iter().flatten();
    let tools = tools.map(|(name, version)| format!("{name} {}", field(version, ""))).collect::<Vec<_>>().join(", ");
    pairs(&[
        ("module", format!("{} {}", field(built, "name"), field(built, "version"))),
        ("title", field(built, "title")),
        ("file", field(built, "file")),
        ("size", bytes(built.get("size").and_then(Value::as_u64).unwrap_or(0))),
        ("digest", field(built, "digest")),
        ("built with", if tools.is_empty() { "cargo".to_owned() } else { tools }),
        ("families", field(built, "families")),
        ("hooks", list("subscriptions", &["kind", "etype", "attr"])),
        ("asks for", if asks.is_empty() { "nothing".to_owned() } else { asks }),
    ])
}
