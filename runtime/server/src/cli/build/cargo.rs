//! What is asked of cargo and rustup.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::cli::Context;
use crate::error::{CliError, Kind};
use crate::output::field;

/// What modules are built for.
const TARGET: &str = "wasm32-wasip2";

/// What cargo made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Built {
    /// Name of the package.
    pub(super) name: String,
    /// The component.
    pub(super) path: PathBuf,
}

/// Builds with cargo, which prints to stderr by itself, and reads from its messages where the component is.
pub(super) fn build(dir: &Path, context: &Context) -> anyhow::Result<Built> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    if context.out.quiet {
        cargo.arg("--quiet");
    }
    let output = cargo
        .current_dir(dir)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| missing("cargo", &e))?;
    if !output.status.success() {
        return Err(CliError::new(Kind::Failed, format!("the module in {} does not build", dir.display()))
            .help("cargo's messages above say why")
            .into());
    }
    component_in(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
        CliError::new(Kind::Invalid, format!("the package in {} makes no component", dir.display()))
            .help("its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\"]`")
            .into()
    })
}

/// The last component among cargo's messages, one JSON object per line.
fn component_in(messages: &str) -> Option<Built> {
    let mut found = None;
    for message in messages.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok()) {
        let files = message.get("filenames").and_then(Value::as_array).into_iter().flatten();
        let wasm = files.filter_map(Value::as_str).find(|f| f.ends_with(".wasm"));
        let is_library =
            message.pointer("/target/kind").and_then(Value::as_array).is_some_and(|k| k.contains(&json!("cdylib")));
        if let (Some(path), true, "compiler-artifact") = (wasm, is_library, field(&message, "reason").as_str()) {
            found = Some(Built { name: package_of(&message)?, path: path.into() });
        }
    }
    found
}

/// The package's name: the library's, as the package may write it with hyphens.
fn package_of(message: &Value) -> Option<String> {
    let library = field(message, "target.name");
    let manifest = std::fs::read_to_string(field(message, "manifest_path")).unwrap_or_default();
    let names = manifest.lines().filter_map(|l| l.trim().strip_prefix("name")?.trim().strip_prefix('='));
    let named = names.map(|n| n.trim().trim_matches('"').to_owned()).find(|n| n.replace('-', "_") == library);
    Some(named.unwrap_or_else(|| library.replace('_', "-"))).filter(|n| !n.is_empty())
}

/// Installs the wasm target when the toolchain of that folder lacks it.
pub(super) fn ensure_target(dir: &Path, context: &Context) -> anyhow::Result<()> {
    let probe = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(dir)
        .stderr(Stdio::null())
        .output()
        .map_err(|e| missing("rustc", &e))?;
    if Path::new(String::from_utf8_lossy(&probe.stdout).trim()).is_dir() {
        return Ok(());
    }
    context.out.note(&format!("the toolchain lacks the target {TARGET}; installing it with rustup"));
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    match added {
        Ok(status) if status.success() => Ok(()),
        other => {
            let why = other.map_or_else(|e| format!("rustup cannot be run: {e}"), |s| format!("rustup ended with {s}"));
            let message = format!("the Rust toolchain lacks the target {TARGET}, which modules are built for; {why}");
            Err(CliError::new(Kind::Failed, message)
                .help(format!(
                    "with rustup: `rustup target add {TARGET}`; without: install the package of your system that holds \
                     the Rust standard library for {TARGET}"
                ))
                .into())
        }
    }
}

fn missing(program: &str, error: &std::io::Error) -> CliError {
    CliError::new(Kind::Failed, format!("cannot run {program}: {error}"))
        .help("modules in Rust need a Rust toolchain: https://rustup.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_found_in_the_messages() {
        let messages = [
            json!({"reason": "compiler-artifact", "target": {"kind": ["lib"], "name": "serde"}, "filenames": ["/t/serde.rlib"]}),
            json!({"reason": "compiler-artifact", "target": {"kind": ["cdylib", "rlib"], "name": "my_module"},
                "manifest_path": "/none/Cargo.toml", "filenames": ["/t/my_module.wasm", "/t/libmy_module.rlib"]}),
            json!({"reason": "build-finished", "success": true}),
        ];
        let text = messages.map(|m| m.to_string()).join("\n");
        let want = Built { name: "my-module".into(), path: "/t/my_module.wasm".into() };
        assert_eq!(component_in(&text), Some(want));
        assert_eq!(component_in("not json\n{}"), None);
    }

    #[test]
    fn the_package_keeps_its_spelling() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = dir.path().join("Cargo.toml");
        std::fs::write(&manifest, "[package]\nname = \"a_b-c\"\n[[bin]]\nname = \"other\"\n").unwrap();
        let message = json!({"target": {"name": "a_b_c"}, "manifest_path": manifest});
        assert_eq!(package_of(&message).as_deref(), Some("a_b-c"));
    }
}
