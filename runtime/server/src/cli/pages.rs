//! Lists that a server gives by `skip` and `limit`, read page by page.
//!
//! The places of such a list move when data come or go between two requests: with the newest first, everything moves down
//! by what has arrived. So each request begins with the last row of the one before. When that row is not where it was, it
//! is looked for nearby, and reading goes on behind it: rows that were there all the time come once, rows that came in
//! before it do not come at all. When it cannot be found any more, reading goes on where it was, and the caller is told
//! that the list is torn: rows may be missing or double.

use serde_json::Value;

use crate::cli::Context;
use crate::error::CliError;

/// Rows asked for at once; as DP³'s shell does.
const STEP: u64 = 100;

/// Rows asked for at once when that many have been read: a server passes over all rows before a page, so that short pages
/// of a long list cost more the longer it is.
const LONG_STEP: u64 = 1_000;

/// How many pages further down the last row is looked for.
const SEARCHED: u64 = 8;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub(super) struct Window {
    /// Leave out this many.
    #[arg(short, long, default_value_t = 0, value_name = "N")]
    pub(super) skip: u64,
    /// At most this many; 0 = all.
    #[arg(short, long, default_value_t = 20, value_name = "N")]
    pub(super) limit: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { skip: 0, limit: 20 }
    }
}

impl Window {
    /// The most rows that are wanted.
    pub(super) fn most(self) -> u64 {
        if self.limit == 0 { u64::MAX } else { self.limit }
    }
}

/// How reading a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// Whether the limit ended it, so that there may be more.
    pub(super) more: bool,
    /// Whether the place was lost because the list changed.
    pub(super) torn: bool,
}

/// Reads a window. `fetch` asks for a page by `skip` and `limit`, `same` tells whether two rows are one, and `take` gets
/// the rows in order, at most [`LONG_STEP`] at once.
///
/// # Errors
/// What `fetch` and `take` say.
pub(super) fn read(
    window: Window,
    mut fetch: impl FnMut(u64, u64) -> Result<Vec<Value>, CliError>,
    same: impl Fn(&Value, &Value) -> bool,
    mut take: impl FnMut(&[Value]) -> anyhow::Result<()>,
) -> anyhow::Result<End> {
    let (mut place, mut left) = (window.skip, window.most());
    let mut step = STEP;
    let mut last: Option<Value> = None;
    let mut torn = false;
    while left > 0 {
        let wanted = step.min(left);
        let page = match &last {
            None => Page::at(place, wanted, &mut fetch)?,
            Some(last) => Page::behind(last, place, (wanted, step), &mut fetch, &same)?,
        };
        torn |= page.torn;
        let rows = page.rows.get(page.seen..).unwrap_or_default();
        let rows = rows.get(..usize::try_from(wanted)?).unwrap_or(rows);
        take(rows)?;
        let got = rows.len() as u64;
        place = page.from.saturating_add(page.seen as u64).saturating_add(got);
        left -= got;
        if place.saturating_sub(window.skip) >= LONG_STEP {
            step = LONG_STEP;
        }
        last = rows.last().cloned().or(last);
        if !page.full {
            return Ok(End { more: false, torn });
        }
    }
    Ok(End { more: true, torn })
}

/// Tells a person how reading ended, when that is not with the end of the list.
pub(super) fn tell(end: End, window: Window, shown: u64, context: &Context) {
    if end.torn {
        context.out.note("warning: the list changed while it was read; rows may be missing or double");
    }
    if end.more {
        let next = window.skip.saturating_add(shown);
        context.out.note(&format!("there may be more: `--skip {next}` goes on, `--limit 0` shows all"));
    }
}

/// What one request brought.
struct Page {
    /// Place of the first row.
    from: u64,
    rows: Vec<Value>,
    /// How many of the rows were read before.
    seen: usize,
    /// Whether there are as many rows as were asked for.
    full: bool,
    torn: bool,
}

impl Page {
    fn at(
        from: u64,
        limit: u64,
        fetch: impl FnOnce(u64, u64) -> Result<Vec<Value>, CliError>,
    ) -> Result<Self, CliError> {
        let rows = fetch(from, limit)?;
        let full = rows.len() as u64 >= limit;
        Ok(Self { from, rows, seen: 0, full, torn: false })
    }

    /// The page that goes on behind this row, which was the one before `place`; `step` is how far is looked at once.
    fn behind(
        last: &Value,
        place: u64,
        (wanted, step): (u64, u64),
        mut fetch: impl FnMut(u64, u64) -> Result<Vec<Value>, CliError>,
        same: impl Fn(&Value, &Value) -> bool,
    ) -> Result<Self, CliError> {
        let seen = |page: &Self| page.rows.iter().position(|row| same(row, last)).map(|at| at + 1);
        let begin = place.saturating_sub(1);
        let mut here = Self::at(begin, wanted + 1, &mut fetch)?;
        if let Some(seen) = seen(&here) {
            return Ok(Self { seen, ..here });
        }
        let back = begin.saturating_sub(step);
        let further = (0..SEARCHED).map(|n| begin.saturating_add(wanted + 1 + n * (step + 1)));
        for from in std::iter::once(back).chain(further) {
            let page = Self::at(from, step + 1, &mut fetch)?;
            if let Some(seen) = seen(&page) {
                return Ok(Self { seen, ..page });
            }
            if from > begin && !page.full {
                break;
            }
        }
        here.torn = true;
        Ok(here)
    }
}

#[cfg(test)]
mod tests;
