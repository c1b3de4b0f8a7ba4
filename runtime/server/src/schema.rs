//! The entity specification against what is stored: a server starts only on data that its configuration can read.
//!
//! The specification is kept in the store beside the data. At a start an equal one, or one that only adds, is fine, and
//! additions are stored as a new version. Anything that would leave stored data unreadable or orphaned stops the start,
//! before a module is loaded or a task taken: it loses data, so a person decides, with `tenter schema-update`.
//!
//! An update removes data first and stores the new version last. Each removal can be repeated, so that one that was
//! interrupted is still refused at a start, and goes on when it is asked for again.

use std::path::Path;

use tenter_model::schema::Schema;
use tenter_model::schema::version::{Destruction, SchemaDiff, SchemaVersion};
use tenter_model::time::Timestamp;
use tenter_store::{Store, StoreError};

use crate::error::{CliError, Kind};
use crate::output::plain;

/// Most lines of a plan in an error; `schema-update --dry-run` shows all.
const MAX_LINES: usize = 20;

/// What separates stored data from a specification.
pub(crate) struct Plan {
    /// Number of the stored version; `None`: nothing was stored yet.
    pub(crate) stored: Option<u64>,
    /// What has to be done.
    pub(crate) diff: SchemaDiff,
    wanted: SchemaVersion,
}

impl Plan {
    /// Compares.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn of(store: &Store, schema: &Schema) -> Result<Self, StoreError> {
        let wanted = SchemaVersion::of(schema);
        let (stored, diff) = match store.reader()?.latest_schema()? {
            None => (None, SchemaDiff::default()),
            Some(row) => (Some(row.number), row.version.compare(&wanted)),
        };
        Ok(Self { stored, diff, wanted })
    }

    /// Stores the specification as the one that data rely on. Gives its number.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn record(self, store: &Store, now: Timestamp) -> Result<u64, StoreError> {
        store.put_schema(self.wanted, now)
    }
}

/// Does one change. Gives the number of records or entities that it concerned.
///
/// # Errors
/// What the store says; what was done stays done, and doing it again does the rest.
pub(crate) fn destroy(store: &Store, change: &Destruction) -> Result<u64, StoreError> {
    match change {
        Destruction::RemoveEntity { etype } | Destruction::RetypeEntity { etype, .. } => store.drop_type(etype),
        Destruction::RemoveAttribute { etype, attr } | Destruction::ChangeAttribute { etype, attr, .. } => {
            store.drop_attribute(etype, attr)
        }
    }
}

/// Lets a server start, or says why not. `update` is the command that carries out what is refused.
///
/// # Errors
/// When data would be lost, and what the store says.
pub(crate) fn at_start(store: &Store, schema: &Schema, now: Timestamp, update: &str) -> anyhow::Result<()> {
    let plan = Plan::of(store, schema)?;
    if !plan.diff.is_harmless() {
        return Err(refusal(&plan.diff, update).into());
    }
    for addition in &plan.diff.additions {
        tracing::info!("the entity specification has changed: {}", plain(&addition.to_string()));
    }
    let (stored, changed) = (plan.stored, !plan.diff.is_empty());
    // Only additions are left, or nothing; an equal version is not stored twice.
    let number = plan.record(store, now)?;
    if stored.is_some() && changed {
        tracing::info!(version = number, "the entity specification is stored");
    }
    Ok(())
}

/// The command that updates the data of a site.
pub(crate) fn command(site_dir: Option<&Path>, data_dir: &Path) -> String {
    match site_dir {
        None => format!("tenter schema-update SITE --data {}", data_dir.display()),
        Some(site) if data_dir == site.join("data") => format!("tenter schema-update {}", site.display()),
        Some(site) => format!("tenter schema-update {} --data {}", site.display(), data_dir.display()),
    }
}

fn refusal(diff: &SchemaDiff, update: &str) -> CliError {
    let mut text = String::from("the configuration does not fit the stored data; to serve it, data would be lost:");
    for change in diff.destructive.iter().take(MAX_LINES) {
        text.push_str(&format!("\n  - {}", plain(&change.to_string())));
    }
    if let Some(more @ 1..) = diff.destructive.len().checked_sub(MAX_LINES) {
        text.push_str(&format!("\n  and {more} more"));
    }
    CliError::new(Kind::Conflict, text).help(format!(
        "take the change of db_entities/ back, or run `{update}` to see what goes and confirm it; \
         `tenter backup create --data DIR` keeps a copy"
    ))
}
