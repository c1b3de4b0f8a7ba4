//! `tenter hook`: which hooks there are, and what is subscribed to them.
//!
//! `hook kinds` prints the tables of the model itself, so it needs no server and cannot be out of date.

use serde_json::{Value, json};
use tenter_model::{case, hook};

use crate::cli::Context;
use crate::client::part;
use crate::output::{Format, field, members};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print every kind of hook, and every case hook with its IRIS name; needs no server.
    Kinds {
        /// Only these: a family such as `ingest`, or `case` for the table of case hooks.
        #[arg(long, value_name = "FAMILY")]
        family: Option<String>,
    },
    /// List what modules have subscribed to.
    List,
    /// Switch a subscription on, or register a module for a case hook.
    Register {
        #[command(flatten)]
        subscription: Subscription,
        /// Title of the menu entry, for hooks of a menu [default: MODULE::HOOK].
        #[arg(long)]
        title: Option<String>,
        /// Let requests wait for the hook.
        #[arg(long)]
        synchronous: bool,
    },
    /// Switch a subscription off; the module stays.
    Deregister(Subscription),
}

/// A subscription of a module.
#[derive(Debug, clap::Args)]
pub(crate) struct Subscription {
    /// The module.
    module: String,
    /// Id of the subscription, as `tenter hook list` shows it, or the name of a case hook such as
    /// on_postload_ioc_create.
    subscription: String,
}

/// Does it.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Kinds { family } => kinds(family.as_deref(), context),
        Command::List => list(context),
        Command::Register { subscription, title, synchronous } => {
            let title = title.map_or(String::new(), |title| format!("&title={}", part(&title)));
            let how = format!("?run_asynchronously={}{title}", !synchronous);
            switch(&subscription, "register", &how, context)
        }
        Command::Deregister(subscription) => switch(&subscription, "deregister", "", context),
    }
}

fn list(context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get("/api/v1/hooks")?;
    let hooks = members(&answer, "hooks");
    context.out.list(
        hooks,
        &[
            ("module", &|h| field(h, "module")),
            ("subscription", &|h| field(h, "subscription")),
            ("kind", &|h| field(h, "kind")),
            ("entity", &|h| field(h, "etype")),
            ("attribute", &|h| field(h, "attr")),
            ("enabled", &|h| field(h, "enabled")),
        ],
    )?;
    if hooks.is_empty() {
        context.out.note("no module has subscribed to a hook");
        context.out.next("tenter module upload FILE");
    }
    Ok(())
}

fn switch(args: &Subscription, action: &str, how: &str, context: &Context) -> anyhow::Result<()> {
    let path = format!("/api/v1/hooks/{}/{}/{action}{how}", part(&args.module), part(&args.subscription));
    let answer = context.client()?.send("POST", &path, None)?;
    let state = if action == "register" { "on" } else { "off" };
    context.out.one(&answer, |_| format!("{} of {} is {state}\n", args.subscription, args.module))?;
    context.out.next("tenter hook list");
    Ok(())
}

fn kinds(family: Option<&str>, context: &Context) -> anyhow::Result<()> {
    if let Some(name) = family.filter(|n| hook::Family::ALL.iter().all(|f| f.name() != *n)) {
        let names = hook::Family::ALL.map(hook::Family::name).join(", ");
        return Err(crate::error::CliError::new(
            crate::error::Kind::Usage,
            format!("{name:?} is not a family of hooks"),
        )
        .help(format!("families are {names}"))
        .into());
    }
    let wanted = |name: &str| family.is_none_or(|f| f == name);
    let general: Vec<Value> = hook::TABLE.iter().filter(|r| wanted(r.family.name())).map(general).collect();
    let cases: Vec<Value> = case::TABLE.iter().filter(|_| wanted(hook::Family::Case.name())).map(case_hook).collect();
    if context.out.format != Format::Table {
        return context.out.list(&general.into_iter().chain(cases).collect::<Vec<_>>(), &[]);
    }
    context.out.list(
        &general,
        &[
            ("hook", &|h| field(h, "name")),
            ("family", &|h| field(h, "family")),
            ("called", &|h| field(h, "called")),
            ("when", &|h| field(h, "when")),
            ("gets", &|h| field(h, "sees")),
            ("may return", &|h| field(h, "returns")),
            ("on failure", &|h| field(h, "on_failure")),
        ],
    )?;
    if !cases.is_empty() {
        context.out.text("\n")?;
        context.out.list(
            &cases,
            &[
                ("IRIS name", &|h| field(h, "iris_name")),
                ("phase", &|h| field(h, "phase")),
                ("object", &|h| field(h, "object")),
                ("action", &|h| field(h, "action")),
                ("in reference", &|h| field(h, "in_reference")),
            ],
        )?;
    }
    Ok(())
}

fn general(row: &hook::Row) -> Value {
    json!({
        "name": row.name,
        "family": row.family.name(),
        "wit": row.kind.wit_function(),
        "called": tenter_engine::DRIVEN.contains(&row.kind),
        "when": row.when,
        "sees": row.sees,
        "returns": row.returns.describe(),
        "on_failure": row.on_failure.describe(),
    })
}

fn case_hook(hook: &case::CaseHook) -> Value {
    let kind = match hook.phase {
        case::Phase::Before => "before",
        case::Phase::After => "after",
        case::Phase::Manual => "manual",
    };
    json!({
        "iris_name": hook.iris_name(),
        "kind": kind,
        "phase": hook.phase,
        "object": hook.object,
        "action": hook.action,
        "in_reference": hook.in_reference,
    })
}
