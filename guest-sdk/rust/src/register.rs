//! The registrar: which moments a module wants, and which method answers.
//!
//! One list per kind of hook, since order of declaration counts within a kind only, and since each kind then keeps
//! the type of its details and of its handler; nothing is looked up by a name of a kind.

use crate::bindings::cases::exports::tenter::hooks::cases::{AfterFilter, CaseFilter, MenuEntry};
use crate::bindings::imports::tenter::hooks::types::AttributeRef;
use crate::bindings::ingest::exports::tenter::hooks::ingest::{AttributeWatch, Creation};
use crate::bindings::schedule::exports::tenter::hooks::schedule::{CronFields, Timer, Timing};
use crate::bindings::snapshot::exports::tenter::hooks::snapshot::Correlation;
use crate::bindings::update::exports::tenter::hooks::update::Sweep;
use crate::case::{CaseObject, Context, Event, Judgement, ManualOutcome, Outcome, Proposal, Written};
use crate::error::{HookError, Result};
use crate::module::Request;
use crate::record::{Chunk, MasterRecord};
use crate::task::{Datapoint, EntityRef, IntoTasks, Task, Verdict};
use crate::view::{Correlated, IntoCorrelated, Run, View};

mod chosen;
#[cfg(test)]
mod tests;
pub use chosen::{Chosen, Cron, IntoPath, NO_PATHS};

/// One subscription with what answers it.
pub(crate) struct Hook<D, F: ?Sized> {
    pub(crate) id: String,
    pub(crate) details: D,
    pub(crate) call: Box<F>,
}

/// Answers with tasks to a task.
pub(crate) type OnTask<M, R> = dyn Fn(&mut M, &Task) -> Result<R>;

type Hooks<D, F> = Vec<Hook<D, F>>;

/// Collects the module's wishes. Each method takes what the kind needs to know and a method of the module, and
/// returns a [`Chosen`] that refines it, above all with an id of its own.
///
/// ```
/// use tenter_sdk::prelude::*;
/// struct Ports;
/// impl Module for Ports {
///     const TITLE: &'static str = "Counts ports";
///     fn new(_: &Config) -> Result<Self> { Ok(Self) }
///     fn register(&self, on: &mut Registrar<Self>) {
///         on.on_new_attribute("ip", "open_ports", Self::port).refresh(["services"]);
///         on.request("state", "");
///     }
/// }
/// impl Ports {
///     fn port(&mut self, ip: &EntityRef, dp: &Datapoint) -> Result<Task> {
///         state::increment(&format!("{ip}"), 1)?;
///         Ok(Task::on(ip.clone()).alongside("services", "some", dp))
///     }
/// }
/// ```
#[allow(clippy::type_complexity, reason = "each list names the signature of its kind, here and nowhere else")]
pub struct Registrar<M> {
    pub(crate) on_task_start: Hooks<(), OnTask<M, ()>>,
    pub(crate) allow_entity_creation: Hooks<String, OnTask<M, Verdict>>,
    pub(crate) on_entity_creation: Hooks<Creation, OnTask<M, Vec<Task>>>,
    pub(crate) on_new_attribute: Hooks<AttributeWatch, dyn Fn(&mut M, &EntityRef, &Datapoint) -> Result<Vec<Task>>>,
    pub(crate) snapshot_init: Hooks<(), dyn Fn(&mut M, &Run) -> Result<Vec<Task>>>,
    pub(crate) snapshot_finalize: Hooks<(), dyn Fn(&mut M, &Run) -> Result<Vec<Task>>>,
    pub(crate) timeseries: Hooks<AttributeRef, dyn Fn(&mut M, &EntityRef, &str, &[Chunk]) -> Result<Vec<Task>>>,
    pub(crate) correlate: Hooks<Correlation, dyn Fn(&mut M, &View) -> Result<Correlated>>,
    pub(crate) correlate_with_record: Hooks<Correlation, dyn Fn(&mut M, &View, &MasterRecord) -> Result<Correlated>>,
    pub(crate) update_record: Hooks<Sweep, dyn Fn(&mut M, &MasterRecord) -> Result<Vec<Task>>>,
    pub(crate) update_entity: Hooks<Sweep, dyn Fn(&mut M, &EntityRef) -> Result<Vec<Task>>>,
    pub(crate) cron: Hooks<Timer, dyn Fn(&mut M, &str) -> Result<()>>,
    pub(crate) before: Hooks<CaseFilter, dyn Fn(&mut M, &Context, &Event, &Proposal) -> Result<Judgement>>,
    pub(crate) after: Hooks<AfterFilter, dyn Fn(&mut M, &Context, &Event, &[Written]) -> Result<Outcome>>,
    pub(crate) manual: Hooks<MenuEntry, dyn Fn(&mut M, &Context, &Event, &[CaseObject]) -> Result<ManualOutcome>>,
    pub(crate) requests: Vec<Request>,
}

