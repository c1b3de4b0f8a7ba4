//! Making, changing, deleting and copying objects.

use serde_json::{Value, json};
use tenter_model::case::field::Shape;
use tenter_model::case::object::{closing, reopening};
use tenter_model::case::render::Joins;
use tenter_model::case::validate::{validate_create, validate_update};
use tenter_model::case::{
    Accepted, Body, CaseEvent, CaseHook, CaseObject, ObjectKind, ObjectRef, Phase, kind::Home, seed,
};
use tenter_store::{AccessLevel, CaseWorld, Change, Changed, Created, NewObject, ObjectChange, Removal, Removed};

use super::before::{Asked, AskedOf};
use super::deed::Deed;
use super::place::{self, Reached};
use super::{CaseContext, CaseError, Cases, CreateRequest, ObjectRequest, UpdateRequest, data};

/// What the title of a copied event begins with, as in IRIS.
const COPY: &str = "[DUPLICATED] - ";
/// Characters of a title at most.
const TITLE: usize = 1024;
/// Fields of an event that a copy does not take over.
const OWN: [&str; 2] = ["event_added", "user_id"];

impl Cases {
    /// Makes an object: access, hooks before, check, write, hooks after.
    ///
    /// The object of the answer is as synchronous hooks left it. [`tenter_store::Novelty`] tells whether an indicator is
    /// new.
    ///
    /// # Errors
    /// [`CaseError`]; nothing was written then.
    pub fn create(&self, request: CreateRequest) -> Result<Created, CaseError> {
        let CreateRequest { kind, case_id, about, body, context } = request;
        self.see(&context, case_id, |world| may_create(world, context.user.id, kind, case_id, about))??;
        let about_kind = about.map(|about| about.kind);
        let hook = Deed::Create.hook(Phase::Before, kind, about_kind);
        let asked = Asked { hook, context: &context, case_id, subject: AskedOf::New(kind) };
        let request = Value::Object(self.before(&asked, body)?);
        let checked = self.see(&context, case_id, |world| validate_create(kind, &request, case_id, world))?;
        let accepted = checked.map_err(CaseError::Fields)?;
        let new =
            NewObject { kind, case_id, about, accepted, directory: None, random: self.random(), jobs: Vec::new() };
        self.write_new(new, &context)
    }

    /// Changes an object. Cases have no hook before it, as in IRIS.
    ///
    /// # Errors
    /// [`CaseError`]; nothing was written then.
    pub fn update(&self, request: UpdateRequest) -> Result<Changed, CaseError> {
        let UpdateRequest { target, case_id, body, context } = request;
        let Reached { object, case_id } = self.reach(&context, target, case_id, AccessLevel::Full)?;
        let hook = Deed::Update.hook(Phase::Before, target.kind, object.about.map(|about| about.kind));
        let asked = Asked { hook, context: &context, case_id, subject: AskedOf::Change(&object) };
        let request = Value::Object(self.before(&asked, body)?);
        let checked = self.see(&context, case_id, |world| validate_update(&object, &request, case_id, world))?;
        let accepted = checked.map_err(CaseError::Fields)?;
        self.change(&object, case_id, Change::Request(accepted), "updated", &context)
    }

