//! Why a hook has no result.

use std::fmt;

use crate::bindings::imports::tenter::hooks::{entities, http, resolver, secrets, state, tasks, views};

/// Result of a hook, and of all helpers: `?` works between them.
pub type Result<T, E = HookError> = std::result::Result<T, E>;

/// Why a hook has no result. The contract's type, declared here so that it reads well when it is printed. A panic needs
/// no case: the host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookError {
    /// The data is to blame.
    InvalidInput(String),
    /// Something outside failed; worth a retry where the kind of hook has retries.
    Unavailable(String),
    /// The module is to blame.
    Failed(String),
}

impl HookError {
    /// The data is to blame.
    pub fn invalid(message: impl fmt::Display) -> Self {
        Self::InvalidInput(message.to_string())
    }

    /// Something outside failed; the host retries where the kind of hook has retries.
    pub fn unavailable(message: impl fmt::Display) -> Self {
        Self::Unavailable(message.to_string())
    }

    /// The module is to blame.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::Failed(message.to_string())
    }

    /// The text alone.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::InvalidInput(m) | Self::Unavailable(m) | Self::Failed(m) => m,
        }
    }
}

impl fmt::Display for HookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::InvalidInput(_) => "invalid input",
            Self::Unavailable(_) => "unavailable",
            Self::Failed(_) => "failed",
        };
        write!(f, "{kind}: {}", self.message())
    }
}

impl std::error::Error for HookError {}

impl From<String> for HookError {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<&str> for HookError {
    fn from(message: &str) -> Self {
        Self::Failed(message.to_owned())
    }
}

impl From<serde_json::Error> for HookError {
    fn from(error: serde_json::Error) -> Self {
        Self::InvalidInput(error.to_string())
    }
}

/// What to tell who forgot to ask, or whose operator has not granted yet.
fn not_granted(capability: &str) -> HookError {
    HookError::Failed(format!(
        "{capability}: not granted; ask with `on.request({capability:?}, ...)`, and the operator grants it"
    ))
}

impl From<state::StateError> for HookError {
    fn from(error: state::StateError) -> Self {
        match error {
            state::StateError::Denied => not_granted("state"),
            state::StateError::TooLarge => Self::failed("state: the key or the value is too large"),
            state::StateError::Quota => Self::failed("state: the module's room is used up"),
            state::StateError::Other(m) => Self::Unavailable(format!("state: {m}")),
        }
    }
}

impl From<entities::ReadError> for HookError {
    fn from(error: entities::ReadError) -> Self {
        match error {
            entities::ReadError::Denied => not_granted("read-entities"),
            entities::ReadError::UnknownType => Self::failed("entities: no such entity type"),
            entities::ReadError::TooLarge => Self::failed("entities: the record is larger than a call may read"),
            entities::ReadError::Other(m) => Self::Unavailable(format!("entities: {m}")),
        }
    }
}

impl From<views::ViewError> for HookError {
    fn from(error: views::ViewError) -> Self {
        match error {
            views::ViewError::Denied => Self::failed(
                "views: not granted; ask with `on.request(\"read-entities\", TYPE)`, and the operator grants it; only \
                 `correlate` and `correlate_with_record` may ask for views",
            ),
            views::ViewError::UnknownType => Self::failed("views: no such entity type"),
            views::ViewError::Other(m) => Self::Unavailable(format!("views: {m}")),
        }
    }
}

impl From<tasks::SubmitError> for HookError {
    fn from(error: tasks::SubmitError) -> Self {
        match error {
            tasks::SubmitError::Denied => Self::failed("tasks: only `cron` hooks submit; other hooks return tasks"),
            tasks::SubmitError::Invalid(m) => Self::Failed(format!("tasks: {m}")),
            tasks::SubmitError::Budget => Self::failed("tasks: more than a call may submit"),
            tasks::SubmitError::Other(m) => Self::Unavailable(format!("tasks: {m}")),
        }
    }
}

impl From<http::HttpError> for HookError {
    fn from(error: http::HttpError) -> Self {
        match error {
            http::HttpError::Denied(m) => Self::Failed(format!("http: not granted: {m}")),
            http::HttpError::Invalid(m) => Self::Failed(format!("http: invalid request: {m}")),
            http::HttpError::TimedOut => Self::unavailable("http: timed out"),
            http::HttpError::TooLarge => Self::failed("http: the answer is larger than a call may read"),
            http::HttpError::Unreachable(m) | http::HttpError::Other(m) => Self::Unavailable(format!("http: {m}")),
        }
    }
}

impl From<resolver::ResolveError> for HookError {
    fn from(error: resolver::ResolveError) -> Self {
        match error {
            resolver::ResolveError::Denied => not_granted("resolver"),
            resolver::ResolveError::NotFound => Self::invalid("resolver: no such name"),
            resolver::ResolveError::TimedOut => Self::unavailable("resolver: timed out"),
            resolver::ResolveError::Other(m) => Self::Unavailable(format!("resolver: {m}")),
        }
    }
}

impl From<secrets::SecretError> for HookError {
    fn from(error: secrets::SecretError) -> Self {
        match error {
            secrets::SecretError::Denied => not_granted("secret"),
            secrets::SecretError::NotSet => Self::failed("secrets: granted but not set"),
            secrets::SecretError::Other(m) => Self::Unavailable(format!("secrets: {m}")),
        }
    }
}
