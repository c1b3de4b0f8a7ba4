//! `tenter module`: installed modules.

use std::path::PathBuf;

use serde_json::Value;

use crate::cli::Context;
use crate::client::{part, query};
use crate::output::{entity, field, members};

pub(crate) mod component;
mod config;
mod show;
pub(crate) mod sign;
mod upload;

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Upload a component; it serves at once, unless it asks for something that is not granted.
    Upload(UploadArgs),
    /// List modules.
    List,
    /// Show one module: hooks, capabilities, parameters, versions.
    Show(Name),
    /// Use another version that is there.
    Activate {
        /// The module.
        name: String,
        /// Its version, or the first digits of its digest, as `tenter module show` lists them.
        #[arg(value_name = "VERSION")]
        wanted: String,
    },
    /// Go back to the version that was active before.
    Rollback(Name),
    /// Sign a component, so that servers that ask for it take it.
    Sign(sign::Args),
    /// Show the configuration of a module, or change it while the server runs.
    Config(config::Args),
    /// Switch a module off; its state and configuration stay.
    Disable(Name),
    /// Switch a module on.
    Enable(Name),
    /// Remove a module with all its versions.
    Remove(Name),
    /// Let hooks go that are paused because they kept breaking rules.
    Release {
        /// The module.
        name: String,
        /// Only this kind of hook.
        #[arg(long, value_name = "KIND")]
        hook: Option<String>,
    },
    /// Show what went wrong in modules, newest first.
    Errors {
        /// Only this module.
        name: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
}

/// A module by name.
#[derive(Debug, clap::Args)]
pub(crate) struct Name {
    /// The module.
    name: String,
}

/// What `upload` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct UploadArgs {
    /// The component, as `tenter build` makes it.
    file: PathBuf,
    /// What the module is called [default: the file's name, with `-` for `_`].
    #[arg(long)]
    name: Option<String>,
    /// Grant whatever the module asks for.
    #[arg(long)]
    grant_requested: bool,
    /// Take it although its version is lower than one that is there.
    #[arg(long)]
    allow_downgrade: bool,
    /// Its signature, as `tenter module sign` writes it [default: FILE.sig, when there is one].
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
}

/// Uploads a component under the name of its file, whatever version is there.
///
/// # Errors
/// When there is no server, or it refuses.
pub(crate) fn upload(file: &std::path::Path, grant_requested: bool, context: &Context) -> anyhow::Result<()> {
    let file = file.to_owned();
    let args = UploadArgs { file, name: None, grant_requested, allow_downgrade: true, signature: None };
    upload::run(&args, context)
}

/// Does it.
///
/// # Errors
/// When a file cannot be read, or there is no server, or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Upload(args) => upload::run(&args, context),
        Command::List => list(context),
        Command::Show(Name { name }) => {
            let module = context.client()?.get(&format!("/api/v1/modules/{}", part(&name)))?;
            context.out.one(&module, show::human)?;
            match show::missing(&module).first() {
                Some(grant) => context.out.next(&format!("tenter grant {name} {grant}")),
                None => context.out.next("tenter status"),
            }
            Ok(())
        }
        Command::Activate { name, wanted } => {
            let path = format!("/api/v1/modules/{}/activate", part(&name));
            let module = context.client()?.send("POST", &path, Some(&serde_json::json!({"version": wanted})))?;
            in_use(&name, &module, context)
        }
        Command::Rollback(Name { name }) => {
            let path = format!("/api/v1/modules/{}/rollback", part(&name));
            let module = context.client()?.send("POST", &path, None)?;
            in_use(&name, &module, context)
        }
        Command::Sign(args) => sign::run(&args, context),
        Command::Config(args) => config::run(&args, context),
        Command::Disable(Name { name }) => switch(&name, "disable", context),
        Command::Enable(Name { name }) => switch(&name, "enable", context),
        Command::Remove(Name { name }) => {
            let answer = context.client()?.send("DELETE", &format!("/api/v1/modules/{}", part(&name)), None)?;
            context.out.one(&answer, |_| format!("{name} is removed\n"))?;
            context.out.next("tenter module list");
            Ok(())
        }
        Command::Release { name, hook } => {
            let path = format!("/api/v1/modules/{}/release", part(&name));
            let answer = context.client()?.send("POST", &path, Some(&serde_json::json!({"hook": hook})))?;
            context.out.one(&answer, |a| format!("{} paused hooks of {name} are released\n", field(a, "released")))?;
            context.out.next(&format!("tenter module errors {name}"));
            Ok(())
        }
        Command::Errors { name, limit } => errors(name, limit, context),
    }
}

fn list(context: &Context) -> anyhow::Result<()> {
    let answer = context.client()?.get("/api/v1/modules")?;
    let modules = members(&answer, "modules");
    context.out.list(
        modules,
        &[
            ("name", &|m| field(m, "name")),
            ("version", &|m| field(m, "version")),
            ("state", &show::state),
            ("families", &|m| field(m, "families")),
            ("hooks", &|m| m.get("subscriptions").and_then(Value::as_array).map_or(0, Vec::len).to_string()),
            ("title", &|m| field(m, "title")),
        ],
    )?;
    tell_missing(&answer, "missing", context);
    if modules.is_empty() {
        context.out.note("no module is installed");
        context.out.next("tenter module upload FILE");
    } else if let Some(waiting) = modules.iter().find(|m| !show::missing(m).is_empty()) {
        context.out.next(&format!("tenter module show {}", field(waiting, "name")));
    }
    Ok(())
}

/// Names modules that the configuration enables and of which no component was uploaded.
pub(crate) fn tell_missing(answer: &Value, key: &str, context: &Context) {
    for missing in answer.get(key).and_then(Value::as_array).into_iter().flatten() {
        let text = format!("warning: enabled module {}: {}", field(missing, "name"), field(missing, "detail"));
        context.out.note(&crate::output::plain(&text));
    }
}

fn switch(name: &str, action: &str, context: &Context) -> anyhow::Result<()> {
    let module = context.client()?.send("POST", &format!("/api/v1/modules/{}/{action}", part(name)), None)?;
    context.out.one(&module, |m| format!("{name} is {}\n", show::state(m)))?;
    context.out.next(&format!("tenter module show {name}"));
    Ok(())
}

fn in_use(name: &str, module: &Value, context: &Context) -> anyhow::Result<()> {
    let digest: String = field(module, "digest").chars().take(12).collect();
    context.out.one(module, |m| format!("{name} {} ({digest}) is {}\n", field(m, "version"), show::state(m)))?;
    context.out.next(&format!("tenter module show {name}"));
    Ok(())
}

fn errors(module: Option<String>, limit: u32, context: &Context) -> anyhow::Result<()> {
    let asked = query(&[("module", module), ("limit", Some(limit.to_string()))]);
    let answer = context.client()?.get(&format!("/api/v1/errors{asked}"))?;
    let errors = members(&answer, "errors");
    context.out.list(
        errors,
        &[
            ("at", &|e| field(e, "at")),
            ("module", &|e| [field(e, "module"), field(e, "version")].join(" ").trim().to_owned()),
            ("hook", &|e| field(e, "hook")),
            ("entity", &entity),
            ("reason", &|e| field(e, "reason")),
            ("message", &|e| field(e, "message")),
        ],
    )?;
    if let Some(hint) = errors.first().map(|e| field(e, "hint")).filter(|h| !h.is_empty()) {
        context.out.note(&format!("help: {}", crate::output::plain(&hint)));
    }
    Ok(())
}
