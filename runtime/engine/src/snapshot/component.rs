//! One component from its records to its documents, readable from top to bottom in [`Work::documents`].
//!
//! Hook by hook over all entities, so that a later hook sees what an earlier one wrote on a linked entity. An entity
//! without used links is a component of one.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use tenter_model::history;
use tenter_model::host::{CallCause, HookFailure, Reason};
use tenter_model::module::Undeclared;
use tenter_model::record::History;
use tenter_model::schema::AttributeKind;
use tenter_model::snapshot::change::{self, Checked};
use tenter_model::snapshot::group::Group;
use tenter_model::snapshot::plan::Step;
use tenter_model::snapshot::{current, fold};
use tenter_model::view::{Correlated, EntityView, View, ViewSource};
use tenter_model::{AttrName, EntityRef, HookKind, MasterRecord, TaskBody, TaskId, Timestamp};
use tenter_store::{Document, Reader, StoreError};

use super::calls::{About, Caller};
use super::{Run, SnapshotError};
use crate::call::check;
use crate::call::note::Judged;
use crate::registry::Bound;

/// An entity of the component.
struct Member {
    entity: EntityRef,
    /// Names the work on it.
    work: TaskId,
    /// Kept as far as a hook is given it.
    record: Option<MasterRecord>,
    revision: Option<u64>,
    unchanged_until: Option<Timestamp>,
    partial: bool,
}

/// The values of the component, read by hooks through the import `views` while the run changes them between calls.
struct Values(RwLock<Group>);

impl ViewSource for Values {
    fn entity_view(&self, entity: &EntityRef) -> Option<EntityView> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(entity).cloned()
    }
}

impl Values {
    fn view(&self, entity: &EntityRef, step: &Step) -> Option<View> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).view(entity, step)
    }
}

/// Computes components.
pub(super) struct Work<'w, 'c> {
    pub(super) run: &'w Run<'w>,
    pub(super) reader: &'w Reader,
    pub(super) caller: &'w mut Caller<'c>,
}

impl Work<'_, '_> {
    /// The documents of one component. `is_part`: links lead out of it that are not followed.
    pub(super) fn documents(
        &mut self,
        records: Vec<(EntityRef, Option<MasterRecord>)>,
        is_part: bool,
    ) -> Result<Vec<Document>, SnapshotError> {
        let mut views = Vec::with_capacity(records.len());
        let mut members = Vec::with_capacity(records.len());
        let mut missing = HashSet::new();
        for (entity, record) in records {
            if !self.run.keep_empty && record.as_ref().is_none_or(|r| r.attributes.is_empty()) {
                missing.insert(entity);
                continue;
            }
            let (member, view) = self.member(entity, record, is_part)?;
            members.push(member);
            views.push(view);
        }
        if !missing.is_empty() {
            for view in &mut views {
                let etype = view.entity.etype.clone();
                let is_used = |attr: &AttrName| self.run.plan.used.contains(&etype, attr);
                current::drop_links_to_nothing(self.run.schema(), view, is_used, |target| !missing.contains(target));
            }
        }
        let values = Arc::new(Values(RwLock::new(Group::new(views))));
        self.correlate(&values, &mut members)?;

        let values = Arc::try_unwrap(values).map_or_else(
            // A host kept the values for longer than the call; it has no reason to.
            |shared| shared.0.read().unwrap_or_else(PoisonError::into_inner).clone(),
            |own| own.0.into_inner().unwrap_or_else(PoisonError::into_inner),
        );
        let mut documents = Vec::with_capacity(members.len());
        for (member, view) in members.iter().zip(values.into_views()) {
            if self.run.keep_empty || !current::is_empty(&view) {
                documents.push(Document::new(&view, member.partial, member.revision, member.unchanged_until)?);
            }
        }
        Ok(documents)
    }

