//! What came of a call of `tenter run`: the JSON of `PROTOCOL.md`, and the same for people.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use tenter_model::accept::InputError;
use tenter_model::case::call::{CaseOutcome, Judgement, ManualOutcome};
use tenter_model::config::SiteConfig;
use tenter_model::host::{HookFailure, Invocation, LogLine, Reason, StateWrite, Usage, Verdict};
use tenter_model::module::{LoadedModule, Undeclared};
use tenter_model::snapshot::change;
use tenter_model::task::TaskBody;
use tenter_model::view::{Change, Correlated};
use tenter_model::{HookKind, SubscriptionId};

use super::input::Looked;

mod case;
mod form;
mod human;

pub(in crate::cli) use human::human;

/// The outputs of all calls, joined.
pub(in crate::cli) struct Report<'a> {
    kind: HookKind,
    site: Option<&'a SiteConfig>,
    called: Vec<String>,
    failure: Option<HookFailure>,
    tasks: Vec<TaskBody>,
    changes: Vec<Change>,
    undeclared: Vec<String>,
    verdict: Option<Verdict>,
    judgement: Option<Judgement>,
    effects: Vec<Json>,
    shown: Option<tenter_model::case::call::Report>,
    logs: Vec<LogLine>,
    dropped: u32,
    usage: Usage,
}

impl<'a> Report<'a> {
    /// A report of nothing yet.
    pub(super) fn new(kind: HookKind, site: Option<&'a SiteConfig>) -> Self {
        let usage = Usage::default();
        Self {
            kind,
            site,
            called: Vec::new(),
            failure: None,
            tasks: Vec::new(),
            changes: Vec::new(),
            undeclared: Vec::new(),
            verdict: None,
            judgement: None,
            effects: Vec::new(),
            shown: None,
            logs: Vec::new(),
            dropped: 0,
            usage,
        }
    }

    /// Notes which subscription was called.
    pub(super) fn called(&mut self, subscription: &SubscriptionId) {
        self.called.push(subscription.to_string());
    }

    /// Takes a call that returns nothing, and gives its changes of state.
    pub(super) fn nothing(&mut self, call: Invocation<()>) -> Vec<StateWrite> {
        self.take(call).1
    }

    /// Takes a call that allows or denies: the first denial counts.
    pub(super) fn verdict(&mut self, call: Invocation<Verdict>) -> Vec<StateWrite> {
        let (verdict, state) = self.take(call);
        if !matches!(self.verdict, Some(Verdict::Deny(_))) {
            self.verdict = verdict.or(self.verdict.take());
        }
        state
    }

    /// Takes a call that returns tasks, checked as the server would.
    pub(super) fn tasks(&mut self, mut call: Invocation<Vec<TaskBody>>, module: &LoadedModule) -> Vec<StateWrite> {
        if let Ok(tasks) = call.outcome {
            call.outcome = self.check(tasks, module);
        }
        let (tasks, state) = self.take(call);
        self.tasks.extend(tasks.unwrap_or_default());
        state
    }

    /// Takes a call of `cron`: what it submitted, checked as the server would.
    pub(super) fn submitted(&mut self, call: Invocation<Vec<Vec<TaskBody>>>, module: &LoadedModule) -> Vec<StateWrite> {
        self.tasks(replaced(call, |batches| Ok(batches.into_iter().flatten().collect())), module)
    }

    /// Takes a call that returns changes and tasks, checked as the server would.
    pub(super) fn correlated(
        &mut self,
        call: Invocation<Correlated>,
        looked: &Looked,
        module: &LoadedModule,
    ) -> Vec<StateWrite> {
        let call = replaced(call, |correlated| {
            let tasks = self.check(correlated.tasks, module)?;
            let (Some(site), Some(step)) = (self.site, &looked.step) else {
                return Ok((tasks, correlated.changes, Vec::new()));
            };
            let strict = module.settings.may_change == Undeclared::Strict;
            match change::check(&site.schema, step, &looked.view, correlated.changes, strict) {
                Ok(checked) => Ok((tasks, checked.changes().to_vec(), checked.undeclared)),
                Err(errors) => Err(invalid(&errors)),
            }
        });
        let (done, state) = self.take(call);
        let (tasks, changes, undeclared) = done.unwrap_or_default();
        self.tasks.extend(tasks);
        self.changes.extend(changes);
        self.undeclared.extend(undeclared.iter().map(|(etype, attr)| format!("{etype}.{attr}")));
        state
    }

