//! When a schedule fires next.
//!
//! The search goes through the fields from the most significant to the least. A field whose value fits stays; one that
//! must grow is set, with all below it at their least; one that has no further value makes the field above it grow.
//! This is the documented behaviour of APScheduler's cron trigger, and a table made with that library holds it.
//!
//! **Changes of the clock** are treated as there. *Setting* a field means wall time: a time that the clocks skip is
//! read with the offset before the change, so `hour=2 minute=30` fires at 03:30 on the day when 02:00 becomes 03:00.
//! *Growing* means time that really passes, so every hour of a day is visited once, and an hour that comes twice is
//! visited twice. Where midnight itself is skipped, a daily schedule leaves that day out.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use super::part::{self, Field, Part};
use super::{Cron, FIELDS};
use crate::hook::Timer;
use crate::time::Timestamp;

/// The calendar repeats after this many years: what did not match in them never will.
const CALENDAR_YEARS: i32 = 400;

/// A schedule that was read and can be asked.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// In the order of [`FIELDS`].
    fields: [Vec<Part>; 8],
    zone: TimeZone,
    /// Whether any year will do.
    any_year: bool,
}

/// Why a schedule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// An expression is wrong.
    #[error("the field {field:?} of the schedule cannot be {expression:?}: {expected}")]
    Expression {
        /// Which field.
        field: &'static str,
        /// Its expression.
        expression: String,
        /// What was expected.
        expected: String,
    },
    /// There is no such field.
    #[error("{name:?} is no field of a schedule; the fields are {}", FIELDS.join(", "))]
    Field {
        /// The name as given.
        name: String,
    },
    /// There is no such time zone.
    #[error("there is no time zone {name:?}{}; expected a name of the IANA database such as \"Europe/Prague\"",
        near.as_ref().map_or(String::new(), |n| format!(", did you mean {n:?}?")))]
    Zone {
        /// The name as given.
        name: String,
        /// The nearest name.
        near: Option<String>,
    },
}

impl Schedule {
    /// Reads a schedule, by the rules of APScheduler: names, `a-b/c`, `last` and `2nd mon` are allowed too.
    ///
    /// # Errors
    /// [`CronError`] names the field or the zone and what was expected.
    pub fn of(cron: &Cron) -> Result<Self, CronError> {
        Self::read(&cron.fields(), &cron.timezone)
    }

    /// Reads the schedule of a subscription; `None` for one that fires once at the start.
    ///
    /// # Errors
    /// As [`Schedule::of`].
    pub fn of_timer(timer: &Timer) -> Result<Option<Self>, CronError> {
        let Some(fields) = &timer.fields else { return Ok(None) };
        let mut pairs = Vec::with_capacity(fields.len());
        for (name, expression) in fields {
            let known = FIELDS.into_iter().find(|known| known == name);
            pairs.push((known.ok_or_else(|| CronError::Field { name: name.clone() })?, expression.as_str()));
        }
        Self::read(&pairs, &timer.timezone).map(Some)
    }

