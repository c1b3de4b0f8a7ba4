//! Why a hook ran for an entity, or did not.
//!
//! A pure function from what is known (modules as they are now, the record, calls and failures that are kept, dead
//! letters) to one [`Finding`] for each subscription that concerns the entity. What is not known is said as such: calls
//! that went well are kept by sample, so that a missing record of one proves nothing.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;
use tenter_engine::DRIVEN;
use tenter_model::breaker::{Breaker, State};
use tenter_model::hook::{Moment, Subscription};
use tenter_model::record::History;
use tenter_model::{EntityRef, HookKind, MasterRecord, ModuleName, SubscriptionId, Timestamp};
use tenter_store::{DeadRow, ErrorRow, InvocationOutcome, StoredInvocation};

use crate::modules::ModuleView;

/// What is known.
pub(crate) struct Facts {
    /// The entity asked about.
    pub(crate) entity: EntityRef,
    /// What is stored of it.
    pub(crate) record: Option<MasterRecord>,
    /// All modules, in calling order.
    pub(crate) modules: Vec<ModuleView>,
    /// Subscriptions that an operator switched off.
    pub(crate) off: HashSet<(ModuleName, SubscriptionId)>,
    /// Hooks that broke rules lately.
    pub(crate) breakers: BTreeMap<(ModuleName, HookKind), Breaker>,
    /// Calls about the entity, newest first.
    pub(crate) calls: Vec<StoredInvocation>,
    /// Failures about the entity, newest first.
    pub(crate) errors: Vec<ErrorRow>,
    /// Dead letters of the entity, newest first.
    pub(crate) dead: Vec<DeadRow>,
}

/// What became of one subscription.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// The module.
    pub(crate) module: ModuleName,
    /// Its version now; empty when it is gone.
    pub(crate) version: String,
    /// The kind of hook.
    pub(crate) hook: HookKind,
    /// The subscription.
    pub(crate) subscription: SubscriptionId,
    /// `ran`, `denied`, `failed`, `unrecorded` or `not-run`.
    pub(crate) verdict: &'static str,
    /// Stable code of the reason why it did not run, or would not run now.
    pub(crate) code: Option<&'static str>,
    /// The same in words, with what to do.
    pub(crate) because: String,
    /// The last call that is kept.
    pub(crate) last: Option<Last>,
}

/// A call that is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Last {
    invocation: Option<String>,
    at: String,
    version: String,
    outcome: &'static str,
    reason: Option<String>,
    attempt: u32,
    fuel: u64,
    micros: u64,
    /// What it returned, or why it failed.
    output: Value,
}

