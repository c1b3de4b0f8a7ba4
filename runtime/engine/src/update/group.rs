//! Which hooks share a sweep, and into how many steps it is divided.

use tenter_model::hook::{Moment, Sweep};
use tenter_model::module::LoadedModule;
use tenter_model::{HookKind, ModuleName, SubscriptionId};
use tenter_store::SweepGroup;

use crate::registry::{Bound, Registry};

/// Hooks that share a sweep, in the order of registration.
pub(super) struct Group<'a> {
    pub(super) key: SweepGroup,
    pub(super) hooks: Vec<(&'a Bound, HookKind)>,
}

impl Group<'_> {
    /// Names the group in ids.
    pub(super) fn name(&self) -> String {
        let SweepGroup { etype, period_seconds, eid_only } = &self.key;
        format!("{etype}:{period_seconds}:{eid_only}")
    }

    pub(super) fn hook_names(&self) -> Vec<String> {
        self.hooks.iter().map(|(bound, _)| format!("{}/{}", bound.module.name, bound.subscription)).collect()
    }
}

/// A period is shorter than that of batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "subscription {subscription:?} of module {module} asks for a sweep each {period_seconds} s, but batches are made each \
     {batch_seconds} s (`update_batch_period` in updater.yml); ask for a period of {batch_seconds} s or more, or make \
     batches more often"
)]
pub struct TooShort {
    /// The module.
    pub module: ModuleName,
    /// Its subscription.
    pub subscription: SubscriptionId,
    /// What it asks for.
    pub period_seconds: u64,
    /// The period of batches.
    pub batch_seconds: u64,
}

pub(super) fn check_periods(module: &LoadedModule, batch_period: i64) -> Result<(), TooShort> {
    for subscription in &module.subscriptions {
        if let Moment::UpdateRecord(sweep) | Moment::UpdateEntity(sweep) = &subscription.moment
            && is_too_short(sweep, batch_period)
        {
            return Err(TooShort {
                module: module.name.clone(),
                subscription: subscription.id.clone(),
                period_seconds: sweep.period_seconds,
                batch_seconds: u64::try_from(batch_period).unwrap_or(0).div_ceil(1_000_000),
            });
        }
    }
    Ok(())
}

fn is_too_short(sweep: &Sweep, batch_period: i64) -> bool {
    micros(sweep.period_seconds) < batch_period
}

fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

/// Steps of a sweep: the batches that fit into its period.
pub(super) fn steps(period_seconds: u64, batch_period: i64) -> u32 {
    u32::try_from(micros(period_seconds) / batch_period.max(1)).unwrap_or(u32::MAX).max(1)
}

/// The groups of all loaded modules. Hooks with too short a period, which admission refuses but a changed configuration
/// can bring about, are left out.
pub(super) fn groups(registry: &Registry, batch_period: i64) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (bound, kind, sweep) in registry.sweeps() {
        if is_too_short(sweep, batch_period) {
            tracing::warn!(
                module = %bound.module.name, subscription = %bound.subscription,
                "not called: its period is shorter than that of batches"
            );
            continue;
        }
        let eid_only = *kind == HookKind::UpdateEntity;
        let key = SweepGroup { etype: sweep.etype.clone(), period_seconds: sweep.period_seconds, eid_only };
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.hooks.push((bound, *kind)),
            None => groups.push(Group { key, hooks: vec![(bound, *kind)] }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_as_many_steps_as_batches_fit_into_it() {
        for (period, batch_s, want) in [(60, 60, 1), (119, 60, 1), (120, 60, 2), (86_400, 300, 288), (10, 60, 1)] {
            assert_eq!(steps(period, batch_s * 1_000_000), want, "{period} {batch_s}");
        }
        assert_eq!(steps(u64::MAX, 1), u32::MAX);
        assert_eq!(steps(60, 0), 60_000_000);
    }
}
