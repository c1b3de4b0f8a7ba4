//! Times in the forms that records have: text in UTC without a zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use crate::time::Timestamp;

fn civil(time: Timestamp) -> DateTime {
    let instant = jiff::Timestamp::from_microsecond(time.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(instant)
}

fn with_micros(time: DateTime) -> String {
    format!("{}.{:06}", time.strftime("%Y-%m-%dT%H:%M:%S"), time.subsec_nanosecond() / 1_000)
}

/// `2024-05-01T12:00:00`, with six digits of a fraction where there is one.
#[must_use]
pub fn iso(time: Timestamp) -> String {
    let text = with_micros(civil(time));
    text.strip_suffix(".000000").map(str::to_owned).unwrap_or(text)
}

/// `2024-05-01`
#[must_use]
pub fn date(time: Timestamp) -> String {
    civil(time).date().to_string()
}

/// `05/01/2024` of a date such as `2024-05-01`; empty when it is none.
#[must_use]
pub fn american(date: &str) -> String {
    date.parse::<Date>().map(|d| d.strftime("%m/%d/%Y").to_string()).unwrap_or_default()
}

/// A date and time without zone in full, such as `2024-05-01T12:00:00.000000`.
#[must_use]
pub fn local(text: &str) -> Option<String> {
    if text.len() < 16 || text.ends_with(['z', 'Z']) || text.contains('+') {
        return None;
    }
    text.parse::<DateTime>().ok().map(with_micros)
}

/// An offset such as `+02:00` in that form; `Z` and `+0200` are read too.
#[must_use]
pub fn offset(text: &str) -> Option<String> {
    let minutes = offset_minutes(text)?;
    let sign = if minutes < 0 { '-' } else { '+' };
    Some(format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60))
}

/// A time without zone and its offset, in UTC.
#[must_use]
pub fn to_utc(local: &str, offset: &str) -> Option<String> {
    let local: DateTime = local.parse().ok()?;
    let zone = Offset::from_seconds(offset_minutes(offset)? * 60).ok()?;
    let instant = zone.to_timestamp(local).ok()?;
    Some(with_micros(TimeZone::UTC.to_datetime(instant)))
}

/// Any point in time that a person or program may write, in UTC; without zone it is UTC.
#[must_use]
pub fn moment(text: &str) -> Option<String> {
    Timestamp::parse(text).map(iso)
}

fn offset_minutes(text: &str) -> Option<i32> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let (negative, digits) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return None,
    };
    let digits = digits.replacen(':', "", 1);
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    // The widest offsets in use are -12:00 and +14:00; what the calendar library takes is wider.
    if hours > 23 || minutes > 59 {
        return None;
    }
    let total = hours * 60 + minutes;
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_what_was_typed_and_its_time_in_utc() {
        let typed = local("2024-03-01T00:30:00.000000").unwrap();
        assert_eq!(typed, "2024-03-01T00:30:00.000000");
        assert_eq!(to_utc(&typed, "+02:00").as_deref(), Some("2024-02-29T22:30:00.000000"));
        assert_eq!(to_utc(&typed, "-0530").as_deref(), Some("2024-03-01T06:00:00.000000"));
        assert_eq!(local("2024-03-01T00:30:00").as_deref(), Some("2024-03-01T00:30:00.000000"));
        for wrong in ["", "2024-03-01", "2024-13-01T00:00:00.000000", "2024-03-01T00:30:00+01:00", "today"] {
            assert_eq!(local(wrong), None, "{wrong}");
        }
        for wrong in ["", "02:00", "+2:00", "+24:00", "+02:60", "Europe/Prague", "+é20"] {
            assert_eq!(offset(wrong), None, "{wrong}");
        }
        assert_eq!(offset("+0530").as_deref(), Some("+05:30"));
    }

    #[test]
    fn times_are_written_without_zone() {
        assert_eq!(iso(Timestamp(1_700_000_000_000_000)), "2023-11-14T22:13:20");
        assert_eq!(iso(Timestamp(1_700_000_000_000_500)), "2023-11-14T22:13:20.000500");
        assert_eq!(date(Timestamp(1_700_000_000_000_000)), "2023-11-14");
        assert_eq!(american("2023-11-14"), "11/14/2023");
        assert_eq!(american(""), "");
        assert_eq!(moment("2023-11-14T23:13:20+01:00").as_deref(), Some("2023-11-14T22:13:20"));
    }
}
