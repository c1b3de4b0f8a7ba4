//! `tenter schema`: JSON Schemas of the configuration files, for editors.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};
use tenter_model::config::{json_schema, nearest, schema_kinds};

use crate::cli::Context;
use crate::error::{CliError, Kind};
use crate::output::field;

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Kind of file: `db_entities`, `modules`, or a file at the top of the folder without .yml, such as `snapshots`;
    /// all when it is left out.
    #[arg(value_name = "FILE-KIND")]
    kind: Option<String>,
    /// Write each to FILE-KIND.schema.json in this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes them.
///
/// # Errors
/// When there is no such kind, or a file cannot be written.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let wanted = args.kind.as_deref().map(|kind| kind.strip_suffix(".yml").unwrap_or(kind));
    let kinds = match wanted {
        Some(kind) => vec![kind],
        None => schema_kinds(),
    };
    let schemas = kinds.into_iter().map(|kind| Ok((kind, of(kind)?))).collect::<Result<Vec<_>, CliError>>()?;
    if let Some(dir) = &args.out {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        let mut written = Vec::new();
        for (kind, schema) in &schemas {
            let path = dir.join(format!("{kind}.schema.json"));
            std::fs::write(&path, format!("{schema:#}\n"))
                .with_context(|| format!("cannot write {}", path.display()))?;
            written.push(Value::from(path.display().to_string()));
        }
        context.out.list(&written, &[("file", &|f| field(f, ""))])?;
        context.out.note("a first line such as this tells an editor: # yaml-language-server: $schema=FILE");
        return Ok(());
    }
    match (wanted, schemas.as_slice()) {
        (Some(_), [(_, schema)]) => context.out.one(schema, |schema| format!("{schema:#}\n")),
        _ => {
            let all: Vec<Value> =
                schemas.iter().map(|(kind, schema)| json!({"kind": kind, "title": schema["title"]})).collect();
            context.out.list(&all, &[("kind", &|k| field(k, "kind")), ("of", &|k| field(k, "title"))])?;
            context.out.next("tenter schema --out DIR");
            Ok(())
        }
    }
}

fn of(kind: &str) -> Result<Value, CliError> {
    json_schema(kind).ok_or_else(|| {
        let kinds = schema_kinds();
        let near = nearest(kind, kinds.iter().copied()).map_or(String::new(), |near| format!(", did you mean {near}?"));
        CliError::new(Kind::Usage, format!("there is no kind of file {kind:?}{near}"))
            .help(format!("one of {}", kinds.join(", ")))
    })
}
