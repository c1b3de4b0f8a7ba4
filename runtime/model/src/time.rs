//! Points in time and durations. Nothing here reads a clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds since the epoch; saturates.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// This time and a duration in microseconds; saturates.
    #[must_use]
    pub fn saturating_add(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this; saturates.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Parses RFC 3339 with `T` or a space, with or without zone (none = UTC), or a date alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(t) = text.parse::<jiff::Timestamp>() {
            return Some(Self(t.as_microsecond()));
        }
        if let Ok(dt) = text.parse::<jiff::civil::DateTime>() {
            return dt.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| Self(z.timestamp().as_microsecond()));
        }
        None
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with `Z`; a fraction only when it is not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => t.fmt(f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// Where the current time comes from. The only real clock lives in the server; tests pass their own.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for (given, want) in [
            ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
            ("2020-01-01 00:00:00", "2020-01-01T00:00:00Z"),
            ("2020-01-01T01:00:00.25+01:00", "2020-01-01T00:00:00.25Z"),
            ("2020-01-01", "2020-01-01T00:00:00Z"),
            ("2020-01-01T00:00:00.000001", "2020-01-01T00:00:00.000001Z"),
        ] {
            assert_eq!(Timestamp::parse(given).unwrap_or_default().to_string(), want, "{given}");
        }
        assert_eq!(Timestamp::parse("xyz"), None);
    }
}