    /// The first time after `after` at which it fires; `None` when there is none until the year 9999.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let start = after.0.div_euclid(1_000_000).checked_add(1)?;
        let mut wall = Wall::at(&self.zone, start)?;
        let last_year = if self.any_year { wall.value(Field::Year).max(1970) + CALENDAR_YEARS } else { i32::MAX };
        let mut at = 0;
        while let (Some(field), Some(parts)) = (Field::ALL.get(at).copied(), self.fields.get(at)) {
            let value = wall.value(field);
            let max = wall.max(field);
            let date = wall.clock.date();
            match parts.iter().filter_map(|part| part.next(value, max, date)).min() {
                Some(next) if next == value => at += 1,
                Some(next) if field.is_real() => {
                    wall.set(&self.zone, field, next)?;
                    at += 1;
                }
                Some(_) => at = wall.grow(&self.zone, at)?,
                None => at = wall.grow(&self.zone, at.checked_sub(1)?)?,
            }
            if wall.value(Field::Year) > last_year {
                return None;
            }
        }
        Some(Timestamp::from_secs(wall.unix))
    }

    /// The last time after `after` and not after `until` at which it fires: of several that were missed, the one that
    /// is caught up.
    #[must_use]
    pub fn latest(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let within = |from: i64| self.next(Timestamp(from)).filter(|t| *t <= until);
        let mut found = within(after.0)?;
        // From `low` on there is one in time, from `high` on there is none.
        let (mut low, mut high) = (found.0, until.0);
        while high.saturating_sub(low) > 0 {
            let middle = low + high.saturating_sub(low).saturating_add(1) / 2;
            match within(middle) {
                Some(later) => {
                    found = later;
                    low = later.0.max(middle);
                }
                None => high = middle - 1,
            }
        }
        Some(found)
    }

    fn read(given: &[(&'static str, &str)], timezone: &str) -> Result<Self, CronError> {
        let mut fields: [Vec<Part>; 8] = Default::default();
        let least_given = FIELDS.iter().rposition(|name| given.iter().any(|(n, _)| n == name));
        for (at, ((slot, name), field)) in fields.iter_mut().zip(FIELDS).zip(Field::ALL).enumerate() {
            *slot =
                match given.iter().rev().find(|(n, _)| *n == name) {
                    Some((_, expression)) => part::parse(field, expression).map_err(|expected| {
                        CronError::Expression { field: name, expression: (*expression).to_owned(), expected }
                    })?,
                    None if field.is_real() && least_given.is_some_and(|least| at > least) => vec![Part::least(field)],
                    None => vec![Part::any(field)],
                };
        }
        let any_year = fields.first().is_some_and(|parts| parts.contains(&Part::any(Field::Year)));
        Ok(Self { fields, zone: zone(timezone)?, any_year })
    }
}

/// A zone of the database that is part of the program, so that no files of the system are needed.
fn zone(name: &str) -> Result<TimeZone, CronError> {
    if name.eq_ignore_ascii_case("UTC") || name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    let database = TimeZoneDatabase::bundled();
    database.get(name).map_err(|_| {
        let names: Vec<String> = database.available().map(|n| n.to_string()).collect();
        let near = crate::config::nearest(name, names.iter().map(String::as_str)).map(str::to_owned);
        CronError::Zone { name: name.to_owned(), near }
    })
}

/// A point in time as the clocks of the zone show it.
struct Wall {
    /// Seconds since the epoch.
    unix: i64,
    /// What the clocks show; after a setting it can be a time that they skip.
    clock: DateTime,
    /// Whether of a time that comes twice the second is meant.
    second: bool,
}

impl Wall {
    fn at(zone: &TimeZone, unix: i64) -> Option<Self> {
        let timestamp = jiff::Timestamp::from_second(unix).ok()?;
        let offset = zone.to_offset(timestamp);
        let clock = offset.to_datetime(timestamp);
        let second = match zone.to_ambiguous_timestamp(clock).offset() {
            AmbiguousOffset::Fold { after, .. } => after == offset,
            AmbiguousOffset::Gap { .. } | AmbiguousOffset::Unambiguous { .. } => false,
        };
        Some(Self { unix, clock, second })
    }

    fn value(&self, field: Field) -> i32 {
        let (date, time) = (self.clock.date(), self.clock.time());
        match field {
            Field::Year => i32::from(date.year()),
            Field::Month => i32::from(date.month()),
            Field::Day => i32::from(date.day()),
            Field::Week => i32::from(date.iso_week_date().week()),
            Field::DayOfWeek => i32::from(date.weekday().to_monday_zero_offset()),
            Field::Hour => i32::from(time.hour()),
            Field::Minute => i32::from(time.minute()),
            Field::Second => i32::from(time.second()),
        }
    }

    fn max(&self, field: Field) -> i32 {
        if field == Field::Day { i32::from(self.clock.date().days_in_month()) } else { field.bounds().1 }
    }

    /// Sets a field by wall time, with all below it at their least.
    fn set(&mut self, zone: &TimeZone, field: Field, value: i32) -> Option<()> {
        self.clock = self.with(field, value)?;
        let offset: Offset = match zone.to_ambiguous_timestamp(self.clock).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                if self.second {
                    after
                } else {
                    before
                }
            }
        };
        self.unix = offset.to_timestamp(self.clock).ok()?.as_second();
        Some(())
    }

    /// Lets a field grow by one in time that really passes, with all below it at their least, or where it is at its
    /// end the one above it. Gives the place of the field that grew.
    fn grow(&mut self, zone: &TimeZone, mut at: usize) -> Option<usize> {
        let field = loop {
            let field = Field::ALL.get(at).copied()?;
            if field.is_real() && self.value(field) < self.max(field) {
                break field;
            }
            at = at.checked_sub(1)?;
        };
        let grown = self.with(field, self.value(field) + 1)?;
        let passed = seconds(grown).checked_sub(seconds(self.clock))?;
        *self = Self::at(zone, self.unix.checked_add(passed)?)?;
        Some(at)
    }

    fn with(&self, field: Field, value: i32) -> Option<DateTime> {
        let get = |f: Field| {
            let n = match f.cmp(&field) {
                std::cmp::Ordering::Less => self.value(f),
                std::cmp::Ordering::Equal => value,
                std::cmp::Ordering::Greater => f.bounds().0,
            };
            i16::try_from(n).ok()
        };
        let small = |f: Field| get(f).and_then(|n| i8::try_from(n).ok());
        let date = Date::new(get(Field::Year)?, small(Field::Month)?, small(Field::Day)?).ok()?;
        Some(date.at(small(Field::Hour)?, small(Field::Minute)?, small(Field::Second)?, 0))
    }
}

/// Seconds of a wall time, as if it were UTC.
fn seconds(clock: DateTime) -> i64 {
    Offset::UTC.to_timestamp(clock).map_or(0, |t| t.as_second())
}