    /// Closes a case. `Changed.new` is as synchronous hooks left it.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn close_case(&self, case_id: i64, context: &CaseContext) -> Result<Changed, CaseError> {
        self.set_state(case_id, closing(context.now), "closed", context)
    }

    /// Opens a closed case again.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn reopen_case(&self, case_id: i64, context: &CaseContext) -> Result<Changed, CaseError> {
        self.set_state(case_id, reopening(), "reopened", context)
    }

    /// Deletes an object. An indicator that another case has too is only taken out of this one, and then `gone` is empty
    /// and no hook after it is called.
    ///
    /// # Errors
    /// [`CaseError`]; [`CaseError::Invalid`] for the first case.
    pub fn delete(&self, request: ObjectRequest) -> Result<Removed, CaseError> {
        let ObjectRequest { target, case_id, context } = request;
        if target.kind == ObjectKind::Case && target.id == seed::FIRST {
            return Err(CaseError::Invalid("the first case cannot be deleted: who has no other works in it".into()));
        }
        let Reached { object, case_id } = self.reach(&context, target, case_id, AccessLevel::Full)?;
        let about = object.about.map(|about| about.kind);
        self.ask_fixed(Deed::Delete.hook(Phase::Before, target.kind, about), &context, case_id, &object)?;
        let (jobs, waits) =
            self.after(Deed::Delete.hook(Phase::After, target.kind, about), &context, &Value::Null).split();
        let removal = Removal { target, case_id, expected_version: None, jobs };
        let removed = self.0.store.delete_object(removal, context.by());
        let removed = removed.map_err(|error| CaseError::of(error, target))?;
        self.wait_for(&waits, &removed.jobs);
        Ok(removed)
    }

    /// Copies an event of a timeline, with what it is linked to. The hook before it sees the event that is copied, the
    /// hook after it the new one.
    ///
    /// # Errors
    /// [`CaseError`].
    pub fn duplicate_event(&self, request: ObjectRequest) -> Result<Created, CaseError> {
        let ObjectRequest { target, case_id, context } = request;
        if target.kind != ObjectKind::Event {
            return Err(CaseError::Invalid(format!("{target} is no event; only events can be duplicated")));
        }
        let Reached { object, case_id } = self.reach(&context, target, case_id, AccessLevel::Full)?;
        let hook = CaseEvent::hook(Phase::Before, target.kind.name(), "duplicate");
        self.ask_fixed(hook, &context, case_id, &object)?;
        let accepted = self.see(&context, case_id, |world| copied(&object, world))?;
        let kind = ObjectKind::Event;
        let (random, jobs) = (self.random(), Vec::new());
        let new = NewObject { kind, case_id, about: None, accepted, directory: None, random, jobs };
        self.write_new(new, &context)
    }

    fn set_state(
        &self,
        case_id: i64,
        fields: Body,
        action: &'static str,
        context: &CaseContext,
    ) -> Result<Changed, CaseError> {
        let target = ObjectRef { kind: ObjectKind::Case, id: case_id };
        let Reached { object, case_id } = self.reach(context, target, Some(case_id), AccessLevel::Full)?;
        self.change(&object, case_id, Change::Server(fields), action, context)
    }

    fn change(
        &self,
        object: &CaseObject,
        case_id: Option<i64>,
        change: Change,
        action: &str,
        context: &CaseContext,
    ) -> Result<Changed, CaseError> {
        let target = object.target;
        let hook = Deed::Update.hook(Phase::After, target.kind, object.about.map(|about| about.kind));
        let (jobs, waits) = self.after(hook, context, &Value::Null).split();
        let change = ObjectChange { target, case_id, expected_version: None, change, action: action.into(), jobs };
        let changed = self.0.store.change_object(change, context.by());
        let mut changed = changed.map_err(|error| CaseError::of(error, target))?;
        if self.wait_for(&waits, &changed.jobs) {
            changed.new = self.as_it_is(changed.new)?;
        }
        Ok(changed)
    }

    fn write_new(&self, new: NewObject, context: &CaseContext) -> Result<Created, CaseError> {
        let target = ObjectRef { kind: new.kind, id: 0 };
        let hook = Deed::Create.hook(Phase::After, new.kind, new.about.map(|about| about.kind));
        let (jobs, waits) = self.after(hook, context, &Value::Null).split();
        let created = self.0.store.create_object(NewObject { jobs, ..new }, context.by());
        let mut created = created.map_err(|error| CaseError::of(error, target))?;
        if self.wait_for(&waits, &created.jobs) {
            created.object = self.as_it_is(created.object)?;
        }
        Ok(created)
    }

    /// The object as hooks that the request waited for left it.
    fn as_it_is(&self, written: CaseObject) -> Result<CaseObject, CaseError> {
        let now = self.read(None, None, |world| world.object_in(written.target, None))?;
        Ok(now.unwrap_or(written))
    }

    /// Asks about what only is or is not to be; modules, where there are any, see the record of the object.
    fn ask_fixed(
        &self,
        hook: Option<&'static CaseHook>,
        context: &CaseContext,
        case_id: Option<i64>,
        object: &CaseObject,
    ) -> Result<(), CaseError> {
        if self.askers(hook).is_none() {
            return Ok(());
        }
        let body = self.see(context, case_id, |world| data::record(object, world))?;
        let subject = AskedOf::Fixed(object.target.id);
        self.before(&Asked { hook, context, case_id, subject }, body).map(drop)
    }

    /// The object as the user who acts may touch it.
    pub(super) fn reach(
        &self,
        context: &CaseContext,
        target: ObjectRef,
        case_id: Option<i64>,
        needed: AccessLevel,
    ) -> Result<Reached, CaseError> {
        self.see(context, case_id, |world| place::reach(world, context.user.id, target, case_id, needed))?
    }

    /// Reads as the user who acts.
    pub(super) fn see<T>(
        &self,
        context: &CaseContext,
        case_id: Option<i64>,
        read: impl FnOnce(&CaseWorld<'_>) -> T,
    ) -> Result<T, CaseError> {
        self.read(Some(context.user.id), case_id, read)
    }
}

/// Whether the user may make such an object there.
pub(super) fn may_create(
    world: &CaseWorld<'_>,
    user_id: i64,
    kind: ObjectKind,
    case_id: Option<i64>,
    about: Option<ObjectRef>,
) -> Result<(), CaseError> {
    match (kind, about) {
        (ObjectKind::Comment, Some(about)) => {
            place::reach(world, user_id, about, case_id, AccessLevel::Full)?;
        }
        (ObjectKind::Comment, None) => return Err(CaseError::Invalid("a comment is about an object".into())),
        _ => {}
    }
    match case_id {
        Some(case_id) => place::may_enter(world, user_id, case_id, AccessLevel::Full),
        None if kind == ObjectKind::Ioc || (kind.info().home == Home::Case && about.is_none()) => {
            Err(CaseError::Invalid(format!("an object of kind {kind} needs a case")))
        }
        None => Ok(()),
    }
}

/// What a copy of an event is made of.
fn copied(event: &CaseObject, world: &CaseWorld<'_>) -> Accepted {
    let mut accepted = Accepted::default();
    for field in event.target.kind.info().fields {
        match field.shape {
            Shape::Links(relation) => accepted.links.push((relation, world.far(relation, event.target.id))),
            _ => {
                // What an event makes of who acts and when is the copy's own.
                let value = event.body.get(field.name).filter(|_| field.is_stored() && !OWN.contains(&field.name));
                accepted.fields.extend(value.map(|value| (field.name.to_owned(), value.clone())));
            }
        }
    }
    let title: String = COPY.chars().chain(event.label().chars()).take(TITLE).collect();
    accepted.fields.insert("event_title".into(), json!(title));
    accepted
}
