//! What a module may do to case objects.
//!
//! An effect is a wish. It needs a grant of the module for that kind of object, and it may not do what the user who
//! caused the call may not do himself: a menu entry is no way around access. Patches of one object become one change, of
//! the version that the module saw if it said so. All effects of a call are applied together, or none is.

use serde_json::Value;
use tenter_model::case::call::{Attachment, CaseEffect};
use tenter_model::case::validate::validate_create_without;
use tenter_model::case::{Body, Edit, EditError, ObjectKind, ObjectRef, Phase, edit};
use tenter_model::host::{HookCall, HookFailure, Reason};
use tenter_model::limits::MAX_DEPTH;
use tenter_model::module::EffectHooks;
use tenter_store::{AccessLevel, CaseWorld, Change, HookJob, NewObject, ObjectChange};

use super::deed::Deed;
use super::{CaseError, Cases, after, objects, place};

/// Where a note says in which directory it is.
const DIRECTORY: &str = "directory_id";

/// Effects that may be applied.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Checked {
    pub(super) changes: Vec<ObjectChange>,
    pub(super) creations: Vec<NewObject>,
}

/// Patches of one object.
struct Merged {
    target: ObjectRef,
    expected_version: Option<u64>,
    edits: Vec<Edit>,
    /// The place of the first, for words.
    index: usize,
}

impl Cases {
    /// Checks the effects of a call against grants, access and the objects as they are.
    pub(super) fn check_effects(
        &self,
        call: &HookCall<'_>,
        job: &HookJob,
        effects: &[CaseEffect],
        world: &CaseWorld<'_>,
    ) -> Result<Checked, HookFailure> {
        let mut merged: Vec<Merged> = Vec::new();
        let mut checked = Checked::default();
        for (index, effect) in effects.iter().enumerate() {
            let kind = match effect {
                CaseEffect::Patch { target, .. } => target.kind,
                CaseEffect::Create { kind, .. } => *kind,
            };
            granted(call, kind).map_err(|message| failure(Reason::NotGranted, index, &message))?;
            match effect {
                CaseEffect::Patch { target, expected_version, edits } => {
                    match merged.iter_mut().find(|patch| patch.target == *target) {
                        Some(patch) => {
                            patch.expected_version = patch.expected_version.or(*expected_version);
                            patch.edits.extend(edits.iter().cloned());
                        }
                        None => merged.push(Merged {
                            target: *target,
                            expected_version: *expected_version,
                            edits: edits.clone(),
                            index,
                        }),
                    }
                }
                CaseEffect::Create { kind, case_id, body, attachments } => {
                    let new = self.creation(call, job, (*kind, *case_id, body, attachments), world);
                    checked.creations.push(new.map_err(|why| why.at(index))?);
                }
            }
        }
        for patch in merged {
            let index = patch.index;
            checked.changes.extend(self.change_of(call, job, patch, world).map_err(|why| why.at(index))?);
        }
        Ok(checked)
    }

    /// The change that patches of an object come down to; none when they change nothing.
    fn change_of(
        &self,
        call: &HookCall<'_>,
        job: &HookJob,
        patch: Merged,
        world: &CaseWorld<'_>,
    ) -> Result<Option<ObjectChange>, Refusal> {
        let Merged { target, expected_version, edits, .. } = patch;
        let inside = job.case_id.filter(|case_id| world.object_in(target, Some(*case_id)).is_some());
        let reached = place::reach(world, job.user_id, target, inside, AccessLevel::Full)?;
        let object = &reached.object;
        let body = edit::apply(object, expected_version, &edits, reached.case_id, world)?;
        if body == object.body {
            return Ok(None);
        }
        let hook = Deed::Update.hook(Phase::After, target.kind, object.about.map(|about| about.kind));
        Ok(Some(ObjectChange {
            target,
            case_id: reached.case_id,
            expected_version,
            change: Change::Patch(edits),
            action: "updated".into(),
            jobs: self.calls(call, job, hook),
        }))
    }

    fn creation(
        &self,
        call: &HookCall<'_>,
        job: &HookJob,
        (kind, case_id, body, attachments): (ObjectKind, Option<i64>, &Body, &[Attachment]),
        world: &CaseWorld<'_>,
    ) -> Result<NewObject, Refusal> {
        if !attachments.is_empty() {
            return Err(Refusal::Wrong("attachments of new objects are not taken by this version".into()));
        }
        if kind == ObjectKind::Comment {
            return Err(Refusal::Wrong("comments are made by people, not by modules".into()));
        }
        let homeless = matches!(kind, ObjectKind::Case | ObjectKind::GlobalTask);
        let case_id = case_id.or(job.case_id).filter(|_| !homeless);
        objects::may_create(world, job.user_id, kind, case_id, None)?;
        // A module does not know which directories of notes a case has: without one its notes go into its own.
        let lacks = Some(DIRECTORY).filter(|field| kind == ObjectKind::Note && !body.contains_key(*field));
        let directory = lacks.map(|_| call.module.name.to_string());
        let accepted = validate_create_without(kind, &Value::Object(body.clone()), case_id, lacks, world)
            .map_err(|errors| Refusal::Wrong(errors.to_string()))?;
        let jobs = self.calls(call, job, Deed::Create.hook(Phase::After, kind, None));
        Ok(NewObject { kind, case_id, about: None, accepted, directory, random: self.random(), jobs })
    }

    /// The jobs of hooks that an effect calls, where the operator wants that and it is not too deep.
    fn calls(
        &self,
        call: &HookCall<'_>,
        job: &HookJob,
        hook: Option<&'static tenter_model::case::CaseHook>,
    ) -> Vec<tenter_store::NewJob> {
        if call.module.settings.effect_hooks == EffectHooks::Quiet {
            return Vec::new();
        }
        let depth = after::depth(job) + 1;
        if depth > u64::from(MAX_DEPTH) {
            tracing::warn!(module = %call.module.name, job = job.id, depth, "effects call no more hooks at this depth");
            return Vec::new();
        }
        self.after_effect(hook, depth)
    }
}

fn granted(call: &HookCall<'_>, kind: ObjectKind) -> Result<(), String> {
    let module = call.module;
    if module.settings.is_granted("case-write", kind.name()) {
        return Ok(());
    }
    Err(format!("changing objects of kind {kind} needs a grant: tenter grant {} case-write {kind}", module.name))
}

/// Why an effect is not applied.
enum Refusal {
    /// The user who caused the call may not do it.
    Access(CaseError),
    /// It is wrong in itself.
    Wrong(String),
    /// The object has changed since the module saw it.
    Changed(String),
}

impl Refusal {
    fn at(self, index: usize) -> HookFailure {
        match self {
            Self::Access(CaseError::NotFound(target)) => {
                failure(Reason::InvalidOutput, index, &format!("{target} does not exist"))
            }
            Self::Access(error) => {
                failure(Reason::NotGranted, index, &format!("the user who caused the call may not do that: {error}"))
            }
            Self::Wrong(message) => failure(Reason::InvalidOutput, index, &message),
            Self::Changed(message) => failure(Reason::Unavailable, index, &message),
        }
    }
}

impl From<CaseError> for Refusal {
    fn from(error: CaseError) -> Self {
        Self::Access(error)
    }
}

impl From<EditError> for Refusal {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Changed { .. } => Self::Changed(error.to_string()),
            _ => Self::Wrong(error.to_string()),
        }
    }
}

fn failure(reason: Reason, index: usize, message: &str) -> HookFailure {
    HookFailure::new(reason, format!("effects[{index}]: {message}"))
}
