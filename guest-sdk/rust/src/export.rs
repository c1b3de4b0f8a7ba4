//! From a [`Module`] to a component: one cell per component holds the instance, and the raw traits find their
//! handler in it.
//!
//! A component is entered by one call at a time, so the cell is borrowed for one call and never while borrowed.

use std::cell::RefCell;

use crate::case;
use crate::error::{HookError, Result};
use crate::module::{Config, Descriptor, Module, Request};
use crate::raw;
use crate::record::{Chunk, MasterRecord};
use crate::register::{Hook, Registrar, find, find_case};
use crate::task::{Datapoint, EntityRef, Task, Verdict};
use crate::view::{Correlated, Run, View};

/// What the author's `Cargo.toml` says; [`crate::export!`] reads it there.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// Description of the package.
    pub description: &'static str,
    /// Version of the package.
    pub version: &'static str,
}

/// A module that [`crate::export!`] was used for: the families it exports, and facts about its package.
pub trait Exported: Module {
    /// Names of the families.
    const FAMILIES: &'static [&'static str];
    /// Facts about the package.
    const PACKAGE: Package;
}

/// A configured module with its handlers.
pub(crate) struct Live<M> {
    pub(crate) module: M,
    pub(crate) on: Registrar<M>,
}

impl<M: Exported> Live<M> {
    /// Configures a module and checks what it registers.
    pub(crate) fn new(config: &Config) -> Result<Self> {
        let module = M::new(config)?;
        let mut on = Registrar::new();
        module.register(&mut on);
        on.check(M::FAMILIES)?;
        Ok(Self { module, on })
    }
}

/// Where a component keeps its instance.
pub struct Cell<M>(RefCell<Option<Live<M>>>);

impl<M> Default for Cell<M> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> Cell<M> {
    /// An instance that is not configured yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    fn call<R>(&self, f: impl FnOnce(&mut M, &Registrar<M>) -> Result<R>) -> Result<R> {
        let mut cell = self.0.borrow_mut();
        let live = cell.as_mut().ok_or_else(|| HookError::failed("called before `configure`"))?;
        f(&mut live.module, &live.on)
    }
}

/// The type that [`crate::export!`] declares in the author's crate.
pub trait Component: 'static {
    /// The module.
    type Module: Exported;
    /// Lends the component's one cell.
    fn with<R>(f: impl FnOnce(&Cell<Self::Module>) -> R) -> R;
}

/// Facts for `describe`.
pub(crate) fn describe<M: Exported>() -> Descriptor {
    Descriptor {
        title: M::TITLE.into(),
        description: M::PACKAGE.description.into(),
        version: M::PACKAGE.version.into(),
        parameters: M::parameters(),
    }
}

fn call<C: Component, R>(f: impl FnOnce(&mut C::Module, &Registrar<C::Module>) -> Result<R>) -> Result<R> {
    C::with(|cell| cell.call(f))
}

/// Subscriptions of one kind, as the contract carries them.
fn wishes<D: Clone, F: ?Sized, S>(hooks: &[Hook<D, F>], make: impl Fn(String, D) -> S) -> impl Iterator<Item = S> {
    hooks.iter().map(move |h| make(h.id.clone(), h.details.clone()))
}

/// What `subscriptions` of a family collects. It cannot fail: before `configure` there are none.
fn collect<C: Component, S>(f: impl FnOnce(&Registrar<C::Module>, &mut Vec<S>)) -> Vec<S> {
    let mut all = Vec::new();
    C::with(|cell| {
        if let Some(live) = cell.0.borrow().as_ref() {
            f(&live.on, &mut all);
        }
    });
    all
}

impl<C: Component> raw::Module for C {
    fn describe() -> Descriptor {
        describe::<C::Module>()
    }

    fn configure(config: String) -> Result<Vec<Request>> {
        let live = Live::new(&Config::new(config))?;
        let requests = live.on.requests.clone();
        C::with(|cell| *cell.0.borrow_mut() = Some(live));
        Ok(requests)
    }
}

impl<C: Component> raw::Ingest for C {
    fn subscriptions() -> Vec<raw::ingest::Subscription> {
        use raw::ingest::{Moment, Subscription};
        collect::<C, _>(|on, all| {
            all.extend(wishes(&on.on_task_start, |id, ()| Subscription { id, moment: Moment::OnTaskStart }));
            all.extend(wishes(&on.allow_entity_creation, |id, etype| Subscription {
                id,
                moment: Moment::AllowEntityCreation(etype),
            }));
            all.extend(wishes(&on.on_entity_creation, |id, d| Subscription {
                id,
                moment: Moment::OnEntityCreation(d),
            }));
            all.extend(wishes(&on.on_new_attribute, |id, d| Subscription { id, moment: Moment::OnNewAttribute(d) }));
        })
    }

