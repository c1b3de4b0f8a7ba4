//! Expressions of cron fields: what can be written, and which value of a field comes next.
//!
//! A field holds parts with commas between them, and the nearest value of any part counts. Where APScheduler drops
//! what follows a name or `last` (`mon/2` means `mon` there), the expression is refused: nobody writes that and means
//! the other.

use jiff::civil::{Date, Weekday};

/// Names of months, from 1.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Names of weekdays, from Monday = 0.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Which weekday of a month.
const POSITIONS: [&str; 6] = ["1st", "2nd", "3rd", "4th", "5th", "last"];

/// A field of a schedule, most significant first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Year,
    Month,
    Day,
    Week,
    DayOfWeek,
    Hour,
    Minute,
    Second,
}

impl Field {
    pub(super) const ALL: [Self; 8] =
        [Self::Year, Self::Month, Self::Day, Self::Week, Self::DayOfWeek, Self::Hour, Self::Minute, Self::Second];

    /// Smallest and largest value.
    pub(super) fn bounds(self) -> (i32, i32) {
        match self {
            Self::Year => (1970, 9999),
            Self::Month => (1, 12),
            Self::Day => (1, 31),
            Self::Week => (1, 53),
            Self::DayOfWeek => (0, 6),
            Self::Hour => (0, 23),
            Self::Minute | Self::Second => (0, 59),
        }
    }

    /// Whether the value is a part of date and time, and not computed from the date.
    pub(super) fn is_real(self) -> bool {
        !matches!(self, Self::Week | Self::DayOfWeek)
    }

    fn names(self) -> (&'static [&'static str], i32) {
        match self {
            Self::Month => (&MONTHS, 1),
            Self::DayOfWeek => (&WEEKDAYS, 0),
            _ => (&[], 0),
        }
    }
}

/// One part of a field's expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Each `step`th value from `first` to `last`.
    Range { first: i32, last: i32, step: i32 },
    /// A weekday of the month: the first = 1 and so on, or the last.
    Nth { nth: Option<i32>, weekday: i32 },
    /// The last day of the month.
    LastDay,
}

impl Part {
    /// Every value of the field.
    pub(super) fn any(field: Field) -> Self {
        let (first, last) = field.bounds();
        Self::Range { first, last, step: 1 }
    }

    /// The field's smallest value.
    pub(super) fn least(field: Field) -> Self {
        let (first, _) = field.bounds();
        Self::Range { first, last: first, step: 1 }
    }

    /// The nearest value that is not below `value`; `max` is the field's largest at this `date`.
    pub(super) fn next(self, value: i32, max: i32, date: Date) -> Option<i32> {
        let next = match self {
            Self::Range { first, last, step } => {
                let over = value.saturating_sub(first).max(0);
                let next = first + over + (step - over % step) % step;
                return (next <= last.min(max)).then_some(next);
            }
            Self::LastDay => i32::from(date.days_in_month()),
            Self::Nth { nth, weekday } => {
                let day = |n| date.first_of_month().nth_weekday_of_month(n, monday_based(weekday)).ok();
                i32::from(match nth {
                    Some(n) => day(i8::try_from(n).ok()?)?.day(),
                    None => day(-1)?.day(),
                })
            }
        };
        (next >= value).then_some(next)
    }
}

fn monday_based(weekday: i32) -> Weekday {
    i8::try_from(weekday).ok().and_then(|n| Weekday::from_monday_zero_offset(n).ok()).unwrap_or(Weekday::Monday)
}

/// Reads the expression of one field.
///
/// # Errors
/// What was expected.
pub(super) fn parse(field: Field, expression: &str) -> Result<Vec<Part>, String> {
    expression.split(',').map(|part| one(field, &part.trim().to_lowercase())).collect()
}

fn one(field: Field, text: &str) -> Result<Part, String> {
    if field == Field::Day {
        if text == "last" {
            return Ok(Part::LastDay);
        }
        if let Some((position, day)) = text.split_once(char::is_whitespace) {
            return nth(position, day.trim());
        }
    }
    let (low, high) = field.bounds();
    let (range, step) = match text.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (text, None),
    };
    let (first, last) = if range == "*" {
        (low, high)
    } else {
        match range.split_once('-') {
            Some((a, b)) => (value(field, a)?, value(field, b)?),
            // `5/10` goes on to the end, `5` does not.
            None => (value(field, range)?, if step.is_some() { high } else { value(field, range)? }),
        }
    };
    if first > last {
        return Err(format!("the range {range:?} goes backwards; write two ranges with a comma between them"));
    }
    let step = match step {
        None => 1,
        Some(step) => {
            let most = last - first;
            let n = digits(step).filter(|n| (1..=most).contains(n));
            n.ok_or_else(|| format!("expected a step from 1 to {most} after {range:?} and \"/\", found {step:?}"))?
        }
    };
    Ok(Part::Range { first, last, step })
}

fn nth(position: &str, day: &str) -> Result<Part, String> {
    let place = POSITIONS.iter().position(|p| *p == position);
    let place =
        place.ok_or_else(|| format!("expected one of {} before a weekday, found {position:?}", list(&POSITIONS)))?;
    let weekday = WEEKDAYS.iter().position(|w| *w == day);
    let weekday =
        weekday.ok_or_else(|| format!("expected one of {} after {position:?}, found {day:?}", list(&WEEKDAYS)))?;
    let nth = (place + 1 < POSITIONS.len()).then(|| i32::try_from(place + 1).unwrap_or(1));
    Ok(Part::Nth { nth, weekday: i32::try_from(weekday).unwrap_or(0) })
}

fn value(field: Field, text: &str) -> Result<i32, String> {
    let (low, high) = field.bounds();
    let (names, from) = field.names();
    if let Some(at) = names.iter().position(|name| *name == text) {
        return Ok(from + i32::try_from(at).unwrap_or(0));
    }
    digits(text).filter(|n| (low..=high).contains(n)).ok_or_else(|| {
        let or = if names.is_empty() { String::new() } else { format!(", one of {}", list(names)) };
        let more = if field == Field::Day { ", \"last\" or such as \"2nd mon\"" } else { "" };
        format!("expected a number from {low} to {high}{or}{more}, or \"*\", found {text:?}")
    })
}

fn digits(text: &str) -> Option<i32> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn list(names: &[&str]) -> String {
    names.join(" ")
}
