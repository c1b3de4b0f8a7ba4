//! Why something about a case object was not done.

use tenter_model::ModuleName;
use tenter_model::case::{FieldErrors, ObjectRef};
use tenter_store::{AccessLevel, StoreError};

/// Why something about a case object was not done. The words are for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// A module says that it may not be, or a module that was asked failed and the operator wants that to count as no.
    #[error("module {module} denies it: {reason}")]
    Denied {
        /// The module.
        module: ModuleName,
        /// Its words, on one line.
        reason: String,
    },
    /// Fields have values that they cannot have.
    #[error("{0}")]
    Fields(FieldErrors),
    /// There is no such object in the case.
    #[error("{0} does not exist")]
    NotFound(ObjectRef),
    /// The user may not do that with the case, or there is no such case: which of both is not told.
    #[error("permission denied: {} access to {} is needed", word(*.needed), case(*.case_id))]
    NoAccess {
        /// The case; `None`: an object that no case of the user's has.
        case_id: Option<i64>,
        /// What would be needed.
        needed: AccessLevel,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The server is about to end.
    #[error("the server is stopping; send it again")]
    Stopping,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CaseError {
    /// What the store said about a change of this object, in the words of this type where it has them.
    pub(super) fn of(error: StoreError, target: ObjectRef) -> Self {
        match error {
            StoreError::Fields(errors) => Self::Fields(errors),
            StoreError::NotFound(what) if what == target.to_string() => Self::NotFound(target),
            StoreError::Invalid(text) => Self::Invalid(text),
            other => Self::Store(other),
        }
    }
}

fn word(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::Full => "full",
        AccessLevel::Read => "read",
        AccessLevel::None => "no",
    }
}

fn case(id: Option<i64>) -> String {
    id.map_or_else(|| "a case that has it".to_owned(), |id| format!("case {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_read() {
        let module = ModuleName::new("gate").unwrap();
        let denied = CaseError::Denied { module, reason: "no customer".into() };
        let no = |case_id| CaseError::NoAccess { case_id, needed: AccessLevel::Full }.to_string();
        assert_eq!(denied.to_string(), "module gate denies it: no customer");
        assert_eq!(no(Some(7)), "permission denied: full access to case 7 is needed");
        assert_eq!(no(None), "permission denied: full access to a case that has it is needed");
    }
}
