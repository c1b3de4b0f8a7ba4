//! Old datapoints leave the log for compressed files, one datapoint in JSON per line, as DP³ writes them: `type` and `id`
//! name the entity, times are UTC with milliseconds and without zone. Such a file can be sent in again.
//!
//! A file is written under another name, flushed to the disk, and takes its name; only then are its datapoints removed
//! from the log. A process that dies in between leaves them in both places, and none is lost.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;
use tenter_model::Timestamp;
use tenter_store::StoredPoint;

use super::{UpkeepError, go_on};
use crate::Engine;
use crate::schedule::JobContext;

/// Datapoints looked at in one read, and removed in one transaction.
const BATCH: u32 = 2000;
/// Datapoints of one file; more go into further files.
const FILE_POINTS: usize = 500_000;
/// Name of a file that is being written.
const PART: &str = ".dp-log.part";

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ArchiveReport {
    /// Datapoints removed from the log.
    pub datapoints: u64,
    /// Files written.
    pub files: Vec<String>,
}

impl Engine {
    /// Takes datapoints out of the log that begin earlier than `older_than` microseconds ago, or that have no begin and
    /// arrived earlier; into files of `folder`, or for good where there is none.
    ///
    /// # Errors
    /// [`UpkeepError`]; what is in finished files by then is removed.
    pub fn archive(
        &self,
        older_than: i64,
        folder: Option<&Path>,
        context: &JobContext,
    ) -> Result<ArchiveReport, UpkeepError> {
        let limit = context.now().saturating_add(older_than.saturating_neg());
        let reader = self.store.reader()?;
        let mut report = ArchiveReport::default();
        if let Some(folder) = folder {
            let fails = |source| UpkeepError::File { path: folder.display().to_string(), source };
            std::fs::create_dir_all(folder).map_err(fails)?;
        }
        let mut after = None;
        loop {
            let mut file = None;
            let mut seqs = Vec::new();
            let mut earliest = limit;
            let ended = loop {
                go_on(context)?;
                let page = reader.raw_before(limit, after, BATCH)?;
                for StoredPoint { seq, entity, point, at, .. } in page.items {
                    let dp = &point.datapoint;
                    earliest = earliest.min(dp.t1.unwrap_or(at));
                    if let Some(folder) = folder {
                        let writing = match &mut file {
                            Some(writing) => writing,
                            None => file.insert(Writing::begin(folder)?),
                        };
                        let mut json = self.schema.datapoint_json(&entity, dp);
                        for (key, time) in [("t1", dp.t1), ("t2", dp.t2)] {
                            if let (Some(time), Some(slot)) = (time, json.get_mut(key)) {
                                *slot = Value::String(in_milliseconds(time));
                            }
                        }
                        writing.line(&json)?;
                    }
                    seqs.push(seq);
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break true,
                }
                if seqs.len() >= FILE_POINTS {
                    break false;
                }
            };
            if let Some(writing) = file {
                report.files.push(writing.finish(earliest, limit)?);
            }
            report.datapoints += self.remove_points(&seqs)?;
            if ended {
                return Ok(report);
            }
        }
    }

    fn remove_points(&self, seqs: &[u64]) -> Result<u64, UpkeepError> {
        let mut removed = 0;
        for some in seqs.chunks(BATCH as usize) {
            removed += self.store.delete_raw_blocking(some.to_vec())?;
        }
        Ok(removed)
    }
}

/// A file that has not got its name.
struct Writing {
    out: GzEncoder<BufWriter<File>>,
    folder: PathBuf,
}

impl Writing {
    /// What a process that died left of another one is overwritten.
    fn begin(folder: &Path) -> Result<Self, UpkeepError> {
        let path = folder.join(PART);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(|source| UpkeepError::File { path: path.display().to_string(), source })?;
        let out = GzEncoder::new(BufWriter::new(file), Compression::default());
        Ok(Self { out, folder: folder.to_owned() })
    }

    fn line(&mut self, json: &Value) -> Result<(), UpkeepError> {
        serde_json::to_writer(&mut self.out, json)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|source| UpkeepError::File { path: self.folder.join(PART).display().to_string(), source })
    }

    /// Flushes it to the disk and gives it its name.
    fn finish(self, from: Timestamp, to: Timestamp) -> Result<String, UpkeepError> {
        let Self { out, folder } = self;
        let part = folder.join(PART);
        let name = free_name(&folder, from, to);
        let end = || -> io::Result<()> {
            let file = out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            std::fs::rename(&part, folder.join(&name))?;
            // The name is on the disk when the folder is.
            File::open(&folder)?.sync_all()
        };
        end().map_err(|source| UpkeepError::File { path: folder.join(&name).display().to_string(), source })?;
        Ok(name)
    }
}

/// `dp-log-<from>--<to>.jsonl.gz`, with a number where there is one of that name.
fn free_name(folder: &Path, from: Timestamp, to: Timestamp) -> String {
    let second = |time: Timestamp| in_milliseconds(time).chars().take(19).filter(|c| *c != ':').collect::<String>();
    let base = format!("dp-log-{}--{}", second(from), second(to));
    let mut name = format!("{base}.jsonl.gz");
    let mut number = 1u64;
    while folder.join(&name).exists() {
        number += 1;
        name = format!("{base}-{number}.jsonl.gz");
    }
    name
}

/// `2026-01-01T00:00:00.000`, in UTC.
fn in_milliseconds(time: Timestamp) -> String {
    let text = time.to_string();
    let text = text.strip_suffix('Z').unwrap_or(&text);
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    format!("{seconds}.{millis}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_and_no_zone() {
        for (micros, want) in [
            (1_767_225_600_000_000, "2026-01-01T00:00:00.000"),
            (1_767_225_600_250_000, "2026-01-01T00:00:00.250"),
            (1_767_225_600_000_999, "2026-01-01T00:00:00.000"),
            (1_767_225_600_123_456, "2026-01-01T00:00:00.123"),
        ] {
            assert_eq!(in_milliseconds(Timestamp(micros)), want);
        }
    }
}