    fn on_task_start(id: String, task: Task) -> Result<()> {
        call::<C, _>(|m, on| (find(&on.on_task_start, "on-task-start", &id)?.call)(m, &task))
    }

    fn allow_entity_creation(id: String, task: Task) -> Result<Verdict> {
        call::<C, _>(|m, on| (find(&on.allow_entity_creation, "allow-entity-creation", &id)?.call)(m, &task))
    }

    fn on_entity_creation(id: String, task: Task) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.on_entity_creation, "on-entity-creation", &id)?.call)(m, &task))
    }

    fn on_new_attribute(id: String, entity: EntityRef, datapoint: Datapoint) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.on_new_attribute, "on-new-attribute", &id)?.call)(m, &entity, &datapoint))
    }
}

impl<C: Component> raw::Snapshot for C {
    fn subscriptions() -> Vec<raw::snapshot::Subscription> {
        use raw::snapshot::{Moment, Subscription};
        collect::<C, _>(|on, all| {
            all.extend(wishes(&on.snapshot_init, |id, ()| Subscription { id, moment: Moment::SnapshotInit }));
            all.extend(wishes(&on.snapshot_finalize, |id, ()| Subscription { id, moment: Moment::SnapshotFinalize }));
            all.extend(wishes(&on.timeseries, |id, d| Subscription { id, moment: Moment::Timeseries(d) }));
            all.extend(wishes(&on.correlate, |id, d| Subscription { id, moment: Moment::Correlate(d) }));
            all.extend(wishes(&on.correlate_with_record, |id, d| Subscription {
                id,
                moment: Moment::CorrelateWithRecord(d),
            }));
        })
    }

    fn snapshot_init(id: String, run: Run) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.snapshot_init, "snapshot-init", &id)?.call)(m, &run))
    }

    fn snapshot_finalize(id: String, run: Run) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.snapshot_finalize, "snapshot-finalize", &id)?.call)(m, &run))
    }

    fn timeseries(id: String, entity: EntityRef, attr: String, history: Vec<Chunk>) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.timeseries, "timeseries", &id)?.call)(m, &entity, &attr, &history))
    }

    fn correlate(id: String, view: View) -> Result<Correlated> {
        call::<C, _>(|m, on| (find(&on.correlate, "correlate", &id)?.call)(m, &view))
    }

    fn correlate_with_record(id: String, view: View, master: MasterRecord) -> Result<Correlated> {
        call::<C, _>(|m, on| (find(&on.correlate_with_record, "correlate-with-record", &id)?.call)(m, &view, &master))
    }
}

impl<C: Component> raw::Update for C {
    fn subscriptions() -> Vec<raw::update::Subscription> {
        use raw::update::{Moment, Subscription};
        collect::<C, _>(|on, all| {
            all.extend(wishes(&on.update_record, |id, d| Subscription { id, moment: Moment::UpdateRecord(d) }));
            all.extend(wishes(&on.update_entity, |id, d| Subscription { id, moment: Moment::UpdateEntity(d) }));
        })
    }

    fn update_record(id: String, master: MasterRecord) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.update_record, "update-record", &id)?.call)(m, &master))
    }

    fn update_entity(id: String, entity: EntityRef) -> Result<Vec<Task>> {
        call::<C, _>(|m, on| (find(&on.update_entity, "update-entity", &id)?.call)(m, &entity))
    }
}

impl<C: Component> raw::Schedule for C {
    fn subscriptions() -> Vec<raw::schedule::Subscription> {
        use raw::schedule::{Moment, Subscription};
        collect::<C, _>(|on, all| {
            all.extend(wishes(&on.cron, |id, d| Subscription { id, moment: Moment::Cron(d) }));
        })
    }

    fn cron(id: String, arguments: String) -> Result<()> {
        call::<C, _>(|m, on| (find(&on.cron, "cron", &id)?.call)(m, &arguments))
    }
}

impl<C: Component> raw::Cases for C {
    fn subscriptions() -> Vec<raw::cases::Subscription> {
        use raw::cases::{Moment, Subscription};
        collect::<C, _>(|on, all| {
            all.extend(wishes(&on.before, |id, d| Subscription { id, moment: Moment::Before(d) }));
            all.extend(wishes(&on.after, |id, d| Subscription { id, moment: Moment::After(d) }));
            all.extend(wishes(&on.manual, |id, d| Subscription { id, moment: Moment::Manual(d) }));
        })
    }

    fn before(
        id: String,
        context: case::Context,
        event: case::Event,
        proposal: case::Proposal,
    ) -> Result<case::Judgement> {
        call::<C, _>(|m, on| {
            let hook = find_case(&on.before, "before", &id, |d| fits(&d.object, &d.action, &event))?;
            (hook.call)(m, &context, &event, &proposal)
        })
    }

