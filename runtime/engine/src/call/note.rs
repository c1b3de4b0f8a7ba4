//! What is written down of a call: failures always, calls that went well by sample or when the operator asks for all.

use serde_json::{Value, json};
use tenter_model::case::call::Judgement;
use tenter_model::host::{HookCall, HookFailure, LogLevel, LogLine, Usage, Verdict};
use tenter_model::module::{ModuleSettings, Recording};
use tenter_model::snapshot::change::Checked;
use tenter_model::{Schema, TaskBody, Timestamp};
use tenter_store::{ErrorRow, InvocationId, InvocationOutcome, InvocationRow};

use super::Subject;

/// One in this many calls that went well is recorded, the first of each lane among them.
const SAMPLE: u64 = 256;
/// Bytes of a recorded output.
const MAX_OUTPUT: usize = tenter_store::MAX_OUTPUT_BYTES;

/// Whether a call is recorded; `number` counts the calls of its hook in this lane from 1.
pub(crate) fn is_recorded<T: Shown>(outcome: &Result<T, HookFailure>, settings: &ModuleSettings, number: u64) -> bool {
    let went_well = outcome.as_ref().is_ok_and(|value| value.refusal().is_none());
    !went_well || settings.recording == Recording::All || number % SAMPLE == 1
}

/// A result that can be shown to people.
pub(crate) trait Shown {
    fn json(&self, schema: &Schema) -> Value;

    /// The reason, when the call returned and said no. Such calls are always recorded.
    fn refusal(&self) -> Option<&str> {
        None
    }
}

impl Shown for () {
    fn json(&self, _: &Schema) -> Value {
        Value::Null
    }
}

impl Shown for Verdict {
    fn json(&self, _: &Schema) -> Value {
        match self {
            Self::Allow => json!("allow"),
            Self::Deny(reason) => json!({"deny": reason}),
        }
    }

    fn refusal(&self) -> Option<&str> {
        match self {
            Self::Allow => None,
            Self::Deny(reason) => Some(reason),
        }
    }
}

impl Shown for Vec<TaskBody> {
    fn json(&self, schema: &Schema) -> Value {
        self.iter()
            .map(|task| {
                let points = task.datapoints.iter().map(|dp| schema.datapoint_json(&task.entity, dp));
                json!({
                    "etype": task.entity.etype,
                    "eid": schema.eid_json(&task.entity),
                    "data_points": points.collect::<Value>(),
                    "ttl_tokens": task.ttl_tokens.iter().map(|(name, until)| {
                        (name.clone(), until.map_or(Value::Null, |t| t.to_string().into()))
                    }).collect::<serde_json::Map<_, _>>(),
                    "tags": task.tags,
                    "delete": task.delete,
                })
            })
            .collect()
    }
}

/// The checked output of a correlation hook.
pub(crate) struct Judged {
    pub(crate) changes: Checked,
    pub(crate) tasks: Vec<TaskBody>,
}

impl Shown for Judged {
    fn json(&self, schema: &Schema) -> Value {
        let changes = self.changes.changes().iter().map(|change| {
            let (etype, attr) = (change.entity.etype.as_str(), change.attr.as_str());
            let values =
                change.values.iter().map(|(value, c)| json!({"v": schema.value_json(etype, attr, value), "c": c}));
            json!({
                "etype": etype,
                "eid": schema.eid_json(&change.entity),
                "attr": attr,
                "values": values.collect::<Value>(),
            })
        });
        json!({"changes": changes.collect::<Value>(), "tasks": self.tasks.json(schema)})
    }
}

impl Shown for Judgement {
    fn json(&self, _: &Schema) -> Value {
        match self {
            Self::Unchanged => json!("unchanged"),
            Self::Replaced(body) => json!({"replaced": body}),
            Self::Denied(reason) => json!({"denied": reason}),
        }
    }