    /// Takes a call of `before`: the first denial counts, else the last change.
    pub(super) fn judgement(&mut self, call: Invocation<Judgement>) -> Vec<StateWrite> {
        let (judgement, state) = self.take(call);
        let settled = matches!(self.judgement, Some(Judgement::Denied(_)));
        let changes = self.judgement.is_none() || judgement.as_ref().is_some_and(|j| *j != Judgement::Unchanged);
        if !settled && changes {
            self.judgement = judgement;
        }
        state
    }

    /// Takes a call of `after`.
    pub(super) fn outcome(&mut self, call: Invocation<CaseOutcome>, module: &LoadedModule) -> Vec<StateWrite> {
        self.manual(replaced(call, |outcome| Ok(ManualOutcome { outcome, report: None })), module)
    }

    /// Takes a call of `manual`; its tasks are checked as the server would.
    pub(super) fn manual(&mut self, call: Invocation<ManualOutcome>, module: &LoadedModule) -> Vec<StateWrite> {
        let call = replaced(call, |mut manual| {
            manual.outcome.tasks = self.check(manual.outcome.tasks, module)?;
            Ok(manual)
        });
        let (manual, state) = self.take(call);
        let ManualOutcome { outcome, report } = manual.unwrap_or_default();
        self.tasks.extend(outcome.tasks);
        self.effects.extend(outcome.effects.iter().map(|effect| case::effect(effect, module)));
        self.shown = report.or(self.shown.take());
        state
    }

    fn check(&self, tasks: Vec<TaskBody>, module: &LoadedModule) -> Result<Vec<TaskBody>, HookFailure> {
        for task in &tasks {
            let etype = task.entity.etype.as_str();
            let settings = &module.settings;
            let limited = settings.grants.iter().any(|g| g.capability == "write-entities");
            let mut scopes = task.datapoints.iter().map(|dp| format!("{etype}.{}", dp.attr));
            let uncovered = scopes.find(|s| limited && !settings.is_granted("write-entities", s));
            let missing = match uncovered {
                Some(scope) => Some(format!("write-entities {scope}")),
                None if task.delete && !settings.is_granted("delete-entity", etype) => {
                    Some(format!("delete-entity {etype}"))
                }
                None => None,
            };
            if let Some(grant) = missing {
                let message =
                    format!("the module returned a task that needs the grant `{grant}`; ask for it in `configure`");
                return Err(HookFailure::new(Reason::NotGranted, message));
            }
        }
        let Some(site) = self.site else { return Ok(tasks) };
        site.schema.accept_tasks(tasks).map_err(|errors| invalid(&errors))
    }

    fn take<T>(&mut self, call: Invocation<T>) -> (Option<T>, Vec<StateWrite>) {
        self.usage.fuel += call.usage.fuel;
        self.usage.micros += call.usage.micros;
        self.usage.memory_bytes = self.usage.memory_bytes.max(call.usage.memory_bytes);
        self.logs.extend(call.logs);
        self.dropped += call.logs_dropped;
        match call.outcome {
            Ok(value) => (Some(value), call.state),
            Err(failure) => {
                // After a failure nothing of the state counts.
                self.failure.get_or_insert(failure);
                (None, Vec::new())
            }
        }
    }

    /// Whether no call failed.
    pub(in crate::cli) fn is_ok(&self) -> bool {
        self.failure.is_none()
    }

    /// A backtrace or the like of the failure.
    pub(in crate::cli) fn detail(&self) -> Option<&str> {
        self.failure.as_ref()?.detail.as_deref()
    }

