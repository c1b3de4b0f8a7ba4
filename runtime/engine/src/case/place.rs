//! Who may touch what: the one place that decides about access to case objects.
//!
//! Access is a matter of cases. An object that lives in a case is reached through that case alone; an indicator through
//! each case that has it; a task of no case is open to whoever has an account. Whether a user may make cases, or see
//! look-up tables, is a matter of roles, which is not decided here.

use tenter_model::case::render::Joins;
use tenter_model::case::{CaseObject, ObjectKind, ObjectRef, Relation};
use tenter_store::{AccessLevel, CaseWorld};

use super::CaseError;

/// An object that a user may touch, with the case through which it is reached.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reached {
    pub(crate) object: CaseObject,
    pub(crate) case_id: Option<i64>,
}

/// Whether a user may do so much with a case.
pub(crate) fn may_enter(
    world: &CaseWorld<'_>,
    user_id: i64,
    case_id: i64,
    needed: AccessLevel,
) -> Result<(), CaseError> {
    if world.level(user_id, case_id) >= needed {
        return Ok(());
    }
    Err(CaseError::NoAccess { case_id: Some(case_id), needed })
}

/// The object, if the user may do so much with it. Access is asked first, so that who has none does not learn what there
/// is.
pub(crate) fn reach(
    world: &CaseWorld<'_>,
    user_id: i64,
    target: ObjectRef,
    case_id: Option<i64>,
    needed: AccessLevel,
) -> Result<Reached, CaseError> {
    let find = |case_id| world.object_in(target, case_id).ok_or(CaseError::NotFound(target));
    match (target.kind, case_id) {
        (ObjectKind::GlobalTask, _) => Ok(Reached { object: find(None)?, case_id }),
        (ObjectKind::Case, _) => {
            may_enter(world, user_id, target.id, needed)?;
            Ok(Reached { object: find(None)?, case_id: Some(target.id) })
        }
        (_, Some(id)) => {
            may_enter(world, user_id, id, needed)?;
            Ok(Reached { object: find(case_id)?, case_id })
        }
        (ObjectKind::Ioc, None) => {
            let object = find(None)?;
            let cases = world.far(Relation::IocCase, target.id);
            let open = cases.into_iter().find(|case| world.level(user_id, *case) >= needed);
            let case_id = Some(open.ok_or(CaseError::NoAccess { case_id: None, needed })?);
            Ok(Reached { object, case_id })
        }
        (_, None) => {
            let object = find(None)?;
            let home = object.case_id.ok_or(CaseError::NoAccess { case_id: None, needed })?;
            may_enter(world, user_id, home, needed).map_err(|_| CaseError::NoAccess { case_id: None, needed })?;
            Ok(Reached { case_id: Some(home), object })
        }
    }
}
