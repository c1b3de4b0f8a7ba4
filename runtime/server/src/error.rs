//! Errors of commands, with the exit code that each becomes.
//!
//! A command returns `anyhow::Result`. Where the reason decides what a script should do next, the error is a
//! [`CliError`]; anything else exits with 1. The codes are documented in `docs/cli.md` and never change.

use std::process::ExitCode;

/// Why a command ended without success: one exit code each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was tried and did not work.
    Failed,
    /// The command line makes no sense.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// The server refuses it to this token.
    Refused,
    /// The state of things forbids it, such as a folder that is not empty.
    Conflict,
    /// Input or configuration is not valid.
    Invalid,
    /// There is no server.
    Unreachable,
    /// It took too long.
    Timeout,
    /// The module's tests failed.
    TestsFailed,
    /// A person ended it.
    Interrupted,
}

impl Kind {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Conflict => 5,
            Self::Invalid => 6,
            Self::Unreachable => 7,
            Self::Timeout => 8,
            Self::TestsFailed => 9,
            Self::Interrupted => 130,
        }
    }

    /// What an HTTP status means for the caller.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            401 | 403 => Self::Refused,
            404 => Self::NotFound,
            409 | 412 => Self::Conflict,
            400 | 413 | 415 | 422 => Self::Invalid,
            408 | 504 => Self::Timeout,
            _ => Self::Failed,
        }
    }
}

/// An error with its exit code and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct CliError {
    /// Decides the exit code.
    pub(crate) kind: Kind,
    /// What went wrong, and where.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
}

impl CliError {
    /// An error without advice.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), help: None }
    }

    /// With what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Prints an error on stderr and gives its exit code. A closed pipe behind stdout is no error: the reader has seen
/// enough.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let (text, code) = render(error);
    eprint!("{text}");
    ExitCode::from(code)
}

/// The text of an error and its exit code.
fn render(error: &anyhow::Error) -> (String, u8) {
    let known = error.chain().find_map(|e| e.downcast_ref::<CliError>());
    let mut text = format!("error: {error:#}\n");
    if let Some(help) = known.and_then(|e| e.help.as_ref()) {
        text.push_str(&format!("help: {help}\n"));
    }
    (text, known.map_or(Kind::Failed, |e| e.kind).code())
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<std::io::Error>()).any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_exit_code() {
        let codes: Vec<_> = [400, 401, 403, 404, 409, 412, 413, 422, 408, 504, 429, 500, 503]
            .map(|s| (s, Kind::of_status(s).code()))
            .into_iter()
            .collect();
        insta::assert_snapshot!(format!("{codes:?}"), @"[(400, 6), (401, 4), (403, 4), (404, 3), (409, 5), (412, 5), (413, 6), (422, 6), (408, 8), (504, 8), (429, 1), (500, 1), (503, 1)]");
    }

    #[test]
    fn the_reason_survives_context() {
        let error = CliError::new(Kind::NotFound, "no module \"x\"").help("`tenter module list` shows what there is");
        let error = anyhow::Error::from(error).context("cannot show it");
        let (text, code) = render(&error);
        insta::assert_snapshot!(text, @r#"
        error: cannot show it: no module "x"
        help: `tenter module list` shows what there is
        "#);
        assert_eq!(code, 3);
        assert_eq!(render(&anyhow::anyhow!("odd")), ("error: odd\n".to_owned(), 1));
    }

    #[test]
    fn a_closed_pipe_is_not_reported() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::from(closed).context("writing")));
        assert!(!is_closed_pipe(&anyhow::anyhow!("pipe")));
    }
}
