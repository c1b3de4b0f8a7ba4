//! Sends datapoints in batches, waits while the server is busy, and keeps count of what has arrived for sure.

use std::io::BufRead;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tenter_model::limits::MAX_BODY_BYTES;

use super::items::{Item, ItemError, Items};
use crate::client::{Answer, Broken, problem};
use crate::error::{CliError, Kind};

/// How often a batch is sent anew while the server is busy or not there.
const RETRIES: u32 = 6;
/// First pause before that; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause, also when the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Bad datapoints that an error lists.
const LISTED: usize = 10;

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sent {
    /// Datapoints that the server has acknowledged.
    pub(super) datapoints: u64,
    /// Requests that they came in.
    pub(super) batches: u64,
}

/// How to send: the connection, the clock and the screen are passed in.
pub(super) struct Sender<'a, Post, Pause, Progress> {
    /// The input, for messages.
    pub(super) name: &'a str,
    /// Datapoints in one request.
    pub(super) batch: usize,
    /// Datapoints to leave out.
    pub(super) skip: u64,
    /// Names this sending; with the place of its first datapoint it names a batch.
    pub(super) run: &'a str,
    /// Sends a body under a key.
    pub(super) post: Post,
    /// Whether the server takes what comes under one key once, however often it comes. DP³ does not.
    pub(super) keyed: bool,
    /// Waits.
    pub(super) pause: Pause,
    /// Is told the bytes read and the datapoints sent.
    pub(super) progress: Progress,
    /// Whether to stop after the batch under way.
    pub(super) stop: &'a AtomicBool,
}

