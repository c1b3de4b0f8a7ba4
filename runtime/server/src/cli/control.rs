//! `tenter control`: DP³'s control actions.

use tenter_model::config::Action;

use crate::cli::Context;
use crate::client::query;

/// What is to be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// make_snapshots, refresh_module_config or refresh_on_entity_creation.
    #[arg(value_parser = action)]
    action: Action,
    /// The entity type, for refresh_on_entity_creation.
    #[arg(long)]
    etype: Option<String>,
    /// The module, for refresh_module_config.
    #[arg(long)]
    module: Option<String>,
}

fn action(text: &str) -> Result<Action, String> {
    let names = Action::ALL.map(Action::name).join(", ");
    let name = text.replace('-', "_");
    Action::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| format!("expected one of {names}"))
}

/// Tells the server.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let asked = query(&[("etype", args.etype.clone()), ("module", args.module.clone())]);
    let name = args.action.name();
    let answer = context.client()?.send("POST", &format!("/control/{name}{asked}"), None)?;
    context.out.one(&answer, |_| format!("{name} is done or has begun\n"))?;
    context.out.next(if args.action == Action::MakeSnapshots { "tenter snapshot list" } else { "tenter module list" });
    Ok(())
}