/// Adds a hook to its list and lends it out for refinement.
fn push<'a, D, F: ?Sized>(hooks: &'a mut Hooks<D, F>, id: String, details: D, call: Box<F>) -> Chosen<'a, D> {
    let hook = hooks.push_mut(Hook { id: chosen::clean(&id), details, call });
    Chosen { id: &mut hook.id, details: &mut hook.details }
}

impl<M> Registrar<M> {
    pub(crate) fn new() -> Self {
        Self {
            on_task_start: Vec::new(),
            allow_entity_creation: Vec::new(),
            on_entity_creation: Vec::new(),
            on_new_attribute: Vec::new(),
            snapshot_init: Vec::new(),
            snapshot_finalize: Vec::new(),
            timeseries: Vec::new(),
            correlate: Vec::new(),
            correlate_with_record: Vec::new(),
            update_record: Vec::new(),
            update_entity: Vec::new(),
            cron: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            manual: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// Asks the operator for a capability; asked is not granted. `scope` is its argument, empty where it has none.
    pub fn request(&mut self, capability: impl Into<String>, scope: impl Into<String>) {
        self.requests.push(Request { capability: capability.into(), scope: scope.into() });
    }

    /// First for every task, also for one that removes its entity.
    pub fn on_task_start(&mut self, call: impl Fn(&mut M, &Task) -> Result<()> + 'static) -> Chosen<'_, ()> {
        push(&mut self.on_task_start, "on-task-start".into(), (), Box::new(call))
    }

    /// An unknown entity of that type, before any side effect: may it come into being?
    pub fn allow_entity_creation(
        &mut self,
        etype: impl Into<String>,
        call: impl Fn(&mut M, &Task) -> Result<Verdict> + 'static,
    ) -> Chosen<'_, String> {
        let etype = etype.into();
        push(&mut self.allow_entity_creation, format!("allow-entity-creation:{etype}"), etype, Box::new(call))
    }

    /// A new entity of that type was accepted; its datapoints are not staged yet.
    pub fn on_entity_creation<R: IntoTasks>(
        &mut self,
        etype: impl Into<String>,
        call: impl Fn(&mut M, &Task) -> R + 'static,
    ) -> Chosen<'_, Creation> {
        let etype = etype.into();
        let id = format!("on-entity-creation:{etype}");
        let details = Creation { etype, refresh: false, may_change: Vec::new() };
        push(&mut self.on_entity_creation, id, details, Box::new(move |m, task| call(m, task).into_tasks()))
    }

    /// A datapoint of that attribute was staged.
    pub fn on_new_attribute<R: IntoTasks>(
        &mut self,
        etype: impl Into<String>,
        attr: impl Into<String>,
        call: impl Fn(&mut M, &EntityRef, &Datapoint) -> R + 'static,
    ) -> Chosen<'_, AttributeWatch> {
        let (etype, attr) = (etype.into(), attr.into());
        let id = format!("on-new-attribute:{etype}.{attr}");
        let details = AttributeWatch { etype, attr, refresh: false, may_change: Vec::new() };
        push(&mut self.on_new_attribute, id, details, Box::new(move |m, e, dp| call(m, e, dp).into_tasks()))
    }

    /// Start of a snapshot run, once per lane.
    pub fn snapshot_init<R: IntoTasks>(&mut self, call: impl Fn(&mut M, &Run) -> R + 'static) -> Chosen<'_, ()> {
        let call = Box::new(move |m: &mut M, run: &Run| call(m, run).into_tasks());
        push(&mut self.snapshot_init, "snapshot-init".into(), (), call)
    }

    /// End of a snapshot run, once per lane.
    pub fn snapshot_finalize<R: IntoTasks>(&mut self, call: impl Fn(&mut M, &Run) -> R + 'static) -> Chosen<'_, ()> {
        let call = Box::new(move |m: &mut M, run: &Run| call(m, run).into_tasks());
        push(&mut self.snapshot_finalize, "snapshot-finalize".into(), (), call)
    }

    /// Each stored history of that timeseries attribute, before current values are computed.
    pub fn timeseries<R: IntoTasks>(
        &mut self,
        etype: impl Into<String>,
        attr: impl Into<String>,
        call: impl Fn(&mut M, &EntityRef, &str, &[Chunk]) -> R + 'static,
    ) -> Chosen<'_, AttributeRef> {
        let details = AttributeRef { etype: etype.into(), attr: attr.into() };
        let id = format!("timeseries:{}.{}", details.etype, details.attr);
        push(&mut self.timeseries, id, details, Box::new(move |m, e, a, h| call(m, e, a, h).into_tasks()))
    }

    /// Current values of an entity of that type are computed. `depends_on` says what is read and which links are
    /// loaded, `may_change` what may be set; both decide the order of hooks.
    pub fn correlate<R: IntoCorrelated>(
        &mut self,
        etype: impl Into<String>,
        depends_on: impl IntoIterator<Item: IntoPath>,
        may_change: impl IntoIterator<Item: IntoPath>,
        call: impl Fn(&mut M, &View) -> R + 'static,
    ) -> Chosen<'_, Correlation> {
        let details = chosen::correlation(etype.into(), depends_on, may_change);
        let id = format!("correlate:{}", details.etype);
        push(&mut self.correlate, id, details, Box::new(move |m, view| call(m, view).into_correlated()))
    }

