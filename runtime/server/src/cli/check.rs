//! `tenter check`: is this folder a site that can be served?

use std::path::{Path, PathBuf};

use serde_json::json;
use tenter_model::config::{self, ConfigProblem, SiteConfig};
use tenter_store::Store;

use crate::cli::Context;
use crate::error::{CliError, Kind};
use crate::output::{Format, plain};
use crate::{enabled, site};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of configuration.
    dir: PathBuf,
    /// Print the entity types and attributes as they were understood, as JSON.
    #[arg(short, long)]
    verbose: bool,
}

/// Reads the folder and prints what is wrong with it: as a document with `-o json`, else on stderr, a line each.
///
/// # Errors
/// When anything is wrong; warnings are not.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let mut loaded = config::load(&site::read(&args.dir)?);
    if let Some(site) = &loaded.config {
        loaded.warnings.extend(without_components(&args.dir, site));
    }
    if context.out.format == Format::Table {
        for warning in &loaded.warnings {
            context.out.note(&format!("warning: {}", line(warning)));
        }
        for error in &loaded.errors {
            eprintln!("{}", line(error));
        }
    } else {
        let document = json!({
            "valid": loaded.config.is_some(),
            "entities": loaded.config.as_ref().map(|c| c.schema.to_json()),
            "errors": loaded.errors,
            "warnings": loaded.warnings,
        });
        context.out.one(&document, |_| String::new())?;
    }
    let Some(site) = loaded.config else {
        let count = match loaded.errors.len() {
            1 => "1 error".to_owned(),
            n => format!("{n} errors"),
        };
        return Err(CliError::new(Kind::Invalid, format!("{} is not valid: {count}", args.dir.display()))
            .help("correct the places named above; `tenter init` in an empty folder shows a site that works")
            .into());
    };
    if args.verbose && context.out.format == Format::Table {
        context.out.text(&format!("{:#}\n", site.schema.to_json()))?;
    } else if context.out.format == Format::Table {
        let rows = site.schema.entities().iter().map(|e| vec![e.id.to_string(), e.attributes().len().to_string()]);
        context.out.text(&crate::output::table(&["entity type", "attributes"], rows.collect()))?;
    }
    context.out.note(&format!("{} is valid", args.dir.display()));
    context.out.next(&format!("tenter serve {}", args.dir.display()));
    Ok(())
}

/// Modules that are enabled and were not uploaded, as far as the data can be looked at.
fn without_components(dir: &Path, site: &SiteConfig) -> Vec<ConfigProblem> {
    let data = site::data_dir(dir, site);
    // Data that cannot be read are told by whoever serves them.
    let uploaded = if Store::is_in(&data) { Store::look_for_modules(&data).ok() } else { Some(Vec::new()) };
    let missing = uploaded.map(|uploaded| enabled::missing(site, Some(dir), &uploaded)).unwrap_or_default();
    let problem = |missing: enabled::Missing| ConfigProblem {
        file: "processing_core.yml".to_owned(),
        line: 0,
        column: 0,
        path: format!("enabled_modules.{}", missing.name),
        message: missing.detail,
        expected: None,
        nearest: None,
    };
    missing.into_iter().map(problem).collect()
}

fn line(problem: &ConfigProblem) -> String {
    plain(&problem.to_string())
}
