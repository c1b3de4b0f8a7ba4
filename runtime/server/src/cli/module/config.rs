//! `tenter module config`: what a module is configured with while the server runs.

use std::path::{Path, PathBuf};

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
    /// Set one parameter and leave the others; may be given several times. An empty VALUE lets the default count.
    #[arg(long, value_name = "KEY=VALUE", conflicts_with_all = ["file", "reset"])]
    set: Vec<String>,
    /// Write the configuration to a file in IRIS's shape, without secrets; `-` is standard output.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "reset", "set"])]
    export: Option<PathBuf>,
    /// Take the configuration from a file in IRIS's shape.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "reset", "set", "export"])]
    import: Option<PathBuf>,
    /// Print the JSON Schema of the configuration.
    #[arg(long, conflicts_with_all = ["file", "reset", "set", "export", "import"])]
    schema: bool,
}

/// Prints or changes it.
///
/// # Errors
/// When the file is no JSON object, there is no server, or the module refuses the configuration.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let path = format!("/api/v1/modules/{}/config", part(&args.name));
    let client = context.client()?;
    if let Some(file) = &args.export {
        let found = client.get(&format!("{path}/export"))?;
        if file.as_os_str() == "-" {
            return context.out.one(&found, |found| format!("{found:#}\n"));
        }
        let wrong = |e: std::io::Error| CliError::new(Kind::Failed, format!("{}: {e}", file.display()));
        std::fs::write(file, format!("{found:#}\n")).map_err(wrong)?;
        context.out.note(&format!("{} has the configuration of {}, without secrets", file.display(), args.name));
        return Ok(());
    }
    let module = match &args.file {
        Some(file) => client.send("PUT", &path, Some(&object(file)?))?,
        None if args.reset => client.send("DELETE", &path, None)?,
        None if !args.set.is_empty() => client.send("PATCH", &path, Some(&assigned(&args.set)?))?,
        None if args.schema => {
            let found = client.get(&path)?;
            let schema = found.get("schema").cloned().unwrap_or_default();
            return context.out.one(&schema, |schema| format!("{schema:#}\n"));
        }
        None if args.import.is_some() => {
            let file = args.import.as_deref().unwrap_or(Path::new("-"));
            client.send("POST", &format!("{path}/import"), Some(&read(file)?))?
        }
        None => {
            let found = client.get(&path)?;
            return context.out.one(&found, |found| {
                let config = found.get("config").cloned().unwrap_or_default();
                format!("{config:#}\n")
            });
        }
    };
    let name = &args.name;
    let unknown = module.get("unknown").and_then(Value::as_array).into_iter().flatten();
    for key in unknown.filter_map(Value::as_str) {
        context.out.note(&crate::output::plain(&format!("warning: module {name} has no parameter {key:?}")));
    }
    context.out.one(&module, |_| format!("{name} has its new configuration\n"))?;
    context.out.next(&format!("tenter module show {name}"));
    Ok(())
}

fn read(file: &Path) -> Result<Value, CliError> {
    let wrong = |kind, why: String| CliError::new(kind, format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| wrong(Kind::NotFound, e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| wrong(Kind::Invalid, format!("no JSON: {e}")))
}

fn object(file: &Path) -> Result<Value, CliError> {
    let value = read(file)?;
    let wrong = || CliError::new(Kind::Invalid, format!("{}: expected an object of parameters", file.display()));
    if value.is_object() { Ok(value) } else { Err(wrong()) }
}

/// `KEY=VALUE`s as an object of texts, which the server makes what their parameters are.
fn assigned(pairs: &[String]) -> Result<Value, CliError> {
    let one = |pair: &String| match pair.split_once('=') {
        Some((key, "")) if !key.is_empty() => Ok((key.to_owned(), Value::Null)),
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), Value::String(value.to_owned()))),
        _ => Err(CliError::new(Kind::Usage, format!("--set {pair:?}: expected KEY=VALUE"))),
    };
    pairs.iter().map(one).collect::<Result<serde_json::Map<_, _>, _>>().map(Value::Object)
}
