//! `tenter control`: DP³'s control actions.
//!
//! A change is asked for by POST, so that no page of another site can do it. A DP³ server has these routes by GET alone,
//! and is asked so when it says that.

use tenter_model::config::Action;

use crate::cli::Context;
use crate::client::query;
use crate::error::{CliError, Kind};

/// What is to be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// make_snapshots, refresh_module_config or refresh_on_entity_creation.
    #[arg(value_parser = action)]
    action: Action,
    /// The module of refresh_module_config, the entity type of refresh_on_entity_creation.
    name: Option<String>,
    /// The entity type, for refresh_on_entity_creation.
    #[arg(long, conflicts_with = "name")]
    etype: Option<String>,
    /// The module, for refresh_module_config.
    #[arg(long, conflicts_with = "name")]
    module: Option<String>,
}

fn action(text: &str) -> Result<Action, String> {
    let names = Action::ALL.map(Action::name).join(", ");
    let name = text.replace('-', "_");
    Action::ALL.into_iter().find(|a| a.name() == name).ok_or_else(|| format!("expected one of {names}"))
}

impl Args {
    /// The parameters of the request.
    fn asked(&self) -> Result<String, CliError> {
        let (mut etype, mut module) = (self.etype.clone(), self.module.clone());
        if let Some(name) = &self.name {
            match self.action {
                Action::RefreshOnEntityCreation => etype = Some(name.clone()),
                Action::RefreshModuleConfig => module = Some(name.clone()),
                Action::MakeSnapshots => {
                    return Err(CliError::new(
                        Kind::Usage,
                        format!("make_snapshots is of all entities, not of {name:?}"),
                    ));
                }
            }
        }
        Ok(query(&[("etype", etype), ("module", module)]))
    }
}

/// Tells the server.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let name = args.action.name();
    let path = format!("/control/{name}{}", args.asked()?);
    let answer = context.client()?.first_of(&[("POST", &path), ("GET", &path)])?;
    context.out.one(&answer, |_| format!("{name} is done or has begun\n"))?;
    let snapshots = args.action == Action::MakeSnapshots;
    context.out.next(if snapshots { "tenter telemetry snapshot-summary" } else { "tenter telemetry metadata" });
    Ok(())
}
