//! Why a module could not be built.

use std::fmt::Display;
use std::path::Path;

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tool is not on this machine.
    Missing,
    /// The manifest or the module's folder is not as it has to be.
    Invalid,
    /// The module's code does not compile.
    Code,
    /// This machine: a file cannot be read or written, a program does not start.
    Machine,
}

/// An error with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BuildError {
    /// Who is to blame.
    pub kind: Kind,
    /// What went wrong, and where.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl BuildError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A file that could not be read, written or made.
    pub(crate) fn file(doing: &str, path: &Path, error: impl Display) -> Self {
        Self::new(Kind::Machine, format!("cannot {doing} {}: {error}", path.display()))
    }
}

pub(crate) type Result<T> = std::result::Result<T, BuildError>;