    /// As [`Self::correlate`], with the master record of the entity.
    pub fn correlate_with_record<R: IntoCorrelated>(
        &mut self,
        etype: impl Into<String>,
        depends_on: impl IntoIterator<Item: IntoPath>,
        may_change: impl IntoIterator<Item: IntoPath>,
        call: impl Fn(&mut M, &View, &MasterRecord) -> R + 'static,
    ) -> Chosen<'_, Correlation> {
        let details = chosen::correlation(etype.into(), depends_on, may_change);
        let id = format!("correlate-with-record:{}", details.etype);
        push(&mut self.correlate_with_record, id, details, Box::new(move |m, v, r| call(m, v, r).into_correlated()))
    }

    /// Every stored entity of that type, with its master record, once per period in seconds.
    pub fn update_record<R: IntoTasks>(
        &mut self,
        etype: impl Into<String>,
        period_seconds: u64,
        call: impl Fn(&mut M, &MasterRecord) -> R + 'static,
    ) -> Chosen<'_, Sweep> {
        let details = Sweep { etype: etype.into(), period_seconds };
        let id = format!("update-record:{}", details.etype);
        push(&mut self.update_record, id, details, Box::new(move |m, r| call(m, r).into_tasks()))
    }

    /// Every stored entity of that type, once per period in seconds.
    pub fn update_entity<R: IntoTasks>(
        &mut self,
        etype: impl Into<String>,
        period_seconds: u64,
        call: impl Fn(&mut M, &EntityRef) -> R + 'static,
    ) -> Chosen<'_, Sweep> {
        let details = Sweep { etype: etype.into(), period_seconds };
        let id = format!("update-entity:{}", details.etype);
        push(&mut self.update_entity, id, details, Box::new(move |m, e| call(m, e).into_tasks()))
    }

    /// Times of the clock, such as `Cron::new().minute("*/5")`. The handler gets the arguments of the subscription
    /// as JSON text; tasks go through [`crate::tasks::submit`].
    pub fn cron(&mut self, cron: Cron, call: impl Fn(&mut M, &str) -> Result<()> + 'static) -> Chosen<'_, Timer> {
        self.timer(Timing::Fields(cron.into()), call)
    }

    /// Once, when the runtime starts.
    pub fn once_at_start(&mut self, call: impl Fn(&mut M, &str) -> Result<()> + 'static) -> Chosen<'_, Timer> {
        self.timer(Timing::OnceAtStart, call)
    }

    fn timer(&mut self, timing: Timing, call: impl Fn(&mut M, &str) -> Result<()> + 'static) -> Chosen<'_, Timer> {
        let id = match &timing {
            Timing::Fields(fields) => chosen::cron_id(fields),
            Timing::OnceAtStart => "cron:once-at-start".into(),
        };
        push(&mut self.cron, id, Timer { timing, grace_seconds: 1, arguments: "null".into() }, Box::new(call))
    }

    /// Before a case object is written; `"*"` means every object or action that exists.
    pub fn before(
        &mut self,
        object: &str,
        action: &str,
        call: impl Fn(&mut M, &Context, &Event, &Proposal) -> Result<Judgement> + 'static,
    ) -> Chosen<'_, CaseFilter> {
        let details = CaseFilter { object: chosen::named(object), action: chosen::named(action) };
        push(&mut self.before, chosen::case_id("before", object, action), details, Box::new(call))
    }

    /// After a case object was written; `"*"` means every object or action that exists.
    pub fn after(
        &mut self,
        object: &str,
        action: &str,
        call: impl Fn(&mut M, &Context, &Event, &[Written]) -> Result<Outcome> + 'static,
    ) -> Chosen<'_, AfterFilter> {
        let details = AfterFilter { object: chosen::named(object), action: chosen::named(action), synchronous: false };
        push(&mut self.after, chosen::case_id("after", object, action), details, Box::new(call))
    }

    /// A person clicks the menu entry of that title on objects of that kind.
    pub fn manual(
        &mut self,
        object: &str,
        title: &str,
        call: impl Fn(&mut M, &Context, &Event, &[CaseObject]) -> Result<ManualOutcome> + 'static,
    ) -> Chosen<'_, MenuEntry> {
        let details = MenuEntry { object: object.to_owned(), title: title.to_owned() };
        push(&mut self.manual, format!("manual:{object}:{title}"), details, Box::new(call))
    }

    /// What is wrong with the subscriptions, if anything: ids that cannot be, or that come twice, or families that
    /// the component does not export.
    pub(crate) fn check(&self, exported: &[&str]) -> Result<()> {
        let mut seen: Vec<&str> = Vec::new();
        for (family, kind, id) in self.ids() {
            if !chosen::is_valid(id) {
                return Err(HookError::failed(format_args!(
                    "subscription id {id:?} of {kind} is not valid: expected a lower-case letter or digit, then \
                     lower-case letters, digits, _ . : or -, at most 64 characters; set one with `.id(...)`"
                )));
            }
            if seen.contains(&id) {
                return Err(HookError::failed(format_args!(
                    "two subscriptions have the id {id:?}; give one of them another with `.id(...)`"
                )));
            }
            if !exported.contains(&family) {
                return Err(HookError::failed(format_args!(
                    "subscription {id:?} needs the family `{family}`, which the component does not export; add it: \
                     `tenter_sdk::export!(...: {family})`"
                )));
            }
            seen.push(id);
        }
        Ok(())
    }

    /// Family, kind and id of every subscription.
    pub(crate) fn ids(&self) -> Vec<(&'static str, &'static str, &str)> {
        let mut all = Vec::new();
        macro_rules! list {
            ($($family:literal $kind:literal $hooks:ident;)*) => {
                $(all.extend(self.$hooks.iter().map(|h| ($family, $kind, h.id.as_str())));)*
            };
        }
        list! {
            "ingest" "on-task-start" on_task_start;
            "ingest" "allow-entity-creation" allow_entity_creation;
            "ingest" "on-entity-creation" on_entity_creation;
            "ingest" "on-new-attribute" on_new_attribute;
            "snapshot" "snapshot-init" snapshot_init;
            "snapshot" "snapshot-finalize" snapshot_finalize;
            "snapshot" "timeseries" timeseries;
            "snapshot" "correlate" correlate;
            "snapshot" "correlate-with-record" correlate_with_record;
            "update" "update-record" update_record;
            "update" "update-entity" update_entity;
            "schedule" "cron" cron;
            "cases" "before" before;
            "cases" "after" after;
            "cases" "manual" manual;
        }
        all
    }
}

