//! `tenter run`: one hook of a component, called in the sandbox of the server. Nothing is stored.
//!
//! `guest-sdk/rust/PROTOCOL.md` is the contract of input and output: the SDK's tests read what `-o json` prints. The
//! exit code is 0 whenever the call was made, also when the module failed; the output tells.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tenter_model::capability::Grant;
use tenter_model::hook::{Moment, Subscription};
use tenter_model::host::{CallCause, HookCall, HookHost as _};
use tenter_model::limits::BEFORE_DEADLINE_MS;
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock as _;
use tenter_model::{HookKind, ModuleName, Timestamp};
use tenter_sandbox::Lane;

use crate::cli::Context;
use crate::cli::module::component;
use crate::cli::workbench::{self, Workbench};
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};

mod input;
mod report;

pub(in crate::cli) use input::{Input, Reading};
pub(in crate::cli) use report::Report;

/// Largest input, in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component.
    file: PathBuf,
    /// Kind of hook; `tenter hook kinds` lists them.
    #[arg(long, value_name = "KIND")]
    hook: HookKind,
    /// Call this subscription [default: all of the kind that fit the input].
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// What the module is called at the site [default: the file's name, with `-` for `_`].
    #[arg(long, value_name = "NAME")]
    name: Option<ModuleName>,
    /// Folder of configuration, to check values by; without one they are taken as they are.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// Configuration of the module, JSON or YAML [default: that of the site, else {}].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Input of the hook, a JSON object; `-` is standard input.
    #[arg(long, default_value = "-", value_name = "FILE")]
    input: PathBuf,
    /// Grant this; may be repeated [default: all that the module asks for].
    #[arg(long, value_name = "CAPABILITY [SCOPE]", value_parser = workbench::grant)]
    grant: Vec<Grant>,
    /// The time that the module sees, RFC 3339 [default: now].
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    now: Option<Timestamp>,
}

/// Calls the hook and prints what came of it.
///
/// # Errors
/// When the call cannot be made: no such file or subscription, a component or an input that is refused.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let now = args.now.unwrap_or_else(|| SystemClock.now());
    let bytes = component::read(&args.file)?;
    let name = match (&args.name, component::name_of(&args.file)) {
        (Some(name), _) => name.clone(),
        (None, Ok(name)) => name,
        // Without a site the name matters little, and a file may be called anything.
        (None, Err(_)) => ModuleName::new("module")?,
    };
    let bench = Workbench::new(args.site.as_deref())?;
    let mut settings = bench.settings(&name);
    if let Some(path) = &args.config {
        settings.config = workbench::module_config(path, &name)?;
    }
    let grants = (!args.grant.is_empty()).then(|| args.grant.clone());
    bench.compile(&name, &bytes, &context.out)?;
    let module = Arc::new(bench.load(&name, &bytes, settings, grants, now)?);
    let reading = Reading { site: bench.site() };
    let input = reading.input(args.hook, &read(&args.input)?)?;

    let subscriptions = chosen(args.hook, args.subscription.as_deref(), &module, &input)?;
    let mut lane = bench.sandbox().lane(bench.data());
    let calls = Calls { module: &module, kind: args.hook, subscriptions: &subscriptions, id: "run", now };
    let report = calls.perform(&bench, &mut lane, &input)?;
    let answer = report.finish(bench.data().state());
    context.out.one(&answer, report::human)?;
    if let Some(detail) = report.detail() {
        context.out.note(&detail.lines().map(crate::output::plain).collect::<Vec<_>>().join("\n"));
    }
    if report.is_ok() {
        context.out.next(&format!("tenter module upload {}", args.file.display()));
    }
    Ok(())
}

/// Subscriptions that are called for one input.
pub(in crate::cli) struct Calls<'a> {
    /// The module.
    pub(in crate::cli) module: &'a Arc<LoadedModule>,
    /// The kind of hook.
    pub(in crate::cli) kind: HookKind,
    /// Those to call, in order.
    pub(in crate::cli) subscriptions: &'a [&'a Subscription],
    /// What ids of the calls begin with.
    pub(in crate::cli) id: &'a str,
    /// The time that the guest sees.
    pub(in crate::cli) now: Timestamp,
}