    /// The JSON.
    pub(in crate::cli) fn finish(&self, state: BTreeMap<String, String>) -> Json {
        let verdict = self.verdict.as_ref().map(|v| match v {
            Verdict::Allow => json!({"allow": true}),
            Verdict::Deny(reason) => json!({"allow": false, "reason": reason}),
        });
        json!({
            "hook": self.kind.name(),
            "subscriptions": self.called,
            "result": self.failure.as_ref().map_or("ok", |f| word(f.reason)),
            "message": self.failure.as_ref().map(|f| &f.message),
            "tasks": self.tasks.iter().map(|t| self.task(t)).collect::<Vec<_>>(),
            "changes": self.changes.iter().map(form::change).collect::<Vec<_>>(),
            "undeclared": self.undeclared,
            "verdict": verdict,
            "judgement": self.judgement.as_ref().map(case::judgement),
            "effects": self.effects,
            "report": self.shown,
            "state": state,
            "log": self.logs,
            "log_dropped": self.dropped,
            "fuel": self.usage.fuel,
            "micros": self.usage.micros,
            "memory_bytes": self.usage.memory_bytes,
        })
    }

    fn task(&self, task: &TaskBody) -> Json {
        let tokens: Map<String, Json> =
            task.ttl_tokens.iter().map(|(n, t)| (n.clone(), json!(t.map(|t| t.to_string())))).collect();
        json!({
            "etype": task.entity.etype,
            "eid": task.entity.eid,
            "data_points": task.datapoints.iter().map(form::datapoint).collect::<Vec<_>>(),
            "ttl_tokens": tokens,
            "tags": task.tags,
            "delete": task.delete,
        })
    }
}

/// The same call with another result, where it has one.
fn replaced<A, B>(call: Invocation<A>, f: impl FnOnce(A) -> Result<B, HookFailure>) -> Invocation<B> {
    Invocation {
        outcome: call.outcome.and_then(f),
        usage: call.usage,
        logs: call.logs,
        logs_dropped: call.logs_dropped,
        state: call.state,
        reads: call.reads,
    }
}

/// The failure of an output that the specification refuses.
fn invalid(errors: &[InputError]) -> HookFailure {
    let messages: Vec<String> = errors.iter().take(5).map(ToString::to_string).collect();
    HookFailure::new(Reason::InvalidOutput, messages.join("; "))
}

/// The word of the protocol for a reason.
fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::Fuel => "out-of-fuel",
        Reason::Deadline => "timed-out",
        Reason::Memory => "out-of-memory",
        Reason::Trap => "trapped",
        other => other.code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_result_and_leaves_no_state() {
        let mut report = Report::new(HookKind::OnTaskStart, None);
        let mut call = Invocation::of(Err(HookFailure::new(Reason::Fuel, "used 5 of 5 fuel")));
        call.state.push(StateWrite::Delete { key: "a".into() });
        call.usage = Usage { fuel: 5, micros: 7, memory_bytes: 9, warm: false };
        assert!(report.nothing(call.clone()).is_empty());
        call.outcome = Ok(());
        assert_eq!(report.nothing(call).len(), 1);
        assert!(!report.is_ok());
        let json = report.finish(BTreeMap::new());
        let seen = [&json["result"], &json["message"], &json["fuel"], &json["micros"], &json["memory_bytes"]];
        assert_eq!(seen.map(Json::to_string).join(" "), r#""out-of-fuel" "used 5 of 5 fuel" 10 14 9"#);
    }

    #[test]
    fn one_denial_denies() {
        let mut report = Report::new(HookKind::AllowEntityCreation, None);
        for verdict in [Verdict::Allow, Verdict::Deny("private".into()), Verdict::Allow] {
            report.verdict(Invocation::of(Ok(verdict)));
        }
        assert_eq!(report.finish(BTreeMap::new())["verdict"], json!({"allow": false, "reason": "private"}));
    }
}
