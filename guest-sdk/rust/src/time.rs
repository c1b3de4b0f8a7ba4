//! Points in time, without a clock and without a date library: a module's size counts.

use std::fmt;
use std::str::FromStr;

/// Microseconds since 1970-01-01T00:00:00Z. The time of the running call is [`crate::call::now`].
///
/// ```
/// use tenter_sdk::Timestamp;
/// let t: Timestamp = "2026-01-01T12:00:00Z".parse()?;
/// assert_eq!((t + 90 * Timestamp::SECOND).to_string(), "2026-01-01T12:01:30Z");
/// # Ok::<(), tenter_sdk::HookError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// One second in microseconds.
    pub const SECOND: i64 = 1_000_000;
    /// One minute in microseconds.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// One hour in microseconds.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// One day in microseconds.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// From whole seconds since the epoch; saturates.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(Self::SECOND))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Microseconds from `earlier` to this; saturates.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Parses `2026-01-01`, optionally with a time after `T` or a space, a fraction of a second, and `Z` or an
    /// offset such as `+01:00`. Without a zone it is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let date = text.get(..10)?;
        let mut parts = date.split('-').map(digits);
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
            return None;
        }
        let mut micros = days_from_civil(year, month, day).checked_mul(Self::DAY)?;
        if let Some(rest) = text.get(10..).filter(|r| !r.is_empty()) {
            let clock = rest.strip_prefix(['T', 't', ' '])?;
            micros = micros.checked_add(time_of_day(clock)?)?;
        }
        Some(Self(micros))
    }
}

/// Microseconds since midnight UTC of `12:34:56.7+01:00`.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => (text.get(..at)?, zone(text.get(at..)?)?),
        None => (text, 0),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':').map(digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let mut micros = 0;
    let mut unit = 100_000;
    for c in fraction.chars() {
        micros += i64::from(c.to_digit(10)?) * unit;
        unit /= 10;
    }
    Some(hour * Timestamp::HOUR + minute * Timestamp::MINUTE + second * Timestamp::SECOND + micros - offset)
}

/// Microseconds east of UTC of `Z`, `+01:00` or `-0530`.
fn zone(text: &str) -> Option<i64> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return (text.len() == 1).then_some(0),
    };
    let plain = text.get(1..)?.replace(':', "");
    let (hours, minutes) = (digits(plain.get(..2)?)?, digits(plain.get(2..).filter(|m| !m.is_empty()).unwrap_or("0"))?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * Timestamp::HOUR + minutes * Timestamp::MINUTE))
}

fn digits(text: &str) -> Option<i64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since the epoch. Years begin in March here, so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let m = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * m + 2) / 5 + 1, if m < 10 { m + 3 } else { m - 9 });
    (years + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with `Z`; a fraction only when it is not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(Self::DAY));
        let rest = self.0.rem_euclid(Self::DAY);
        let (hour, minute) = (rest / Self::HOUR, rest / Self::MINUTE % 60);
        let (second, micros) = (rest / Self::SECOND % 60, rest % Self::SECOND);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros != 0 {
            f.write_str(format!(".{micros:06}").trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Timestamp {
    type Err = crate::HookError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| {
            crate::HookError::InvalidInput(format!("{text:?} is not a time: expected the form 2026-01-31T12:00:00Z"))
        })
    }
}

impl From<i64> for Timestamp {
    /// From microseconds, as the fields of the contract's types carry them.
    fn from(micros: i64) -> Self {
        Self(micros)
    }
}

impl std::ops::Add<i64> for Timestamp {
    type Output = Self;
    /// Later by microseconds; saturates.
    fn add(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

impl std::ops::Sub<i64> for Timestamp {
    type Output = Self;
    /// Earlier by microseconds; saturates.
    fn sub(self, micros: i64) -> Self {
        Self(self.0.saturating_sub(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for (given, want) in [
            ("1970-01-01", "1970-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
            ("2020-01-01 00:00:00", "2020-01-01T00:00:00Z"),
            ("2020-01-01T01:00:00.25+01:00", "2020-01-01T00:00:00.25Z"),
            ("2020-03-01T00:10-0530", "2020-03-01T05:40:00Z"),
            ("2024-02-29T23:59:59.000001", "2024-02-29T23:59:59.000001Z"),
            ("0001-01-01", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse(given).map(|t| t.to_string()).as_deref(), Some(want), "{given}");
        }
        for wrong in ["xyz", "2023-02-29", "2020-13-01", "2020-01-01T24:00", "2020-01-01Tx", "2020-01-01T1:2:3:4", ""] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in -146_097..146_097 {
            let (y, m, d) = civil_from_days(day);
            assert_eq!(days_from_civil(y, m, d), day);
        }
    }
}