    fn refusal(&self) -> Option<&str> {
        match self {
            Self::Denied(reason) => Some(reason),
            Self::Unchanged | Self::Replaced(_) => None,
        }
    }
}

/// A call that is over.
pub(crate) struct Noted<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) call: &'a HookCall<'a>,
    pub(crate) now: Timestamp,
    pub(crate) usage: Usage,
}

impl Noted<'_> {
    fn id(&self) -> InvocationId {
        let Subject { work, stage, attempt, .. } = self.subject;
        InvocationId::of(work, &self.call.module.name, self.call.subscription, stage, attempt)
    }

    /// The record of the call.
    pub(crate) fn row<T: Shown>(
        &self,
        schema: &Schema,
        outcome: &Result<T, HookFailure>,
        logs: &[LogLine],
        mut cut: bool,
    ) -> InvocationRow {
        let (call, module) = (self.call, self.call.module);
        let (ended, reason, mut output) = match outcome {
            Ok(value) => {
                let refusal = value.refusal().map(printable);
                let ended = if refusal.is_some() { InvocationOutcome::Denied } else { InvocationOutcome::Ok };
                (ended, refusal, value.json(schema).to_string().into_bytes())
            }
            Err(failure) => (
                InvocationOutcome::Failed,
                Some(failure.reason.code().to_owned()),
                failure.message.clone().into_bytes(),
            ),
        };
        if output.len() > MAX_OUTPUT {
            output.truncate(MAX_OUTPUT);
            cut = true;
        }
        InvocationRow {
            id: self.id(),
            at: self.now,
            module: module.name.clone(),
            version: module.descriptor.version.clone(),
            digest: module.digest.clone(),
            hook: call.kind,
            subscription: call.subscription.clone(),
            task: self.subject.task,
            datapoint: (call.kind == tenter_model::HookKind::OnNewAttribute).then_some(self.subject.stage),
            entity: self.subject.entity.cloned(),
            attempt: self.subject.attempt,
            outcome: ended,
            reason,
            usage: self.usage,
            logs: logs.to_vec(),
            output,
            cut,
        }
    }

    /// The row of a failure.
    pub(crate) fn error(&self, failure: &HookFailure, logs: Vec<LogLine>) -> ErrorRow {
        let Self { call, subject, .. } = self;
        let entity = subject.entity.map_or_else(String::new, ToString::to_string);
        tracing::warn!(
            module = %call.module.name, hook = %call.kind, entity,
            reason = failure.reason.code(), "hook failed: {}", failure.message
        );
        ErrorRow {
            invocation: Some(self.id()),
            module: call.module.name.clone(),
            version: call.module.descriptor.version.clone(),
            digest: call.module.digest.clone(),
            hook: call.kind,
            subscription: Some(call.subscription.clone()),
            task: subject.task,
            entity: subject.entity.cloned(),
            reason: failure.reason.code().into(),
            message: failure.message.clone(),
            detail: failure.detail.clone(),
            usage: self.usage,
            attempt: subject.attempt,
            at: self.now,
            logs,
        }
    }
}

/// A guest's words for the log: cut, and without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .take(500)
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// Sends a module's log to the server's.
pub(crate) fn forward_logs(call: &HookCall<'_>, logs: &[LogLine], dropped: u32) {
    let (module, hook) = (call.module.name.as_str(), call.kind.name());
    for line in logs {
        match line.level {
            LogLevel::Debug => tracing::debug!(target: "module", module, hook, "{}", line.message),
            LogLevel::Info => tracing::info!(target: "module", module, hook, "{}", line.message),
            LogLevel::Warning => tracing::warn!(target: "module", module, hook, "{}", line.message),
            LogLevel::Error => tracing::error!(target: "module", module, hook, "{}", line.message),
        }
    }
    if dropped > 0 {
        tracing::warn!(target: "module", module, hook, dropped, "lines of log were dropped beyond the limit");
    }
}
