//! What hooks have prepared in an instance, for the one that replaces it.
//!
//! `snapshot-init` and `cron` run once per lane so that later hooks find in memory what they prepared. After a fault
//! that memory is gone. So the lane keeps these calls, the latest of each subscription that ended well, and makes them
//! again in the new instance before its next hook. What they return and write is a duplicate and is dropped.
//!
//! `isolation: fresh` has no memory between calls, and so nothing is repeated there.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tenter_model::TaskId;
use tenter_model::host::{CallCause, HookCall, HookFailure, LogLevel};
use tenter_model::id::{ModuleName, SubscriptionId};
use tenter_model::limits::CallLimits;
use tenter_model::module::Isolation;
use tenter_model::time::Timestamp;
use tenter_model::view::RunContext;

use super::Answer;
use crate::capability::tasks::Submission;
use crate::component::ModuleCode;
use crate::convert::view::run_to_wit;
use crate::guest::{Offer, Stage};
use crate::instance::Instance;

/// Wall time of all calls that are repeated for one instance. A module that cannot do it in that time serves without.
const ALL_OF_IT: Duration = Duration::from_secs(10);

/// A call that prepared something.
struct Prepared {
    subscription: SubscriptionId,
    id: String,
    time: Timestamp,
    what: What,
}

enum What {
    Init(RunContext),
    Cron(String),
}

/// The calls to repeat, by module and generation.
#[derive(Default)]
pub(super) struct Preparations(HashMap<(ModuleName, u64), Vec<Prepared>>);

impl Preparations {
    /// A `snapshot-init` has ended well. Those of other runs are over.
    pub(super) fn init(&mut self, call: &HookCall<'_>, run: &RunContext) {
        self.keep(|p| !matches!(&p.what, What::Init(other) if other.id != run.id));
        self.add(call, What::Init(run.clone()));
    }

    /// A slot of a timer has ended well.
    pub(super) fn cron(&mut self, call: &HookCall<'_>, arguments: &str) {
        self.add(call, What::Cron(arguments.to_owned()));
    }

    /// No run is on.
    pub(super) fn run_ended(&mut self) {
        self.keep(|p| !matches!(p.what, What::Init(_)));
    }

    /// As [`tenter_model::HookHost::retain`].
    pub(super) fn retain(&mut self, keep: &dyn Fn(&ModuleName, u64) -> bool) {
        self.0.retain(|(name, generation), _| keep(name, *generation));
    }

    fn keep(&mut self, keep: impl Fn(&Prepared) -> bool) {
        self.0.values_mut().for_each(|calls| calls.retain(&keep));
        self.0.retain(|_, calls| !calls.is_empty());
    }

    fn add(&mut self, call: &HookCall<'_>, what: What) {
        if call.module.settings.isolation == Isolation::Fresh {
            return;
        }
        let calls = self.0.entry((call.module.name.clone(), call.module.generation)).or_default();
        calls.retain(|p| p.subscription != *call.subscription);
        let prepared = Prepared { subscription: call.subscription.clone(), id: call.id.clone(), time: call.time, what };
        // The run first, then timers, each in the order of their calls.
        let at = match prepared.what {
            What::Init(_) => calls.iter().take_while(|p| matches!(p.what, What::Init(_))).count(),
            What::Cron(_) => calls.len(),
        };
        calls.insert(at, prepared);
    }

    /// Repeats the calls of the module in a new instance, but for the one that is about to be made anyhow. When one ends
    /// in a fault the instance is useless: none is tried again, and the failure says why.
    pub(super) fn repeat(
        &mut self,
        instance: &mut Instance,
        code: &ModuleCode,
        call: &HookCall<'_>,
    ) -> Result<(), HookFailure> {
        let key = (call.module.name.clone(), call.module.generation);
        let Some(calls) = self.0.get(&key) else { return Ok(()) };
        let until = Instant::now() + ALL_OF_IT;
        // Of the log, what `configure` wrote in this instance stays; the rest was logged when it happened.
        let (logs, dropped) = instance.room.guest_mut().call.take_logs();
        let mut done = Ok(());
        for prepared in calls.iter().filter(|p| p.subscription != *call.subscription) {
            let left = until.saturating_duration_since(Instant::now()).as_millis();
            let left = u64::try_from(left).unwrap_or(u64::MAX);
            done = prepared.call_again(instance, code, left);
            if done.is_err() {
                break;
            }
        }
        let guest = instance.room.guest_mut();
        guest.call.begin(&call.id, call.time, call.cause);
        (guest.call.logs, guest.call.logs_dropped) = (logs, dropped);
        if done.is_err() {
            self.0.remove(&key);
        }
        done
    }
}

impl Prepared {
    /// An error that the guest returns on purpose leaves the instance sound, and is its own business.
    fn call_again(&self, instance: &mut Instance, code: &ModuleCode, left_ms: u64) -> Result<(), HookFailure> {
        let family = match self.what {
            What::Init(_) => tenter_model::Family::Snapshot,
            What::Cron(_) => tenter_model::Family::Schedule,
        };
        let limits = code.facts.settings.call_limits(Some(family));
        let limits = CallLimits { deadline_ms: limits.deadline_ms.min(left_ms), ..limits };
        let guest = instance.room.guest_mut();
        guest.call.begin(&self.id, self.time, CallCause::Retry);
        if let What::Cron(_) = self.what {
            let slot = TaskId::of_slot(&code.facts.name, &self.subscription, self.time);
            let tasks = Submission::new(slot, &code.facts.name, &self.subscription, limits.output_tasks);
            guest.call.offer = Offer { tasks: Some(tasks), ..Offer::default() };
        }
        let exports = std::sync::Arc::clone(&instance.exports);
        let id = self.subscription.to_string();
        let answer = instance.room.enter(Stage::Hook, limits, |store| -> Answer<()> {
            Ok(match (&self.what, &exports.snapshot, &exports.schedule) {
                (What::Init(run), Some(guest), _) => guest.call_snapshot_init(store, &id, &run_to_wit(run))?.map(drop),
                (What::Cron(arguments), _, Some(guest)) => guest.call_cron(store, &id, arguments)?,
                _ => Ok(()),
            })
        });
        answer.map(drop)
    }
}

/// What the log of a call says whose instance could not be prepared.
pub(super) fn warning(failure: &HookFailure) -> (LogLevel, String) {
    let text = format!(
        "this new instance serves without what snapshot-init and cron had prepared, since repeating them failed ({}): {}",
        failure.reason, failure.message
    );
    (LogLevel::Warning, text)
}
