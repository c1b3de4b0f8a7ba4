//! The logs of datapoints from outside that `api.yml` names: accepted ones, and requests that were refused.
//!
//! One line each, `time (address) | JSON`: a datapoint in the form that `POST /datapoints` takes it again, or what was
//! wrong and the beginning of the body. The lines of one request are written at once, so that requests do not mix.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tenter_model::config::Api;
use tenter_model::{DataPoint, EntityRef, Schema, Timestamp};

use crate::error::{CliError, Kind};

/// Characters of a refused body that are kept.
const MAX_BODY_CHARS: usize = 4_096;

/// Files that are open for appending.
#[derive(Debug, Default)]
pub(crate) struct DatapointLog {
    good: Option<Mutex<File>>,
    bad: Option<Mutex<File>>,
}

impl DatapointLog {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// Which file cannot be opened.
    pub(crate) fn open(api: &Api) -> Result<Self, CliError> {
        let open = |key: &str, path: &Option<String>| match path {
            None => Ok(None),
            Some(path) => {
                let opened = OpenOptions::new().create(true).append(true).open(Path::new(path));
                opened.map(|file| Some(Mutex::new(file))).map_err(|error| {
                    CliError::new(
                        Kind::Invalid,
                        format!("cannot open {path} (datapoint_logger.{key} of api.yml): {error}"),
                    )
                    .help("its folder must exist and be writable; `false` switches the log off")
                })
            }
        };
        Ok(Self { good: open("good_log", &api.good_log)?, bad: open("bad_log", &api.bad_log)? })
    }

    /// The lines of accepted datapoints; `None` when they are not logged.
    pub(crate) fn accepted(
        &self,
        schema: &Schema,
        now: Timestamp,
        ip: &str,
        groups: &[(EntityRef, Vec<DataPoint>)],
    ) -> Option<String> {
        self.good.as_ref()?;
        let each = groups.iter().flat_map(|(entity, points)| points.iter().map(move |point| (entity, point)));
        Some(each.map(|(entity, point)| line(now, ip, &schema.datapoint_json(entity, point))).collect())
    }

    /// The line of a refused request; `None` when they are not logged.
    pub(crate) fn refused(&self, now: Timestamp, ip: &str, errors: &[Value], body: &[u8]) -> Option<String> {
        self.bad.as_ref()?;
        let body: String = String::from_utf8_lossy(body).chars().take(MAX_BODY_CHARS).collect();
        Some(line(now, ip, &json!({"errors": errors, "body": body})))
    }

    /// Writes lines of accepted datapoints. Blocks.
    pub(crate) fn write_accepted(&self, lines: &str) {
        write(self.good.as_ref(), lines);
    }

    /// Writes lines of refused requests. Blocks.
    pub(crate) fn write_refused(&self, lines: &str) {
        write(self.bad.as_ref(), lines);
    }
}

fn line(now: Timestamp, ip: &str, json: &Value) -> String {
    format!("{now} ({ip}) | {json}\n")
}

/// A log that cannot be written costs no datapoint.
fn write(file: Option<&Mutex<File>>, lines: &str) {
    let Some(file) = file else { return };
    if let Err(error) = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(lines.as_bytes()) {
        tracing::warn!("the log of datapoints cannot be written: {error}");
    }
}
