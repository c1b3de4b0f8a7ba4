//! Languages of modules, and what each needs.

use std::fmt;

use crate::tools::Tool;

/// A language that `tenter build` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Built by cargo alone; its folder has no manifest of ours.
    Rust,
    /// CPython in a component.
    Python,
    /// QuickJS in a component.
    JavaScript,
    /// The same after its types are taken off.
    TypeScript,
    /// The standard Go toolchain.
    Go,
    /// By the C compiler that comes with Zig.
    C,
    /// By Zig, over the bindings for C.
    Zig,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 7] =
        [Self::Rust, Self::Python, Self::JavaScript, Self::TypeScript, Self::Go, Self::C, Self::Zig];

    /// Name in manifests and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Go => "go",
            Self::C => "c",
            Self::Zig => "zig",
        }
    }

    /// The language with that name; common short forms are known too.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let name = match name {
            "py" => "python",
            "js" => "javascript",
            "ts" => "typescript",
            "golang" => "go",
            other => other,
        };
        Self::ALL.into_iter().find(|l| l.name() == name)
    }

    /// The folder of its SDK below `guest-sdk`.
    #[must_use]
    pub fn sdk(self) -> &'static str {
        match self {
            Self::JavaScript | Self::TypeScript => "js",
            Self::Zig => "c",
            other => other.name(),
        }
    }

    /// Whether a module says in its manifest what it exports and imports. The components of the others have it all.
    #[must_use]
    pub fn chooses_world(self) -> bool {
        matches!(self, Self::Go | Self::C | Self::Zig)
    }

    /// What has to be on the machine to build a module in it.
    #[must_use]
    pub fn needs(self) -> &'static [Tool] {
        match self {
            Self::Rust => &[Tool::Cargo],
            Self::Python => &[Tool::ComponentizePy],
            Self::JavaScript | Self::TypeScript => &[Tool::Node, Tool::Esbuild, Tool::ComponentizeQjs],
            Self::Go => &[Tool::Go],
            Self::C | Self::Zig => &[Tool::Zig],
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
