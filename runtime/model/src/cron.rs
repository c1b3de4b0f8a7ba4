//! Cron schedules as data, and ([`Schedule`]) when they fire next.
//!
//! The fields are those of DP³ (APScheduler): a field less significant than the least significant one that is given
//! stands at its minimum, a more significant one at `*`; `day_of_week` counts from Monday = 0.

mod part;
mod schedule;

use std::fmt;

use serde::Serialize;

pub use schedule::{CronError, Schedule};

/// The fields, most significant first.
pub const FIELDS: [&str; 8] = ["year", "month", "day", "week", "day_of_week", "hour", "minute", "second"];

/// A schedule: expressions of the fields that were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cron {
    /// Four digits.
    pub year: Option<String>,
    /// 1 to 12.
    pub month: Option<String>,
    /// Day of the month, 1 to 31.
    pub day: Option<String>,
    /// ISO week, 1 to 53.
    pub week: Option<String>,
    /// 0 = Monday to 6 = Sunday.
    pub day_of_week: Option<String>,
    /// 0 to 23.
    pub hour: Option<String>,
    /// 0 to 59.
    pub minute: Option<String>,
    /// 0 to 59.
    pub second: Option<String>,
    /// Name of the time zone.
    pub timezone: String,
}

impl Default for Cron {
    /// No field is given, UTC.
    fn default() -> Self {
        Self {
            year: None,
            month: None,
            day: None,
            week: None,
            day_of_week: None,
            hour: None,
            minute: None,
            second: None,
            timezone: "UTC".to_owned(),
        }
    }
}

impl Cron {
    /// A schedule from pairs of field and expression; unknown fields are ignored.
    #[must_use]
    pub fn of(fields: &[(&str, &str)]) -> Self {
        let mut cron = Self::default();
        for (name, expression) in fields {
            if let Some(slot) = cron.slot(name) {
                *slot = Some((*expression).to_owned());
            }
        }
        cron
    }

    /// Once a day.
    #[must_use]
    pub fn daily(hour: u8, minute: u8, second: u8) -> Self {
        Self {
            hour: Some(hour.to_string()),
            minute: Some(minute.to_string()),
            second: Some(second.to_string()),
            ..Self::default()
        }
    }

    /// The fields that are given, most significant first.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let all =
            [&self.year, &self.month, &self.day, &self.week, &self.day_of_week, &self.hour, &self.minute, &self.second];
        FIELDS.into_iter().zip(all).filter_map(|(name, field)| Some((name, field.as_deref()?))).collect()
    }

    /// Sets a field after checking its expression by DP³'s rules for configuration files. Spaces are dropped.
    ///
    /// # Errors
    /// What was expected, when the name or the expression is wrong.
    pub fn set(&mut self, name: &str, expression: &str) -> Result<(), String> {
        let expression: String = expression.split_whitespace().collect();
        check(name, &expression)?;
        match self.slot(name) {
            Some(slot) => *slot = Some(expression),
            None => return Err(format!("{name:?} is no field of a schedule")),
        }
        Ok(())
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "year" => &mut self.year,
            "month" => &mut self.month,
            "day" => &mut self.day,
            "week" => &mut self.week,
            "day_of_week" => &mut self.day_of_week,
            "hour" => &mut self.hour,
            "minute" => &mut self.minute,
            "second" => &mut self.second,
            _ => return None,
        })
    }
}

impl fmt::Display for Cron {
    /// Such as `hour=3 minute=0 second=0 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, expression) in self.fields() {
            write!(f, "{name}={expression} ")?;
        }
        f.write_str(&self.timezone)
    }
}

/// Checks one expression: `N`, `N,M`, `A-B`, `*/N` or `*`; some fields take one number only.
fn check(name: &str, expression: &str) -> Result<(), String> {
    let (low, high, one_number) = match name {
        "year" => {
            let four = expression.len() == 4 && expression.bytes().all(|b| b.is_ascii_digit());
            return if four { Ok(()) } else { Err(format!("expected a year of four digits, found {expression:?}")) };
        }
        "month" => (1, 12, true),
        "week" => (1, 53, true),
        "day" => (1, 31, false),
        "day_of_week" => (0, 6, false),
        "hour" => (0, 23, false),
        "minute" | "second" => (0, 59, false),
        _ => return Err(format!("{name:?} is no field of a schedule")),
    };
    let number = |text: &str| {
        let n = text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        n.filter(|n| (low..=high).contains(n))
            .ok_or_else(|| format!("expected a number from {low} to {high}, found {text:?}"))
    };
    if one_number {
        return number(expression).map(drop);
    }
    if expression == "*" {
        return Ok(());
    }
    if let Some(step) = expression.strip_prefix("*/") {
        return match step.parse::<u32>() {
            Ok(n) if (1..=high).contains(&n) && step.bytes().all(|b| b.is_ascii_digit()) => Ok(()),
            _ => Err(format!("expected a step from 1 to {high} after \"*/\", found {step:?}")),
        };
    }
    if let Some((a, b)) = expression.split_once('-') {
        let (first, last) = (number(a)?, number(b)?);
        return if first <= last { Ok(()) } else { Err(format!("the range {expression:?} goes backwards")) };
    }
    expression.split(',').try_for_each(|n| number(n).map(drop)).map_err(|e| {
        if expression.bytes().all(|b| b.is_ascii_digit()) {
            e
        } else {
            format!("expected N, N,M, A-B, */N or * with numbers from {low} to {high}, found {expression:?}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let good = [
            ("year", "2030"),
            ("month", "12"),
            ("day", "1,15"),
            ("day_of_week", "0-4"),
            ("hour", "*"),
            ("minute", "*/30"),
            ("second", "0"),
        ];
        let mut cron = Cron::default();
        for (name, expression) in good {
            assert_eq!(cron.set(name, expression), Ok(()), "{name} {expression}");
        }
        assert_eq!(cron.fields(), good);
        assert_eq!(Cron::of(&good), cron);
        assert_eq!(cron.set("day", "1, 15"), Ok(()));
        assert_eq!(cron.day.as_deref(), Some("1,15"));
        for (name, expression) in [
            ("year", "*"),
            ("month", "*/2"),
            ("month", "13"),
            ("week", "0"),
            ("day_of_week", "mon"),
            ("hour", "24"),
            ("minute", "60"),
            ("minute", "5-"),
            ("minute", "9-3"),
            ("second", "*/0"),
            ("second", "+1"),
            ("second", ""),
            ("fortnight", "1"),
        ] {
            assert!(cron.set(name, expression).is_err(), "{name} {expression}");
        }
        assert_eq!(Cron::daily(3, 0, 0).to_string(), "hour=3 minute=0 second=0 UTC");
    }
}