    /// Timeseries hooks, then current values.
    fn member(
        &mut self,
        entity: EntityRef,
        mut record: Option<MasterRecord>,
        is_part: bool,
    ) -> Result<(Member, EntityView), SnapshotError> {
        // Only calls need the id, and making it is not free.
        let is_called = self.run.plan.has_steps(&entity.etype)
            || self.run.registry.snapshot().timeseries.contains_key(&entity.etype);
        let work = if is_called { TaskId::part_of(self.run.id, &entity) } else { self.run.id };
        if let Some(record) = &mut record {
            self.timeseries(&entity, work, record);
        }
        let time = self.run.context.time;
        let mirrors = self.mirrors(&entity)?;
        let view = current::current_values(self.run.schema(), &entity, record.as_ref(), &mirrors, time);
        let revision = record.as_ref().map(|r| r.revision);
        let unchanged_until = if self.run.plan.is_idle(&entity.etype) {
            record.as_ref().and_then(|record| unchanged_until(self.run, &entity, record))
        } else {
            Some(time)
        };
        let record = record.filter(|_| self.run.plan.needs_record(&entity.etype));
        Ok((Member { entity, work, record, revision, unchanged_until, partial: is_part }, view))
    }

    /// Calls timeseries hooks and takes what they say of this entity into the record, in memory.
    fn timeseries(&mut self, entity: &EntityRef, work: TaskId, record: &mut MasterRecord) {
        let Some(hooks) = self.run.registry.snapshot().timeseries.get(&entity.etype) else { return };
        let mut folded: Vec<TaskBody> = Vec::new();
        for (attr, history) in &record.attributes {
            let (History::Timeseries(chunks), Some(hooks)) = (history, hooks.get(attr)) else { continue };
            let spec = self.run.schema().attribute(entity.etype.as_str(), attr.as_str());
            if !spec.is_some_and(|s| matches!(s.kind, AttributeKind::Timeseries { .. })) {
                continue;
            }
            for bound in hooks {
                let about = About { work, entity: Some(entity), stage: 0, cause: CallCause::Normal };
                let hook = (bound, HookKind::Timeseries);
                let tasks =
                    self.caller.call_for_tasks(hook, about, |host, call| host.timeseries(call, entity, attr, chunks));
                folded.extend(tasks.into_iter().flatten());
            }
        }
        fold::fold(record, entity, &folded, self.run.context.time);
    }

    /// What links to the entity, by its mirror attributes.
    fn mirrors(&self, entity: &EntityRef) -> Result<Vec<(AttrName, Vec<EntityRef>)>, StoreError> {
        let Some(spec) = self.run.schema().entity(entity.etype.as_str()) else { return Ok(Vec::new()) };
        let mut mirrors = Vec::new();
        for attribute in spec.attributes() {
            let AttributeKind::Plain { mirror_of: Some((etype, attr)), .. } = &attribute.kind else { continue };
            let sources = self.reader.linked_by(entity, etype, attr, self.run.context.time)?;
            let source = |eid| EntityRef { etype: etype.clone(), eid };
            mirrors.push((attribute.id.clone(), sources.into_iter().map(source).collect()));
        }
        Ok(mirrors)
    }