impl Calls<'_> {
    /// Calls the subscriptions, one after the other.
    ///
    /// # Errors
    /// When the paths of a correlation do not fit the site.
    pub(in crate::cli) fn perform<'s>(
        &self,
        bench: &'s Workbench,
        lane: &mut Lane,
        input: &Input,
    ) -> Result<Report<'s>, CliError> {
        let Self { module, kind, now, .. } = *self;
        let mut report = Report::new(kind, bench.site());
        let reading = Reading { site: bench.site() };
        for subscription in self.subscriptions {
            let id = format!("{}:{}", self.id, subscription.id);
            let call =
                HookCall { module, kind, subscription: &subscription.id, id, time: now, cause: CallCause::Normal };
            let state = match input {
                Input::Task(task) => match kind {
                    HookKind::AllowEntityCreation => report.verdict(lane.allow_entity_creation(&call, task)),
                    HookKind::OnEntityCreation => report.tasks(lane.on_entity_creation(&call, task), module),
                    _ => report.nothing(lane.on_task_start(&call, task)),
                },
                Input::Datapoint(entity, dp) => report.tasks(lane.on_new_attribute(&call, entity, dp), module),
                Input::Run(run) if kind == HookKind::SnapshotInit => {
                    report.tasks(lane.snapshot_init(&call, run), module)
                }
                Input::Run(run) => report.tasks(lane.snapshot_finalize(&call, run), module),
                Input::Timeseries(entity, attr, history) => {
                    report.tasks(lane.timeseries(&call, entity, attr, history), module)
                }
                Input::Views(views, record) => {
                    let looked = views.look(&reading, module, &subscription.id);
                    let looked =
                        looked.map_err(|e| CliError::new(Kind::Invalid, format!("{}: {e}", subscription.id)))?;
                    let deeper = Some(looked.deeper.clone());
                    let done = match kind {
                        HookKind::Correlate => lane.correlate(&call, &looked.view, deeper),
                        _ => lane.correlate_with_record(&call, &looked.view, record.as_ref(), deeper),
                    };
                    report.correlated(done, &looked, module)
                }
                Input::Record(entity, record) => report.tasks(lane.update_record(&call, entity, record), module),
                Input::Entity(entity) => report.tasks(lane.update_entity(&call, entity), module),
                Input::Arguments(given) => {
                    let own = match &subscription.moment {
                        Moment::Cron(timer) => timer.arguments.as_str(),
                        _ => "null",
                    };
                    report.submitted(lane.cron(&call, given.as_deref().unwrap_or(own)), module)
                }
                Input::Proposal(around, proposal) => {
                    let limits = &module.settings.limits;
                    let within = limits.get("deadline_ms").copied().unwrap_or(BEFORE_DEADLINE_MS);
                    report.judgement(lane.before(&call, &around.context, around.event, proposal, within))
                }
                Input::Changes(around, changes) => {
                    let within = u64::MAX;
                    report.outcome(lane.after(&call, &around.context, around.event, changes, within), module)
                }
                Input::Objects(around, objects) => {
                    report.manual(lane.manual(&call, &around.context, around.event, objects), module)
                }
            };
            bench.data().apply(state);
            report.called(&subscription.id);
        }
        Ok(report)
    }
}

/// The subscriptions to call: the one that was named, or those that fit.
///
/// # Errors
/// When there is none, with those that there are.
pub(in crate::cli) fn chosen<'a>(
    kind: HookKind,
    named: Option<&str>,
    module: &'a LoadedModule,
    input: &Input,
) -> Result<Vec<&'a Subscription>, CliError> {
    let of_kind = || module.subscriptions.iter().filter(|s| s.moment.kind() == kind);
    let found: Vec<_> = match named {
        Some(id) => of_kind().filter(|s| s.id.as_str() == id).collect(),
        None => of_kind().filter(|s| input.fits(s)).collect(),
    };
    if !found.is_empty() {
        return Ok(found);
    }
    let what = match named {
        Some(id) => format!("no subscription {id:?} to {kind}"),
        None => format!("no subscription to {kind} that fits the input"),
    };
    let all = module.subscriptions.iter().map(|s| {
        let about = match s.moment.subject() {
            (Some(etype), Some(attr)) => format!(" of {etype}.{attr}"),
            (Some(etype), None) => format!(" of {etype}"),
            (None, _) => String::new(),
        };
        format!("{} ({}{about})", s.id, s.moment.kind())
    });
    Err(CliError::new(Kind::NotFound, format!("the module has {what}"))
        .help(format!("it has {}", all.collect::<Vec<_>>().join(", "))))
}

fn read(path: &Path) -> Result<Value, CliError> {
    let (name, mut text) = (path.display().to_string(), Vec::new());
    let result = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut text)
    } else {
        std::fs::File::open(path).and_then(|f| f.take(MAX_INPUT + 1).read_to_end(&mut text))
    };
    let name = if name == "-" { "standard input".to_owned() } else { name };
    let wrong = |kind, why: String| CliError::new(kind, format!("cannot use {name}: {why}"));
    result.map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        wrong(kind, e.to_string())
    })?;
    if text.len() as u64 > MAX_INPUT {
        return Err(wrong(Kind::Invalid, "it is too large".into()));
    }
    serde_json::from_slice(&text).map_err(|e| {
        wrong(Kind::Invalid, format!("not JSON: {e}"))
            .help("an input is such as {\"task\": {\"etype\": \"ip\", \"eid\": \"192.0.2.1\"}}")
    })
}

#[cfg(test)]
mod tests;
