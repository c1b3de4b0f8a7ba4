//! What is done to objects, as hooks call it.

use tenter_model::case::{CaseEvent, CaseHook, ObjectKind, Phase};

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Create,
    Update,
    Delete,
}

impl Deed {
    /// Its hook of a phase, if there is one. What happens to a remark is an event of what it is about.
    pub(super) fn hook(self, phase: Phase, kind: ObjectKind, about: Option<ObjectKind>) -> Option<&'static CaseHook> {
        let (object, action) = match (kind, about, self) {
            (ObjectKind::Comment, Some(about), Self::Create) => (about, "commented"),
            (ObjectKind::Comment, Some(about), Self::Update) => (about, "comment-update"),
            (ObjectKind::Comment, Some(about), Self::Delete) => (about, "comment-delete"),
            (_, _, Self::Create) => (kind, "create"),
            (_, _, Self::Update) => (kind, "update"),
            (_, _, Self::Delete) => (kind, "delete"),
        };
        CaseEvent::hook(phase, object.name(), action)
    }
}
