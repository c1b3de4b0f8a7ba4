//! Case hooks as data: which objects and actions exist, with the names that IRIS gives them.
//!
//! Names such as `on_postload_ioc_create` are parsed and printed at the edge only; inside, an event is a phase, an
//! object and an action.
//!
//! The modules below say what objects are: `kind` and `table` are the one truth on their fields, which `validate` holds
//! requests against, `edit` the patches of modules, and `render` turns into records; `seed` is what a new store has.

pub mod call;
pub mod custom;
pub mod edit;
pub mod field;
#[cfg(test)]
mod fixture;
pub mod kind;
pub mod like;
pub mod look_up;
pub mod moment;
pub mod object;
pub mod render;
pub mod report;
mod rules;
pub mod seed;
mod shape;
mod table;
pub mod tags;
pub mod validate;

pub use call::{CaseEvent, CaseUser, Trigger};
pub use edit::{Edit, EditError};
pub use kind::ObjectKind;
pub use look_up::{LookUpKind, LookUpRow, Lookups};
pub use object::{Acting, Body, CaseObject, ObjectRef, Relation};
pub use rules::check_pattern;
pub use validate::{Accepted, FieldErrors};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::hook::{CaseFilter, Moment, Subscription};
use crate::id::SubscriptionId;

/// When, relative to the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// `on_preload_…`
    Before,
    /// `on_postload_…`
    After,
    /// `on_manual_trigger_…`
    Manual,
}

/// One case hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CaseHook {
    /// When.
    pub phase: Phase,
    /// The kind of object, in kebab case.
    pub object: &'static str,
    /// The action, in kebab case; empty for manual triggers.
    pub action: &'static str,
    /// Whether the IRIS hook reference of 2022 lists it; the others are of current IRIS.
    pub in_reference: bool,
}

impl CaseHook {
    /// The name in IRIS, such as `on_preload_global_task_create`.
    #[must_use]
    pub fn iris_name(&self) -> String {
        let object = self.object.replace('-', "_");
        match self.phase {
            Phase::Before => format!("on_preload_{object}_{}", self.action.replace('-', "_")),
            Phase::After => format!("on_postload_{object}_{}", self.action.replace('-', "_")),
            Phase::Manual => format!("on_manual_trigger_{object}"),
        }
    }
}

const fn hook(phase: Phase, object: &'static str, action: &'static str, in_reference: bool) -> CaseHook {
    CaseHook { phase, object, action, in_reference }
}

macro_rules! case_hooks {
    ($($object:literal: before[$($b:literal $(!$bx:ident)?),*] after[$($a:literal $(!$ax:ident)?),*] manual[$($m:ident)?];)*) => {
        /// Every case hook. `!more` marks the ones that the hook reference does not list.
        pub const TABLE: &[CaseHook] = &[$(
            $(hook(Phase::Before, $object, $b, true $(&& case_hooks!(@ $bx))?),)*
            $(hook(Phase::After, $object, $a, true $(&& case_hooks!(@ $ax))?),)*
            $(hook(Phase::Manual, $object, "", case_hooks!(@ $m)),)?
        )*];
    };
    (@ more) => { false };
    (@ listed) => { true };
}

case_hooks! {
    "case": before["create", "delete"] after["create", "delete", "update" !more] manual[more];
    "asset": before["create", "update", "delete"]
        after["create", "update", "delete", "commented" !more, "comment-update" !more, "comment-delete" !more] manual[listed];
    "note": before["create", "update", "delete"]
        after["create", "update", "delete", "commented" !more, "comment-update" !more, "comment-delete" !more] manual[listed];
    "ioc": before["create", "update", "delete"]
        after["create", "update", "delete", "commented" !more, "comment-update" !more, "comment-delete" !more] manual[listed];
    "event": before["create", "duplicate", "update", "delete"]
        after["create", "update", "delete", "commented" !more, "comment-update" !more, "comment-delete" !more] manual[listed];
    "evidence": before["create", "update", "delete"]
        after["create", "update", "delete", "commented" !more, "comment-update" !more, "comment-delete" !more] manual[listed];
    "task": before["create", "update", "delete"]
        after["create", "update", "delete", "commented" !more, "comment-update" !more, "comment-delete" !more] manual[listed];
    "global-task": before["create", "update", "delete"] after["create", "update", "delete"] manual[listed];
    "report": before["create"] after["create"] manual[];
    "activities-report": before["create"] after["create"] manual[];
    "alert": before[]
        after["create" !more, "delete" !more, "update" !more, "resolution-update" !more, "status-update" !more,
            "escalate" !more, "merge" !more, "unmerge" !more,
            "commented" !more, "comment-update" !more, "comment-delete" !more] manual[more];
}

/// The hook of that IRIS name.
#[must_use]
pub fn find(iris_name: &str) -> Option<&'static CaseHook> {
    TABLE.iter().find(|h| h.iris_name() == iris_name)
}

/// The subscription that stands for a registration which an operator made: `operator:` and the hook, and for menu
/// entries what tells their titles apart.
#[must_use]
pub fn operator_subscription(hook: &CaseHook, title: &str, asynchronous: bool) -> Option<Subscription> {
    let filter = CaseFilter { object: Some(hook.object.to_owned()), action: Some(hook.action.to_owned()) };
    let mut id = format!("operator:{}", hook.iris_name());
    let moment = match hook.phase {
        Phase::Before => Moment::Before(filter),
        Phase::After => Moment::After { filter, synchronous: !asynchronous },
        Phase::Manual => {
            let digest = Sha256::digest(title.as_bytes());
            id.push(':');
            id.extend(digest.iter().take(4).map(|byte| format!("{byte:02x}")));
            Moment::Manual { object: hook.object.to_owned(), title: title.to_owned() }
        }
    };
    // The names of all hooks are such that this is an id; a test goes through them.
    Some(Subscription { id: SubscriptionId::new(&id).ok()?, moment })
}

/// Whether any hook of the phase matches object and action; an absent name matches all.
#[must_use]
pub fn exists(phase: Phase, object: Option<&str>, action: Option<&str>) -> bool {
    TABLE
        .iter()
        .any(|h| h.phase == phase && object.is_none_or(|o| o == h.object) && action.is_none_or(|a| a == h.action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_58_listed_and_32_more() {
        assert_eq!(TABLE.iter().filter(|h| h.in_reference).count(), 58);
        assert_eq!(TABLE.iter().filter(|h| !h.in_reference).count(), 32);
        let mut names: Vec<_> = TABLE.iter().map(CaseHook::iris_name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 90);
        for name in &names {
            assert_eq!(find(name).map(CaseHook::iris_name).as_ref(), Some(name));
        }
        assert!(find("on_preload_event_duplicate").is_some_and(|h| h.in_reference));
        let ids = TABLE.iter().map(|hook| operator_subscription(hook, "Look up", true).unwrap().id);
        assert_eq!(ids.collect::<std::collections::BTreeSet<_>>().len(), 90);
        assert!(find("on_preload_case_update").is_none());
        assert!(find("on_postload_event_duplicate").is_none());
    }
}
