//! `tenter backup`: copies of the data, of a running server or of one that is stopped.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenter_model::time::Clock as _;
use tenter_store::{Report, Store, StoreError, StoreOptions};

use crate::backup;
use crate::cli::Context;
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};
use crate::output::{field, plain};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Copy the data into `backups/` of the data folder. Work goes on meanwhile.
    Create {
        /// Folder of the data of a server that is stopped, instead of asking one that runs.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Read a whole backup and say what is wrong with it; needs no server.
    Verify {
        /// The backup.
        file: PathBuf,
    },
    /// Make a data folder of a backup; needs no server.
    Restore {
        /// The backup.
        file: PathBuf,
        /// The folder; it must be empty or absent.
        dir: PathBuf,
    },
}

/// Does it.
///
/// # Errors
/// When there is no server or it refuses, or the backup is not in order.
pub(crate) fn run(command: &Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Create { data: None } => {
            let made = context.patient_client(3_600)?.send("POST", "/api/v1/backup", None)?;
            created(&made, context)
        }
        Command::Create { data: Some(dir) } => {
            if !dir.is_dir() {
                return Err(CliError::new(Kind::NotFound, format!("{} is not a folder", dir.display())).into());
            }
            let now = SystemClock.now();
            let store = Store::open(dir, StoreOptions::default(), now).map_err(refused)?;
            let file = backup::create(&store, "local", now).map_err(refused)?;
            store.close().map_err(refused)?;
            created(&json!({"file": file.display().to_string(), "at": now.to_string()}), context)
        }
        Command::Verify { file } => {
            there(file)?;
            let report = Store::verify(file).map_err(refused)?;
            shown(&report, context)?;
            if report.is_sound() {
                return Ok(());
            }
            let problems = report.problems().iter().map(|p| plain(p)).collect::<Vec<_>>().join("\n  ");
            Err(CliError::new(Kind::Invalid, format!("{} is not in order:\n  {problems}", file.display())).into())
        }
        Command::Restore { file, dir } => {
            there(file)?;
            let report = Store::restore(file, dir).map_err(refused)?;
            shown(&report, context)?;
            context.out.next(&format!("tenter serve SITE --data {}", dir.display()));
            Ok(())
        }
    }
}

fn created(made: &Value, context: &Context) -> anyhow::Result<()> {
    context.out.one(made, |m| format!("{}\n", field(m, "file")))?;
    context.out.next(&format!("tenter backup verify {}", field(made, "file")));
    Ok(())
}

fn there(file: &Path) -> Result<(), CliError> {
    if file.is_file() {
        return Ok(());
    }
    Err(CliError::new(Kind::NotFound, format!("{} is not a file", file.display()))
        .help("`tenter backup create` prints where a backup is"))
}

fn shown(report: &Report, context: &Context) -> anyhow::Result<()> {
    let answer = json!({
        "sound": report.is_sound(), "problems": report.problems(), "format": report.format,
        "values_read": report.values_read, "accepted": report.counters.accepted, "pending": report.counters.pending,
        "raw_points": report.counters.raw_points, "audit_rows": report.audit.rows,
    });
    context.out.one(&answer, |a| {
        format!(
            "{} tasks accepted, {} pending, {} datapoints, {} values read, {} rows of the audit log\n",
            field(a, "accepted"),
            field(a, "pending"),
            field(a, "raw_points"),
            field(a, "values_read"),
            field(a, "audit_rows")
        )
    })
}

fn refused(error: StoreError) -> CliError {
    let text = error.to_string();
    match error {
        StoreError::Locked(_) => CliError::new(Kind::Conflict, text)
            .help("a server has it open: `tenter backup create` without `--data` asks that server"),
        StoreError::Invalid(_) => CliError::new(Kind::Conflict, text),
        StoreError::Corrupt(_) | StoreError::Foreign(_) | StoreError::TooNew { .. } => {
            CliError::new(Kind::Invalid, text)
        }
        _ => CliError::new(Kind::Failed, text),
    }
}
