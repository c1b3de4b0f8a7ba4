//! Runs a case: one instance in the sandbox of the server, with the same limits, and the world that the case describes.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tenter_model::ModuleName;
use tenter_model::host::StateWrite;
use tenter_model::module::LoadedModule;
use tenter_sandbox::Lane;

use super::file::{Call, Case};
use super::matching::{Difference, differences};
use super::outside::Scripted;
use crate::cli::run::{Calls, Reading, chosen};
use crate::cli::workbench::Workbench;
use crate::error::CliError;

/// A component under test.
pub(super) struct Subject<'a> {
    /// Where cases run.
    pub(super) bench: &'a Workbench,
    /// What the bench reaches.
    pub(super) outside: &'a Scripted,
    /// The module's name.
    pub(super) name: &'a ModuleName,
    /// The component.
    pub(super) bytes: &'a [u8],
}

/// What came of a case.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What was not as expected; a path begins with the call where there are several.
    pub(super) differences: Vec<Difference>,
    /// Why the case could not be run to its end.
    pub(super) error: Option<String>,
    /// What the guest and the host wrote into the log, in the calls that differ.
    pub(super) log: Vec<Json>,
    /// What was asked for outside, and is not in the case.
    pub(super) unanswered: Vec<String>,
}

impl Outcome {
    /// Whether all was as expected.
    pub(super) fn passed(&self) -> bool {
        self.differences.is_empty() && self.error.is_none()
    }
}

impl Subject<'_> {
    /// Runs a case.
    pub(super) fn run(&self, case: &Case) -> Outcome {
        let mut outcome = Outcome::default();
        self.outside.play(case.script.clone());
        if let Err(error) = self.calls(case, &mut outcome) {
            let help = error.help.map_or(String::new(), |help| format!(" ({help})"));
            outcome.error = Some(format!("{}{help}", error.message));
        }
        outcome.unanswered = self.outside.unanswered();
        outcome
    }

    fn calls(&self, case: &Case, outcome: &mut Outcome) -> Result<(), CliError> {
        let bench = self.bench.beside(case.site.as_deref())?;
        // Lives as long as the calls.
        let folder = tempfile::tempdir().map_err(|e| CliError::new(crate::error::Kind::Failed, e.to_string()))?;
        let module = match self.module(case, &bench, folder.path())? {
            Ok(module) => Arc::new(module),
            Err(refused) => {
                let report = json!({"result": "refused", "message": refused.message});
                for (i, call) in case.calls.iter().enumerate() {
                    outcome.judge(case, i, call, &report);
                }
                return Ok(());
            }
        };
        let reading = Reading { site: bench.site() };
        for record in &case.records {
            let read = reading.stored(record);
            let (entity, record) =
                read.map_err(|e| CliError::new(crate::error::Kind::Invalid, format!("records: {e}")))?;
            bench.data().know(entity, record);
        }
        let put = |(key, value): (&String, &String)| StateWrite::Put {
            key: key.clone(),
            value: value.clone().into_bytes(),
            until: None,
        };
        bench.data().apply(case.state.iter().map(put).collect());

        let mut lane = bench.sandbox().lane(bench.data());
        for (i, call) in case.calls.iter().enumerate() {
            let report = self.call(&bench, &module, &mut lane, i, call);
            let report = report.map_err(|mut error| {
                if case.calls.len() > 1 {
                    error.message = format!("calls[{i}]: {}", error.message);
                }
                error
            })?;
            outcome.judge(case, i, call, &report);
        }
        Ok(())
    }

    /// The module as the case wants it; or why it is refused, which a case may expect.
    fn module(
        &self,
        case: &Case,
        bench: &Workbench,
        folder: &Path,
    ) -> Result<Result<LoadedModule, CliError>, CliError> {
        let mut settings = bench.settings(self.name);
        if let Some(config) = &case.config {
            settings.config = config.clone();
        }
        settings.limits.extend(case.limits.clone());
        for (name, contents) in &case.files {
            let dir = folder.join(name);
            write(&dir, contents).map_err(|e| {
                CliError::new(crate::error::Kind::Failed, format!("cannot lay the folder {name} out: {e}"))
            })?;
            settings.files.insert(name.clone(), dir.display().to_string());
        }
        Ok(bench.load(self.name, self.bytes, settings, case.grants.clone(), case.now))
    }

    fn call(
        &self,
        bench: &Workbench,
        module: &Arc<LoadedModule>,
        lane: &mut Lane,
        i: usize,
        call: &Call,
    ) -> Result<Json, CliError> {
        let input = Reading { site: bench.site() }.input(call.hook, &call.input)?;
        let subscriptions = chosen(call.hook, call.subscription.as_deref(), module, &input)?;
        let id = format!("test:{i}");
        let calls = Calls { module, kind: call.hook, subscriptions: &subscriptions, id: &id, now: call.now };
        let mut report = calls.perform(bench, lane, &input)?.finish(bench.data().state());
        if let Some(members) = report.as_object_mut() {
            members.insert("requests".to_owned(), self.outside.requests().into());
        }
        Ok(report)
    }
}

impl Outcome {
    /// Holds what came of a call against what the case expects: where it says nothing of the result, that it went well.
    fn judge(&mut self, case: &Case, i: usize, call: &Call, report: &Json) {
        let mut expected = match &call.expect {
            Json::Object(members) => members.clone(),
            _ => serde_json::Map::new(),
        };
        expected.entry("result").or_insert_with(|| "ok".into());
        let mut found = differences(&expected.into(), report);
        if found.is_empty() {
            return;
        }
        // Why it failed says more than that it did.
        if let (Some(first), Some(message)) =
            (found.iter_mut().find(|d| d.path == "result"), report.get("message").and_then(Json::as_str))
        {
            first.found = format!("{}: {message}", first.found);
        }
        if case.calls.len() > 1 {
            found.iter_mut().for_each(|d| d.path = format!("calls[{i}] {}: {}", call.hook, d.path));
        }
        self.differences.extend(found);
        self.log.extend(report.get("log").and_then(Json::as_array).into_iter().flatten().cloned());
    }
}

/// Lays files out in a folder.
fn write(dir: &Path, contents: &std::collections::BTreeMap<String, String>) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for (name, text) in contents {
        let path = dir.join(name);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}
