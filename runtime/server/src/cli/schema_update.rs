//! `tenter schema-update`: make stored data fit a configuration that has changed, at the price that it shows.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use serde_json::{Value, json};
use tenter_model::schema::version::{Addition, Destruction};
use tenter_model::time::Clock as _;
use tenter_store::{Store, StoreError, StoreOptions};

use crate::cli::{Context, serve};
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};
use crate::output::{Format, plain};
use crate::schema::{self, Plan};
use crate::site;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of configuration.
    dir: PathBuf,
    /// Folder of the data [default: `data` of tenter.yml, else DIR/data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Show what would be done, and do nothing.
    #[arg(long, conflicts_with_all = ["yes", "bypass"])]
    dry_run: bool,
    /// Do it without asking.
    #[arg(long)]
    yes: bool,
    /// Take the specification as it is and leave all data; the server may not be able to read them.
    #[arg(long)]
    bypass: bool,
    /// Die at a named place of the store, `NAME` or `NAME#TIMES`; for tests of durability.
    #[arg(long, hide = true, value_name = "PLACE")]
    crash_at: Option<String>,
}

/// Shows the plan, asks, and does it.
///
/// # Errors
/// When the site is not valid, a server has the data open, nobody agreed, and what the store says.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let site = serve::load(&args.dir, context)?;
    let data = args.data.clone().unwrap_or_else(|| site::data_dir(&args.dir, &site));
    if !Store::is_in(&data) {
        return Err(CliError::new(Kind::NotFound, format!("there are no data in {}", data.display()))
            .help(format!("`tenter serve {}` begins them; --data names another folder", args.dir.display()))
            .into());
    }
    // Removing data must work where the disk is nearly full.
    let options = StoreOptions { crash_at: args.crash_at.clone(), min_free_bytes: 0, ..StoreOptions::default() };
    let store = Store::open(&data, options, SystemClock.now()).map_err(refused)?;
    let result = update(args, &site.schema, &store, context);
    let closed = store.close();
    result?;
    Ok(closed?)
}

fn update(args: &Args, wanted: &tenter_model::Schema, store: &Store, context: &Context) -> anyhow::Result<()> {
    let plan = Plan::of(store, wanted)?;
    let (additions, destructive) = (plan.diff.additions.clone(), plan.diff.destructive.clone());
    let nothing_to_do = plan.diff.is_empty() && plan.stored.is_some();
    if context.out.format == Format::Table {
        context.out.text(&plain_lines(&plan.diff.to_string()))?;
    }
    if args.dry_run || nothing_to_do {
        let version = plan.stored;
        print(context, &additions, &destructive, None, &json!({"done": nothing_to_do, "version": version}))?;
        context.out.note(if nothing_to_do {
            "the stored data fit, there is nothing to do"
        } else {
            "nothing was done"
        });
        return Ok(());
    }
    if !destructive.is_empty() && !args.bypass {
        nothing_waits(store)?;
    }
    if !destructive.is_empty() && !args.yes {
        agree(args, context)?;
    }
    let mut counts = Vec::new();
    for change in &destructive {
        let count = if args.bypass { 0 } else { schema::destroy(store, change)? };
        if context.out.format == Format::Table && !args.bypass {
            context.out.text(&format!("done: {}: {}\n", subject(change), concerned(change, count)))?;
        }
        counts.push(count);
    }
    let version = plan.record(store, SystemClock.now())?;
    let done = json!({"done": true, "version": version, "bypassed": args.bypass});
    print(context, &additions, &destructive, Some(&counts), &done)?;
    context.out.note(&format!("the stored data fit {} now, version {version}", args.dir.display()));
    context.out.next(&format!("tenter serve {}", args.dir.display()));
    Ok(())
}

