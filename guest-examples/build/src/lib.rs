//! Builds guests of this workspace to wasm components, for build scripts of packages that embed them and for tests.
//!
//! A fresh machine with rustup needs nothing else: the wasm target is installed when the toolchain lacks it. The
//! nested cargo differs from the outer one in three ways, each for a reason:
//! * it is called through the rustup proxy without `RUSTUP_TOOLCHAIN`, so that `rust-toolchain.toml` decides;
//! * it sees none of the variables that cargo sets for build scripts, which would bend flags and wrappers meant for
//!   the host (such as clippy's) onto the guests;
//! * it has a target directory of its own, `TARGET/guests`, since the outer cargo holds the lock of the usual one.

#![allow(clippy::disallowed_methods, reason = "a build script is told everything through the environment")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

/// Builds these packages with the profile `guest` and returns the component of each, by package name.
///
/// # Panics
/// When it cannot, with a text that says what to do: a build script has no other way to fail.
#[must_use]
pub fn build(packages: &[&str]) -> BTreeMap<String, PathBuf> {
    match try_build(packages) {
        Ok(components) => components,
        #[allow(clippy::panic, reason = "the way in which a build script fails")]
        Err(message) => panic!("\n\n{message}\n"),
    }
}

/// Builds one package when a test asks for it, and returns its component. Cheap when it is up to date, so tests need no
/// build script, and packages that are shipped do not build guests of tests.
///
/// # Panics
/// When it cannot, with a text that says what to do.
#[must_use]
pub fn at_test(package: &str) -> PathBuf {
    let built = std::env::current_exe()
        .map_err(|e| format!("cannot tell where the test runs: {e}"))
        .and_then(|exe| target_dir_above(&exe, 3))
        .and_then(|target| compile(&[package], &target))
        .and_then(|mut components| components.remove(package).ok_or_else(|| format!("{package} was not built")));
    match built {
        Ok(path) => path,
        #[allow(clippy::panic, reason = "a test that has no guest fails")]
        Err(message) => panic!("\n\n{message}\n"),
    }
}

fn try_build(packages: &[&str]) -> Result<BTreeMap<String, PathBuf>, String> {
    let root = root();
    for shared in ["wit", "guest-sdk/rust", "Cargo.toml", "rust-toolchain.toml"] {
        println!("cargo::rerun-if-changed={}", root.join(shared).display());
    }
    for package in packages {
        println!("cargo::rerun-if-changed={}", folder_of(&root, package)?.display());
    }
    let out = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: call this from a build script")?;
    compile(packages, &target_dir_above(Path::new(&out), 4)?)
}

fn compile(packages: &[&str], target: &Path) -> Result<BTreeMap<String, PathBuf>, String> {
    let root = root();
    ensure_target(&root)?;
    let target_dir = target.join("guests");
    let mut cargo = clean("cargo", &root);
    cargo.args(["build", "--locked", "--profile", "guest", "--target", TARGET, "--target-dir"]).arg(&target_dir);
    for package in packages {
        cargo.args(["-p", package]);
    }
    run(&mut cargo)?;

    let out = target_dir.join(TARGET).join("guest");
    packages
        .iter()
        .map(|package| {
            let path = out.join(format!("{}.wasm", package.replace('-', "_")));
            if path.is_file() {
                Ok(((*package).to_owned(), path))
            } else {
                Err(format!(
                    "guest {package} was built, but there is no {}: its Cargo.toml needs `[lib] crate-type = [\"cdylib\"]`",
                    path.display()
                ))
            }
        })
        .collect()
}

/// The workspace: two folders above this package.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The folder of a guest: the one whose Cargo.toml has this package name.
fn folder_of(root: &Path, package: &str) -> Result<PathBuf, String> {
    let line = format!("name = \"{package}\"");
    for place in ["guest-examples", "tests/guests"] {
        let Ok(entries) = std::fs::read_dir(root.join(place)) else { continue };
        for folder in entries.flatten().map(|e| e.path()) {
            let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
            if manifest.lines().any(|l| l.trim() == line) {
                return Ok(folder);
            }
        }
    }
    Err(format!("there is no guest package {package:?} in guest-examples/ or tests/guests/"))
}

/// Installs the wasm target when the toolchain lacks it.
fn ensure_target(root: &Path) -> Result<(), String> {
    let probe = clean("rustc", root).args(["--print", "target-libdir", "--target", TARGET]).output();
    let dir = probe.map_err(|e| format!("cannot run rustc: {e}"))?.stdout;
    if Path::new(String::from_utf8_lossy(&dir).trim()).is_dir() {
        return Ok(());
    }
    let mut rustup = clean("rustup", root);
    rustup.args(["target", "add", TARGET]);
    if let Some(channel) = channel(root) {
        rustup.args(["--toolchain", &channel]);
    }
    run(&mut rustup).map_err(|why| {
        format!(
            "the Rust toolchain lacks the target {TARGET}, which guests are built for, and it could not be installed: {why}\n\
             With rustup: `rustup target add {TARGET}`. Without: install the package of your system that holds the\n\
             Rust standard library for {TARGET}."
        )
    })
}

/// The pinned toolchain.
fn channel(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("rust-toolchain.toml")).ok()?;
    let line = text.lines().find_map(|l| l.trim().strip_prefix("channel"))?;
    Some(line.trim_matches(|c: char| c == '=' || c == '"' || c.is_whitespace()).to_owned())
}

/// The target directory that a path lies in: the folder above it that cargo marked as its cache, or else the one so many
/// folders up.
fn target_dir_above(path: &Path, usual: usize) -> Result<PathBuf, String> {
    let marked = path.ancestors().find(|p| p.join("CACHEDIR.TAG").is_file());
    marked
        .or_else(|| path.ancestors().nth(usual))
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("{} does not look like a folder that cargo made", path.display()))
}

/// A command in the workspace that sees the user's settings of cargo, but nothing that the outer cargo set.
fn clean(program: &str, root: &Path) -> Command {
    const KEEP: [&str; 7] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const DROP: [&str; 6] =
        ["RUSTUP_TOOLCHAIN", "RUSTFLAGS", "RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "LD_LIBRARY_PATH"];
    let mut command = Command::new(program);
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let Some(text) = name.to_str() else { continue };
        if DROP.contains(&text) || (text.starts_with("CARGO") && !KEEP.iter().any(|k| text.starts_with(k))) {
            command.env_remove(&name);
        }
    }
    command
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|e| format!("cannot run {shown}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{shown} failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