    /// Hook by hook, each over all entities of its type.
    fn correlate(&mut self, values: &Arc<Values>, members: &mut [Member]) -> Result<(), SnapshotError> {
        let mut types: Vec<_> = members.iter().map(|m| &m.entity.etype).collect();
        types.sort_unstable();
        types.dedup();
        let steps = self.run.plan.steps_of(&types);
        for (step, bound) in steps {
            let mut doubtful: Vec<EntityRef> = Vec::new();
            for member in members.iter_mut().filter(|m| m.entity.etype == step.etype) {
                self.run.go_on()?;
                let Some(view) = values.view(&member.entity, step) else { continue };
                let done = if step.is_refresh() {
                    self.refresh(step, bound, member, &view)
                } else {
                    self.call(step, bound, member, &view, values)
                };
                match done {
                    Some(checked) => {
                        self.run.report_undeclared(bound, step, &checked, self.caller, &member.entity);
                        let mut group = values.0.write().unwrap_or_else(PoisonError::into_inner);
                        group.apply(self.run.schema(), checked);
                    }
                    None => {
                        member.partial = true;
                        let could = view.linked.into_iter().map(|linked| linked.entity);
                        doubtful.extend(could.filter(|linked| may_set(step, linked)));
                    }
                }
            }
            if !doubtful.is_empty() {
                let doubtful: HashSet<EntityRef> = doubtful.into_iter().collect();
                members.iter_mut().filter(|m| doubtful.contains(&m.entity)).for_each(|m| m.partial = true);
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        step: &Step,
        bound: &Bound,
        member: &Member,
        view: &View,
        values: &Arc<Values>,
    ) -> Option<Checked> {
        let about = About { work: member.work, entity: Some(&member.entity), stage: 0, cause: CallCause::Normal };
        let judged = self.caller.call(
            (bound, step.kind),
            about,
            |host, call| {
                let deeper: Option<Arc<dyn ViewSource>> = Some(values.clone());
                match step.kind {
                    HookKind::CorrelateWithRecord => {
                        host.correlate_with_record(call, view, member.record.as_ref(), deeper)
                    }
                    _ => host.correlate(call, view, deeper),
                }
            },
            |schema, call, Correlated { changes, tasks }| {
                let tasks = check::tasks(schema, call, tasks)?;
                check::changes(call.module, &changes)?;
                let strict = bound.module.settings.may_change == Undeclared::Strict;
                let changes = change::check(schema, step, view, changes, strict).map_err(|errors| {
                    let errors: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
                    HookFailure::new(Reason::InvalidOutput, errors.join("; "))
                })?;
                Ok(Judged { changes, tasks })
            },
        )?;
        self.caller.take((bound, step.kind), about, judged.tasks);
        Some(judged.changes)
    }

    /// Calls a hook of ingestion again for what is stored; plain datapoints of the entity enter its values.
    fn refresh(&mut self, step: &Step, bound: &Bound, member: &Member, view: &View) -> Option<Checked> {
        let hook = (bound, step.kind);
        let entity = &member.entity;
        let about = |stage| About { work: member.work, entity: Some(entity), stage, cause: CallCause::Refresh };
        let mut bodies = Vec::new();
        match &step.attr {
            None => {
                let empty = TaskBody::new(entity.clone());
                let made =
                    self.caller.call_for_tasks(hook, about(0), |host, call| host.on_entity_creation(call, &empty));
                bodies.extend(made?);
            }
            Some(attr) => {
                let spec = self.run.schema().attribute(entity.etype.as_str(), attr.as_str())?;
                let time = self.run.context.time;
                let stored = member.record.as_ref().map(|record| fold::stored_datapoints(spec, record, time));
                for (stage, dp) in (0u32..).zip(stored.unwrap_or_default()) {
                    let made = self
                        .caller
                        .call_for_tasks(hook, about(stage), |host, call| host.on_new_attribute(call, entity, &dp));
                    bodies.extend(made?);
                }
            }
        }
        let changes = change::of_refresh(self.run.schema(), entity, &bodies);
        // The tasks were accepted, so their values fit.
        change::check(self.run.schema(), step, view, changes, false).ok()
    }
}

/// Whether a step declares that it sets something of entities of this type, other than its root.
fn may_set(step: &Step, linked: &EntityRef) -> bool {
    step.may_change.iter().any(|path| path.destination().0 == linked.etype)
}

/// Until when the current values of a record stay as they are if nothing new arrives.
fn unchanged_until(run: &Run<'_>, entity: &EntityRef, record: &MasterRecord) -> Option<Timestamp> {
    let spec = run.schema().entity(entity.etype.as_str())?;
    let ends = spec.attributes().iter().filter_map(|attribute| {
        let AttributeKind::Observations { history: params, .. } = &attribute.kind else { return None };
        let Some(History::Observations(points)) = record.attributes.get(&attribute.id) else { return None };
        history::unchanged_until(points, params, run.context.time)
    });
    ends.min()
}