impl<Post, Pause, Progress> Sender<'_, Post, Pause, Progress>
where
    Post: FnMut(&[u8], &str) -> Result<Answer, Broken>,
    Pause: FnMut(Duration),
    Progress: FnMut(u64, u64),
{
    /// Sends everything.
    ///
    /// # Errors
    /// When the input or a datapoint is not valid, or the server is not there or refuses. The message says how many
    /// datapoints were sent before.
    pub(super) fn run<R: BufRead>(&mut self, mut items: Items<R>) -> Result<Sent, CliError> {
        let mut sent = Sent::default();
        let mut batch: Vec<Item> = Vec::new();
        let mut size = 0;
        for _ in 0..self.skip {
            if items.next().map_err(|e| self.unreadable(&e, sent))?.is_none() {
                break;
            }
        }
        loop {
            let item = items.next().map_err(|e| self.unreadable(&e, sent))?;
            let ended = item.is_none();
            // Two brackets, and a comma behind each.
            let full = |item: &Item| batch.len() == self.batch || size + item.text.len() + 3 > MAX_BODY_BYTES;
            if !batch.is_empty() && item.as_ref().is_none_or(full) {
                self.deliver(&batch, sent)?;
                sent.datapoints += batch.len() as u64;
                sent.batches += 1;
                (self.progress)(items.bytes(), sent.datapoints);
                batch.clear();
                size = 0;
                if !ended && self.stop.load(Ordering::Relaxed) {
                    return Err(self.early(CliError::new(Kind::Interrupted, "interrupted"), sent));
                }
            }
            match item {
                Some(item) => {
                    size += item.text.len() + 1;
                    batch.push(item);
                }
                None => return Ok(sent),
            }
        }
    }

    /// Sends one batch until it is acknowledged or refused.
    fn deliver(&mut self, batch: &[Item], sent: Sent) -> Result<(), CliError> {
        let texts: Vec<&[u8]> = batch.iter().map(|i| i.text.as_slice()).collect();
        let body = [b"[".as_slice(), &texts.join(&b','), b"]"].concat();
        let key = format!("{}-{}", self.run, self.skip + sent.datapoints);
        let mut wait = FIRST_PAUSE;
        // Whether an attempt may have arrived; sending it again does no harm where keys are known.
        let mut unknown = false;
        for attempt in 0.. {
            let (error, asked) = match (self.post)(&body, &key) {
                Ok(Answer { status: 200..=299, .. }) => return Ok(()),
                Ok(answer @ Answer { status: 429 | 503, .. }) => {
                    (problem(answer.status, &answer.body, true), answer.retry_after)
                }
                Ok(answer) => return Err(self.early(self.refused(&answer, batch), sent)),
                Err(Broken { error, reached: false }) => (error, None),
                Err(Broken { error, reached: true }) if !self.keyed => {
                    let look = "DP³ takes a batch as often as it comes: `tenter entity raw` shows whether it came, and \
                                `--skip` leaves it out";
                    return Err(self.early(self.doubtful(error, batch).help(look), sent));
                }
                Err(Broken { error, reached: true }) => {
                    unknown = true;
                    (error, None)
                }
            };
            if attempt == RETRIES || self.stop.load(Ordering::Relaxed) {
                return Err(self.early(if unknown { self.doubtful(error, batch) } else { error }, sent));
            }
            (self.pause)(asked.unwrap_or(wait).min(LONGEST_PAUSE));
            wait = (wait * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }

    /// Tells that the batch may have been taken, and how to send it again without harm.
    fn doubtful(&self, error: CliError, batch: &[Item]) -> CliError {
        let lines = batch.first().zip(batch.last()).map_or(String::new(), |(first, last)| {
            format!("; whether the batch of lines {} to {} was taken is not known", first.line, last.line)
        });
        let help = format!("with `--run {}` and the same `--batch` it is taken once", self.run);
        CliError { message: format!("{}{lines}", error.message), ..error }.help(help)
    }

    /// The error of a refused batch, with the lines of the bad datapoints where the answer tells them.
    fn refused(&self, answer: &Answer, batch: &[Item]) -> CliError {
        let entries = answer.body.get("detail").or_else(|| answer.body.get("errors")).and_then(Value::as_array);
        let bad: Vec<String> = entries.into_iter().flatten().filter_map(|e| self.bad(e, batch)).collect();
        if bad.is_empty() {
            return problem(answer.status, &answer.body, true);
        }
        let mut message = format!("the server refused the batch (HTTP {}):", answer.status);
        message.extend(bad.iter().take(LISTED).map(|line| format!("\n  {line}")));
        if bad.len() > LISTED {
            message.push_str(&format!("\n  … and {} more", bad.len() - LISTED));
        }
        CliError::new(Kind::of_status(answer.status), message)
    }

    /// `loc` is `["body", NUMBER, MEMBER, …]`; the number is that of the datapoint in the batch.
    fn bad(&self, entry: &Value, batch: &[Item]) -> Option<String> {
        let loc = entry.get("loc")?.as_array()?;
        let place = loc.iter().position(Value::is_u64)?;
        let number = usize::try_from(loc.get(place)?.as_u64()?).ok()?;
        let rest = loc.iter().skip(place + 1).map(|p| crate::output::field(p, "")).collect::<Vec<_>>().join(".");
        let colon = if rest.is_empty() { "" } else { ": " };
        let message = crate::output::field(entry, "msg");
        Some(crate::output::plain(&format!("{}:{}: {rest}{colon}{message}", self.name, batch.get(number)?.line)))
    }

    fn unreadable(&self, error: &ItemError, sent: Sent) -> CliError {
        let error = match error {
            ItemError::Invalid { line, why } => CliError::new(Kind::Invalid, format!("{}:{line}: {why}", self.name)),
            ItemError::Io(e) => CliError::new(Kind::Failed, format!("{}: {e}", self.name)),
        };
        self.early(error, sent)
    }

    /// Adds how far it came and how to go on.
    fn early(&self, error: CliError, sent: Sent) -> CliError {
        let before = match sent.datapoints {
            0 => "nothing was sent before".to_owned(),
            n => format!("{n} datapoints were sent before"),
        };
        let message = format!("{}\n{before}", error.message);
        let go_on = match self.skip + sent.datapoints {
            0 => "send again".to_owned(),
            n => format!("go on with `--skip {n}`"),
        };
        let help = match error.kind {
            Kind::Invalid => format!("correct it, then {go_on}"),
            _ => error.help.map_or(go_on.clone(), |h| format!("{h}; {go_on}")),
        };
        CliError { kind: error.kind, message, help: Some(help) }
    }
}

#[cfg(test)]
mod tests;