/// Tasks that wait were made under the old specification, and would bring back what is removed.
fn nothing_waits(store: &Store) -> anyhow::Result<()> {
    match store.reader()?.counters()?.pending {
        0 => Ok(()),
        n => Err(CliError::new(Kind::Conflict, format!("nothing was done: {n} accepted tasks wait for their turn"))
            .help("serve the old configuration until `tenter status` shows none pending, then update")
            .into()),
    }
}

/// Asks the person at the terminal. Where there is none, `--yes` has to say it.
fn agree(args: &Args, context: &Context) -> anyhow::Result<()> {
    let refused = |why: &str| {
        CliError::new(Kind::Conflict, format!("nothing was done: {why}")).help(format!(
            "add --yes to do it, --dry-run to look; `tenter backup create --data DIR` keeps a copy of {}",
            args.data.as_ref().map_or_else(|| "the data".to_owned(), |dir| dir.display().to_string())
        ))
    };
    if !std::io::stdin().is_terminal() || context.out.format != Format::Table {
        return Err(refused("it loses data, and there is nobody to ask").into());
    }
    eprint!("{} [y/N] ", if args.bypass { "Leave the data as they are?" } else { "Remove these data for ever?" });
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(refused("you did not agree").into()) }
}

/// The whole as one document, where such is asked for.
fn print(
    context: &Context,
    additions: &[Addition],
    destructive: &[Destruction],
    counts: Option<&[u64]>,
    more: &Value,
) -> anyhow::Result<()> {
    if context.out.format == Format::Table {
        return Ok(());
    }
    let additions: Vec<Value> = additions
        .iter()
        .map(|change| {
            let (kind, etype, attr) = match change {
                Addition::Entity { etype } => ("add-entity", etype, None),
                Addition::Attribute { etype, attr } => ("add-attribute", etype, Some(attr)),
                Addition::WiderAttribute { etype, attr, .. } => ("widen-attribute", etype, Some(attr)),
            };
            json!({"change": kind, "entity": etype, "attribute": attr, "text": change.to_string()})
        })
        .collect();
    let destructive: Vec<Value> = destructive
        .iter()
        .enumerate()
        .map(|(i, change)| {
            let (kind, etype, attr) = match change {
                Destruction::RemoveEntity { etype } => ("remove-entity", etype, None),
                Destruction::RetypeEntity { etype, .. } => ("retype-entity", etype, None),
                Destruction::RemoveAttribute { etype, attr } => ("remove-attribute", etype, Some(attr)),
                Destruction::ChangeAttribute { etype, attr, .. } => ("change-attribute", etype, Some(attr)),
            };
            let count = counts.and_then(|counts| counts.get(i));
            json!({"change": kind, "entity": etype, "attribute": attr, "text": change.to_string(), "removed": count})
        })
        .collect();
    let mut document = json!({"additions": additions, "destructive": destructive});
    if let (Some(document), Some(more)) = (document.as_object_mut(), more.as_object()) {
        document.extend(more.clone());
    }
    context.out.one(&document, |_| String::new())
}

fn subject(change: &Destruction) -> String {
    match change {
        Destruction::RemoveEntity { etype } | Destruction::RetypeEntity { etype, .. } => etype.to_string(),
        Destruction::RemoveAttribute { etype, attr } | Destruction::ChangeAttribute { etype, attr, .. } => {
            format!("{etype}.{attr}")
        }
    }
}

fn concerned(change: &Destruction, count: u64) -> String {
    match (change, count) {
        (Destruction::RemoveEntity { .. } | Destruction::RetypeEntity { .. }, 1) => "1 entity deleted".to_owned(),
        (Destruction::RemoveEntity { .. } | Destruction::RetypeEntity { .. }, n) => format!("{n} entities deleted"),
        (_, 1) => "removed from 1 record".to_owned(),
        (_, n) => format!("removed from {n} records"),
    }
}

fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}

fn refused(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Locked(_) => CliError::new(Kind::Conflict, error.to_string())
            .help("a server has the data open; stop it first, it cannot serve while they change")
            .into(),
        error => error.into(),
    }
}
