//! `tenter grant` and `tenter revoke`: what a module may do.

use serde_json::{Value, json};
use tenter_model::capability;

use crate::cli::Context;
use crate::client::{part, query};
use crate::error::{CliError, Kind};

/// A capability of a module.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The module.
    module: String,
    /// The capability.
    capability: String,
    /// What it is limited to; its meaning depends on the capability.
    #[arg(default_value = "")]
    scope: String,
}

/// The table of capabilities, for help.
pub(crate) fn capabilities() -> String {
    let rows = capability::TABLE.iter().map(|c| {
        let scope = if c.scope.is_empty() { "no scope".to_owned() } else { format!("scope: {}", c.scope) };
        format!("  {:15} {} ({scope})", c.name, c.what)
    });
    std::iter::once("Capabilities:".to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

/// Grants.
///
/// # Errors
/// When there is no such capability, no server, or it refuses.
pub(crate) fn grant(args: &Args, context: &Context) -> anyhow::Result<()> {
    check(args)?;
    let body = json!({"capability": args.capability, "scope": args.scope});
    let module = context.client()?.send("POST", &path(args), Some(&body))?;
    shown(&module, "granted", args, context)?;
    let missing = module.get("missing_grants").and_then(Value::as_array).map_or(0, Vec::len);
    if missing > 0 {
        context.out.note(&format!("{} still waits for {missing} of the capabilities that it asks for", args.module));
    }
    context.out.next(&format!("tenter module show {}", args.module));
    Ok(())
}

/// Takes away.
///
/// # Errors
/// When there is no such capability, no server, or it refuses.
pub(crate) fn revoke(args: &Args, context: &Context) -> anyhow::Result<()> {
    check(args)?;
    let asked = query(&[("capability", Some(args.capability.clone())), ("scope", Some(args.scope.clone()))]);
    let module = context.client()?.send("DELETE", &format!("{}{asked}", path(args)), None)?;
    shown(&module, "revoked", args, context)?;
    context.out.next(&format!("tenter module show {}", args.module));
    Ok(())
}

fn shown(module: &Value, done: &str, args: &Args, context: &Context) -> anyhow::Result<()> {
    let what = capability::Grant { capability: args.capability.clone(), scope: args.scope.clone() };
    context.out.one(module, |_| format!("{done}: {what} ({})\n", args.module))
}

fn path(args: &Args) -> String {
    format!("/api/v1/modules/{}/grants", part(&args.module))
}

/// Refuses what the table of capabilities does not know, before a server is asked.
fn check(args: &Args) -> Result<(), CliError> {
    let Some(row) = capability::find(&args.capability) else {
        let names = capability::TABLE.iter().map(|c| c.name);
        let near = tenter_model::config::nearest(&args.capability, names.clone());
        let help = near.map_or_else(
            || format!("capabilities are {}", names.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean {near:?}? `tenter grant --help` lists all"),
        );
        return Err(CliError::new(Kind::Usage, format!("{:?} is not a capability", args.capability)).help(help));
    };
    match (row.scope.is_empty(), args.scope.is_empty() && row.needs_scope()) {
        (true, false) if !args.scope.is_empty() => {
            Err(CliError::new(Kind::Usage, format!("{:?} takes no scope", row.name))
                .help(format!("say `tenter grant {} {}`", args.module, row.name)))
        }
        (false, true) => Err(CliError::new(Kind::Usage, format!("{:?} needs a scope: {}", row.name, row.scope))
            .help(format!("say `tenter grant {} {} SCOPE`", args.module, row.name))),
        _ => {
            let grant = capability::Grant { capability: args.capability.clone(), scope: args.scope.clone() };
            grant.check().map_err(|why| {
                CliError::new(Kind::Usage, why).help("docs/modules.md tells how scopes of http are written")
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(capability: &str, scope: &str) -> String {
        let args = Args { module: "m".into(), capability: capability.into(), scope: scope.into() };
        let error = check(&args).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        format!("{error} | {}", error.help.as_deref().unwrap_or_default())
    }

    #[test]
    fn wrong_grants_are_explained() {
        insta::assert_snapshot!(refusal("htp", "x"), @r#""htp" is not a capability | did you mean "http"? `tenter grant --help` lists all"#);
        insta::assert_snapshot!(refusal("state", "x"), @r#""state" takes no scope | say `tenter grant m state`"#);
        insta::assert_snapshot!(refusal("http", ""), @r#""http" needs a scope: METHOD URL-pattern [at NETWORK] | say `tenter grant m http SCOPE`"#);
    }
}