    fn after(
        id: String,
        context: case::Context,
        event: case::Event,
        objects: Vec<case::Written>,
    ) -> Result<case::Outcome> {
        call::<C, _>(|m, on| {
            let hook = find_case(&on.after, "after", &id, |d| fits(&d.object, &d.action, &event))?;
            (hook.call)(m, &context, &event, &objects)
        })
    }

    fn manual(
        id: String,
        context: case::Context,
        event: case::Event,
        objects: Vec<case::CaseObject>,
    ) -> Result<case::ManualOutcome> {
        call::<C, _>(|m, on| {
            let hook = find_case(&on.manual, "manual", &id, |d| d.object == event.object)?;
            (hook.call)(m, &context, &event, &objects)
        })
    }
}

/// Whether a filter lets an event through.
pub(crate) fn fits(object: &Option<String>, action: &Option<String>, event: &case::Event) -> bool {
    object.as_ref().is_none_or(|o| *o == event.object)
        && action.as_ref().is_none_or(|a| Some(a) == event.action.as_ref())
}

/// Makes a component of a [`Module`]: `export!(Label: ingest)`, with every family that it registers for: `ingest`,
/// `snapshot`, `update`, `schedule`, `cases`. Once per crate. Outside wasm it only records the families, for tests.
///
/// Another name is a compile error:
/// ```compile_fail
/// # use tenter_sdk::prelude::*;
/// # struct Label;
/// # impl Module for Label {
/// #     const TITLE: &'static str = "";
/// #     fn new(_: &Config) -> Result<Self> { Ok(Self) }
/// #     fn register(&self, _: &mut Registrar<Self>) {}
/// # }
/// tenter_sdk::export!(Label: ingestion);
/// ```
#[macro_export]
macro_rules! export {
    ($module:ty : $($family:ident),+ $(,)?) => {
        $($crate::__known_family!($family);)+

        impl $crate::Exported for $module {
            const FAMILIES: &'static [&'static str] = &[$(::core::stringify!($family)),+];
            const PACKAGE: $crate::Package = $crate::Package {
                description: ::core::env!("CARGO_PKG_DESCRIPTION"),
                version: ::core::env!("CARGO_PKG_VERSION"),
            };
        }

        // Uses the module where no component does, so that it does not count as dead code.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn(&$crate::Config) -> $crate::Result<$module> = <$module as $crate::Module>::new;

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            ::std::thread_local! {
                static CELL: $crate::__rt::Cell<$module> = const { $crate::__rt::Cell::new() };
            }

            impl $crate::__rt::Component for Component {
                type Module = $module;
                fn with<R>(f: impl FnOnce(&$crate::__rt::Cell<$module>) -> R) -> R {
                    CELL.with(f)
                }
            }

            $crate::__export_families!(Component: $($family),+);
        };
    };
}

/// Makes a component of a type that implements the traits of [`crate::raw`]: `export_raw!(Type: ingest, cases)`.
#[macro_export]
macro_rules! export_raw {
    ($component:ident : $($family:ident),+ $(,)?) => {
        $($crate::__known_family!($family);)+

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            $crate::__export_families!($component: $($family),+);
        };
    };
}

/// The mandatory interface and the named ones.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_families {
    ($component:ident : $($family:ident),+) => {
        $crate::bindings::module::export_module!($component with_types_in $crate::bindings::module);
        $($crate::__export_family!($component $family);)+
    };
}

/// One interface.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_family {
    ($component:ident ingest) => {
        $crate::bindings::ingest::export_ingest!($component with_types_in $crate::bindings::ingest);
    };
    ($component:ident snapshot) => {
        $crate::bindings::snapshot::export_snapshot!($component with_types_in $crate::bindings::snapshot);
    };
    ($component:ident update) => {
        $crate::bindings::update::export_update!($component with_types_in $crate::bindings::update);
    };
    ($component:ident schedule) => {
        $crate::bindings::schedule::export_schedule!($component with_types_in $crate::bindings::schedule);
    };
    ($component:ident cases) => {
        $crate::bindings::cases::export_cases!($component with_types_in $crate::bindings::cases);
    };
}

/// Refuses other names, also where no component is made.
#[doc(hidden)]
#[macro_export]
macro_rules! __known_family {
    (ingest) => {};
    (snapshot) => {};
    (update) => {};
    (schedule) => {};
    (cases) => {};
    ($other:ident) => {
        ::core::compile_error!(::core::concat!(
            "`",
            ::core::stringify!($other),
            "` is no family of hooks; expected ingest, snapshot, update, schedule or cases"
        ));
    };
}