/// The hook of that id.
pub(crate) fn find<'a, D, F: ?Sized>(hooks: &'a [Hook<D, F>], kind: &str, id: &str) -> Result<&'a Hook<D, F>> {
    hooks.iter().find(|h| same(&h.id, id)).ok_or_else(|| no_handler(kind, id))
}

/// Whether two texts are equal, eight bytes at a time: what wasm has for it goes byte by byte, and each call begins with
/// this.
fn same(a: &str, b: &str) -> bool {
    let ((a, a_rest), (b, b_rest)) = (a.as_bytes().as_chunks::<8>(), b.as_bytes().as_chunks::<8>());
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    a.len() == b.len()
        && a_rest.len() == b_rest.len()
        && a.iter().map(number).eq(b.iter().map(number))
        && a_rest.iter().eq(b_rest)
}

/// The hook of that id. A registration that an operator made (`operator:...`) is served by the hook of its kind that
/// fits the event, else by the first of its kind.
pub(crate) fn find_case<'a, D, F: ?Sized>(
    hooks: &'a [Hook<D, F>],
    kind: &str,
    id: &str,
    fits: impl Fn(&D) -> bool,
) -> Result<&'a Hook<D, F>> {
    if !id.starts_with("operator:") {
        return find(hooks, kind, id);
    }
    hooks.iter().find(|h| fits(&h.details)).or(hooks.first()).ok_or_else(|| no_handler(kind, id))
}

fn no_handler(kind: &str, id: &str) -> HookError {
    HookError::Failed(format!("no handler for {kind} subscription {id:?}"))
}

impl From<Cron> for CronFields {
    fn from(cron: Cron) -> Self {
        cron.0
    }
}
