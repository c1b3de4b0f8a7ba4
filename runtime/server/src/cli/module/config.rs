//! `tenter module config`: what a module is configured with while the server runs.

use std::path::PathBuf;

use serde_json::Value;

use crate::cli::Context;
use crate::client::part;
use crate::error::{CliError, Kind};

/// What is to be done.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The module.
    name: String,
    /// A file with the new configuration, a JSON object; without it, the present one is printed.
    file: Option<PathBuf>,
    /// Let the file of the configuration directory count again.
    #[arg(long, conflicts_with = "file")]
    reset: bool,
}

/// Prints or changes it.
///
/// # Errors
/// When the file is no JSON object, there is no server, or the module refuses the configuration.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let path = format!("/api/v1/modules/{}/config", part(&args.name));
    let client = context.client()?;
    let module = match &args.file {
        Some(file) => client.send("PUT", &path, Some(&read(file)?))?,
        None if args.reset => client.send("DELETE", &path, None)?,
        None => {
            let found = client.get(&path)?;
            return context.out.one(&found, |found| {
                let config = found.get("config").cloned().unwrap_or_default();
                format!("{config:#}\n")
            });
        }
    };
    let name = &args.name;
    context.out.one(&module, |_| format!("{name} has its new configuration\n"))?;
    context.out.next(&format!("tenter module show {name}"));
    Ok(())
}

fn read(file: &PathBuf) -> Result<Value, CliError> {
    let wrong = |kind, why: String| CliError::new(kind, format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| wrong(Kind::NotFound, e.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| wrong(Kind::Invalid, format!("no JSON: {e}")))?;
    if value.is_object() { Ok(value) } else { Err(wrong(Kind::Invalid, "expected an object of parameters".into())) }
}