/// A reason: its stable code and its words.
type Reason = (&'static str, String);

/// One finding for each subscription that concerns the entity, in calling order; of one kind of hook alone if one is
/// named. Last come calls of subscriptions that are gone.
pub(crate) fn explain(facts: &Facts, only: Option<HookKind>) -> Vec<Finding> {
    let etype = &facts.entity.etype;
    let mut findings = Vec::new();
    for module in &facts.modules {
        for subscription in &module.subscriptions {
            let kind = subscription.moment.kind();
            let about = match subscription.moment.subject().0 {
                Some(subject) => subject == etype,
                None => kind == HookKind::OnTaskStart,
            };
            if about && only.is_none_or(|only| only == kind) {
                findings.push(finding(facts, module, subscription));
            }
        }
    }
    for call in &facts.calls {
        let row = &call.row;
        let known = |f: &Finding| f.module == row.module && f.subscription == row.subscription && f.hook == row.hook;
        if only.is_none_or(|only| only == row.hook) && !findings.iter().any(known) {
            let last = Last::of_call(call);
            let because = "the module or this subscription of it is not there any more".to_owned();
            let verdict = ran(&last);
            findings.push(Finding {
                module: row.module.clone(),
                version: String::new(),
                hook: row.hook,
                subscription: row.subscription.clone(),
                verdict,
                code: Some("gone"),
                because,
                last: Some(last),
            });
        }
    }
    findings
}

fn finding(facts: &Facts, module: &ModuleView, subscription: &Subscription) -> Finding {
    let kind = subscription.moment.kind();
    let last = last(facts, &module.name, subscription);
    let blocked = blocked(facts, module, subscription);
    let (verdict, code, because) = match (&last, blocked) {
        (Some(last), None) => (ran(last), None, words(last)),
        (Some(last), Some((code, now))) => (ran(last), Some(code), format!("{}; now: {now}", words(last))),
        (None, Some((code, because))) => ("not-run", Some(code), because),
        (None, None) => match not_due(facts, module, subscription) {
            Some((code, because)) => ("not-run", Some(code), because),
            None => ("unrecorded", None, unrecorded(module)),
        },
    };
    Finding {
        module: module.name.clone(),
        version: module.version.clone(),
        hook: kind,
        subscription: subscription.id.clone(),
        verdict,
        code,
        because,
        last,
    }
}

/// Why the hook is not called at present, whatever the entity.
fn blocked(facts: &Facts, module: &ModuleView, subscription: &Subscription) -> Option<Reason> {
    let (name, kind) = (&module.name, subscription.moment.kind());
    if !module.enabled {
        return Some(("module-disabled", format!("module {name} is disabled; tenter module enable {name}")));
    }
    if let Some(problem) = &module.problem {
        return Some(("module-broken", format!("module {name} cannot be loaded: {problem}")));
    }
    if !module.missing_grants.is_empty() {
        let missing = module.missing_grants.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Some((
            "grants-missing",
            format!("module {name} lacks what it asks for: {missing}; tenter grant {name} CAPABILITY SCOPE"),
        ));
    }
    if facts.off.contains(&(name.clone(), subscription.id.clone())) {
        let id = &subscription.id;
        return Some(("switched-off", format!("an operator switched it off; tenter hook register {name} {id}")));
    }
    if let Some(breaker) = facts.breakers.get(&(name.clone(), kind)) {
        let until = match breaker.state {
            State::Closed | State::HalfOpen { .. } => None,
            State::Open { until } => Some(format!("until {until}")),
            State::Quarantined => Some("until an operator releases it".to_owned()),
        };
        if let Some(until) = until {
            let why = &breaker.reason;
            return Some((
                "paused",
                format!("it is paused {until} after faults ({why}); tenter module release {name} --hook {kind}"),
            ));
        }
    }
    (!DRIVEN.contains(&kind)).then(|| ("not-driven", format!("this server does not call {kind} hooks")))
}

/// Why the hook was never due for this entity.
fn not_due(facts: &Facts, module: &ModuleView, subscription: &Subscription) -> Option<Reason> {
    let entity = &facts.entity;
    let Some(record) = &facts.record else {
        let denied = facts.calls.iter().find(|call| call.row.outcome == InvocationOutcome::Denied);
        return Some(match (denied, facts.dead.first()) {
            (Some(call), _) => {
                let why = call.row.reason.as_deref().unwrap_or("no reason was given");
                ("entity-denied", format!("module {} denied {entity}: {why}", call.row.module))
            }
            (None, Some(letter)) => (
                "dead-letter",
                format!(
                    "the task of {entity} ended as a dead letter: {}; tenter deadletter show {}",
                    letter.letter.message, letter.seq
                ),
            ),
            (None, None) => {
                ("no-entity", format!("{entity} is not stored: no task of it was applied, or it was removed"))
            }
        });
    };
    let first = module.versions.iter().map(|version| version.uploaded_at).min().unwrap_or(module.uploaded_at);
    match &subscription.moment {
        Moment::AllowEntityCreation { .. } | Moment::OnEntityCreation { .. } if record.created < first => {
            let created = record.created;
            Some((
                "entity-older",
                format!("{entity} came into being {created}, module {} was uploaded {first}", module.name),
            ))
        }
        Moment::OnNewAttribute { attr, .. } | Moment::Timeseries { attr, .. } => match record.attributes.get(attr) {
            None => Some(("no-attribute", format!("no datapoint of {}.{attr} came for {entity}", entity.etype))),
            Some(History::Plain { updated, .. }) if *updated < first => Some((
                "attribute-older",
                format!("the last {attr} came {updated}, module {} was uploaded {first}", module.name),
            )),
            Some(_) => None,
        },
        _ => None,
    }
}

fn unrecorded(module: &ModuleView) -> String {
    format!(
        "it was due and no failure is kept; calls that went well are kept by sample (tenter.yml: modules.{}.recording: \
         all keeps each)",
        module.name
    )
}

/// The last call that is kept; failures are kept longer than calls.
fn last(facts: &Facts, module: &ModuleName, subscription: &Subscription) -> Option<Last> {
    let kind = subscription.moment.kind();
    let call = facts
        .calls
        .iter()
        .find(|call| call.row.module == *module && call.row.hook == kind && call.row.subscription == subscription.id);
    let error = facts.errors.iter().find(|error| {
        error.module == *module && error.hook == kind && error.subscription.as_ref() == Some(&subscription.id)
    });
    let time = |call: Option<&StoredInvocation>| call.map_or(Timestamp(i64::MIN), |call| call.row.at);
    match (call, error) {
        (call, Some(error)) if error.at > time(call) => Some(Last::of_error(error)),
        (Some(call), _) => Some(Last::of_call(call)),
        (None, _) => None,
    }
}

impl Last {
    fn of_call(call: &StoredInvocation) -> Self {
        let row = &call.row;
        let text = String::from_utf8_lossy(&row.output);
        Self {
            invocation: Some(row.id.to_string()),
            at: row.at.to_string(),
            version: row.version.clone(),
            outcome: row.outcome.name(),
            reason: row.reason.clone(),
            attempt: row.attempt,
            fuel: row.usage.fuel,
            micros: row.usage.micros,
            output: serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref())),
        }
    }

    fn of_error(error: &ErrorRow) -> Self {
        Self {
            invocation: error.invocation.map(|id| id.to_string()),
            at: error.at.to_string(),
            version: error.version.clone(),
            outcome: InvocationOutcome::Failed.name(),
            reason: Some(error.reason.to_string()),
            attempt: error.attempt,
            fuel: error.usage.fuel,
            micros: error.usage.micros,
            output: error.message.clone().into(),
        }
    }
}

fn ran(last: &Last) -> &'static str {
    if last.outcome == InvocationOutcome::Ok.name() { "ran" } else { last.outcome }
}

/// What came of a call, in words.
fn words(last: &Last) -> String {
    let reason = last.reason.as_deref().unwrap_or_default();
    match (last.outcome, &last.output) {
        ("failed", Value::String(message)) => format!("{reason}: {message}"),
        ("denied", _) => format!("it said: {reason}"),
        (_, Value::Array(tasks)) if tasks.len() == 1 => "it returned 1 task".to_owned(),
        (_, Value::Array(tasks)) => format!("it returned {} tasks", tasks.len()),
        (_, Value::String(text)) => format!("it returned {text}"),
        (_, Value::Null) => "it returned nothing".to_owned(),
        (_, other) => format!("it returned {other}"),
    }
}
