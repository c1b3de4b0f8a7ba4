//! Hooks of a snapshot run, one by one and as a whole.

use super::{Harness, all, flat};
use crate::error::{HookError, Result};
use crate::export::{Exported, Live};
use crate::raw::snapshot::Correlation;
use crate::record::{Chunk, MasterRecord};
use crate::register::Registrar;
use crate::task::{EntityRef, Task};
use crate::testing::fake::host;
use crate::testing::group::Group;
use crate::view::{Correlated, Run, View};

impl<M: Exported> Harness<M> {
    /// A snapshot run begins.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn snapshot_init(&mut self, run: &Run) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        flat(all("snapshot-init", &on.snapshot_init, |()| true, |call| call(module, run)))
    }

    /// A snapshot run ends.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn snapshot_finalize(&mut self, run: &Run) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        flat(all("snapshot-finalize", &on.snapshot_finalize, |()| true, |call| call(module, run)))
    }

    /// The module sees the history of a timeseries.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn timeseries(&mut self, entity: impl Into<EntityRef>, attr: &str, history: &[Chunk]) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let entity = entity.into();
        let fits = |d: &crate::bindings::imports::tenter::hooks::types::AttributeRef| {
            d.etype == entity.etype && d.attr == attr
        };
        flat(all("timeseries", &on.timeseries, fits, |call| call(module, &entity, attr, history)))
    }

    /// The module sees current values. Changes of several subscriptions are joined, not applied in between.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn correlate(&mut self, view: &View) -> Result<Correlated> {
        let Live { module, on } = &mut self.live;
        let fits = |d: &crate::raw::snapshot::Correlation| d.etype == view.root.entity.etype;
        join(all("correlate", &on.correlate, fits, |call| call(module, view)))
    }

    /// The module sees current values and the master record.
    ///
    /// # Errors
    /// The hook's, or no subscription.
    pub fn correlate_with_record(&mut self, view: &View, record: &MasterRecord) -> Result<Correlated> {
        let Live { module, on } = &mut self.live;
        let fits = |d: &crate::raw::snapshot::Correlation| d.etype == view.root.entity.etype;
        join(all("correlate-with-record", &on.correlate_with_record, fits, |call| call(module, view, record)))
    }

    /// A whole run over linked entities: `snapshot_init`; each correlation hook of the module over all entities of its
    /// type, hook by hook in the order that `depends_on` and `may_change` give; `snapshot_finalize`. Each hook sees what
    /// its paths name, as earlier hooks left it, and what it asks for beyond; the group then holds what all of them made of it. Master records are
    /// those that the [`crate::testing::host`] knows. Returns the tasks of all hooks.
    ///
    /// # Errors
    /// The first error of a hook, a change of an entity that the hook did not see, and a cycle of hooks.
    pub fn snapshot(&mut self, group: &mut Group) -> Result<Vec<Task>> {
        let Live { module, on } = &mut self.live;
        let run = Run { id: "test-run".into(), time: host(|h| h.now.as_micros()) };
        let mut tasks = Vec::new();
        for hook in &on.snapshot_init {
            tasks.extend((hook.call)(module, &run)?);
        }
        for step in ordered(on, group)? {
            let of_type = group.entities().iter().filter(|e| e.entity.etype == step.details.etype);
            for entity in of_type.map(|e| e.entity.clone()).collect::<Vec<_>>() {
                let Some(root) = group.find(&entity) else { continue };
                let view = group.seen(root, step.details);
                host(|h| h.views = group.entities().to_vec());
                let correlated = (step.call)(module, &view)?;
                if let Some(change) = correlated.changes.iter().find(|c| view.find(&c.entity).is_none()) {
                    return Err(HookError::failed(format_args!(
                        "{} changed {} of {}, which its view of {entity} does not hold: name a path to it in `depends_on`",
                        step.id, change.attr, change.entity
                    )));
                }
                group.apply(&correlated);
                tasks.extend(correlated.tasks);
            }
        }
        for hook in &on.snapshot_finalize {
            tasks.extend((hook.call)(module, &run)?);
        }
        Ok(tasks)
    }
}

type Look<'a, M> = dyn Fn(&mut M, &View) -> Result<Correlated> + 'a;

/// A correlation hook of either kind.
struct Step<'a, M> {
    id: &'a str,
    details: &'a Correlation,
    call: Box<Look<'a, M>>,
}

/// The correlation hooks, those first whose changes others depend on; else in order of declaration.
fn ordered<'a, M>(on: &'a Registrar<M>, group: &Group) -> Result<Vec<Step<'a, M>>> {
    let plain = on.correlate.iter().map(|h| Step { id: &h.id, details: &h.details, call: Box::new(&*h.call) });
    let with_record = on.correlate_with_record.iter().map(|h| Step {
        id: &h.id,
        details: &h.details,
        call: Box::new(|m: &mut M, view: &View| (h.call)(m, view, &known(view.entity()))),
    });
    let mut left: Vec<Step<'a, M>> = plain.chain(with_record).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |step: &Step<'_, M>| {
            let reads = places(group, step.details, &step.details.depends_on);
            let others = left.iter().filter(|other| other.id != step.id);
            others.flat_map(|o| places(group, o.details, &o.details.may_change)).any(|place| reads.contains(&place))
        };
        let Some(next) = left.iter().position(|step| !waits(step)) else {
            let ids: Vec<&str> = left.iter().map(|step| step.id).collect();
            return Err(HookError::failed(format_args!("hooks depend on each other in a cycle: {}", ids.join(", "))));
        };
        ordered.push(left.remove(next));
    }
    Ok(ordered)
}

/// Entity type and attribute that each path ends at; links are followed in the data at hand.
fn places(group: &Group, details: &Correlation, paths: &[Vec<String>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in paths {
        let Some((last, steps)) = path.split_last() else { continue };
        let mut types = vec![details.etype.clone()];
        for attr in steps {
            let from = group.entities().iter().filter(|e| types.contains(&e.entity.etype));
            types = from.flat_map(|e| e.targets(attr)).map(|target| target.etype.clone()).collect();
        }
        found.extend(types.into_iter().map(|etype| (etype, last.clone())));
    }
    found
}

/// The master record that the host knows; an empty one without.
fn known(entity: &EntityRef) -> MasterRecord {
    let stored = host(|h| h.records.get(&(entity.etype.clone(), entity.eid.clone())).cloned());
    stored.unwrap_or_else(|| MasterRecord {
        entity: entity.clone(),
        created: None,
        revision: 0,
        ttl_tokens: Vec::new(),
        attributes: Vec::new(),
    })
}

fn join(outputs: Result<Vec<Correlated>>) -> Result<Correlated> {
    let mut joined = Correlated::nothing();
    for one in outputs? {
        joined.changes.extend(one.changes);
        joined.tasks.extend(one.tasks);
    }
    Ok(joined)
}
