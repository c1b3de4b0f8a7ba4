//! Durations in microseconds: their forms in configuration files and in JSON.
//!
//! DP³ reads `<digits><s|m|h|d>`, `"0"`, numbers (seconds) and whatever pydantic takes for a time span, which is
//! ISO 8601 (`P1DT2H`) and clock form (`HH:MM:SS`, also `3 days, HH:MM:SS`). Text of digits alone is refused there,
//! since nobody can tell which unit was meant; so it is here.

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reads a duration from text; microseconds.
///
/// # Errors
/// What was expected, in words.
pub fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(0);
    }
    with_unit(text).or_else(|| iso(text)).or_else(|| clock(text)).ok_or_else(|| {
        format!("Invalid time duration string {text:?}: expected a number with s, m, h or d such as \"30m\", or ISO 8601 such as \"P1D\"")
    })
}

/// A duration given as a number of seconds; microseconds.
///
/// # Errors
/// When it is not finite or does not fit.
pub fn from_seconds(seconds: f64) -> Result<i64, String> {
    let micros = (seconds * 1e6).round();
    if micros.is_finite() && micros.abs() < 9e18 {
        #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
        return Ok(micros as i64);
    }
    Err(format!("{seconds} seconds are no usable duration"))
}

/// ISO 8601 as pydantic prints it: `PT0S`, `P7D`, `PT1M`, `P1DT2H30M0.5S`.
#[must_use]
pub fn to_iso(micros: i64) -> String {
    if micros == 0 {
        return "PT0S".to_owned();
    }
    let sign = if micros < 0 { "-" } else { "" };
    let total = micros.unsigned_abs();
    let (days, rest) = (total / DAY.unsigned_abs(), total % DAY.unsigned_abs());
    let (hours, rest) = (rest / HOUR.unsigned_abs(), rest % HOUR.unsigned_abs());
    let (minutes, rest) = (rest / MINUTE.unsigned_abs(), rest % MINUTE.unsigned_abs());
    let (seconds, fraction) = (rest / SECOND.unsigned_abs(), rest % SECOND.unsigned_abs());
    let mut out = format!("{sign}P");
    if days > 0 {
        out.push_str(&format!("{days}D"));
    }
    if hours + minutes + seconds + fraction > 0 {
        out.push('T');
    }
    for (n, unit) in [(hours, 'H'), (minutes, 'M')] {
        if n > 0 {
            out.push_str(&format!("{n}{unit}"));
        }
    }
    if fraction > 0 {
        let digits = format!("{fraction:06}");
        out.push_str(&format!("{seconds}.{}S", digits.trim_end_matches('0')));
    } else if seconds > 0 {
        out.push_str(&format!("{seconds}S"));
    }
    out
}

fn with_unit(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    digits(text.get(..text.len() - 1)?)?.checked_mul(unit)
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A decimal number of some unit; microseconds.
fn decimal(text: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let mut out = digits(whole)?.checked_mul(unit)?;
    let mut unit = unit;
    if text.len() != whole.len() && fraction.is_empty() {
        return None;
    }
    for b in fraction.bytes() {
        unit /= 10;
        out = out.checked_add(i64::from(b.is_ascii_digit().then(|| b - b'0')?).checked_mul(unit)?)?;
    }
    Some(out)
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// `PnYnMnWnDTnHnMnS`; a year has 365 days and a month 30, as pydantic counts.
fn iso(text: &str) -> Option<i64> {
    let (sign, text) = signed(text);
    let text = text.strip_prefix('P')?;
    let (date, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let date = parts(date, &[('Y', 365 * DAY), ('M', 30 * DAY), ('W', 7 * DAY), ('D', DAY)])?;
    let time = parts(time, &[('H', HOUR), ('M', MINUTE), ('S', SECOND)])?;
    date.checked_add(time)?.checked_mul(sign)
}

/// Sums `<number><letter>` parts, letters in the given order, each at most once.
fn parts(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum = 0i64;
    for (letter, unit) in units {
        if let Some((number, rest)) = text.split_once(*letter) {
            sum = sum.checked_add(decimal(number, *unit)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(sum)
}

/// `HH:MM`, `HH:MM:SS[.ffffff]`, with an optional `N days, ` before.
fn clock(text: &str) -> Option<i64> {
    let (sign, text) = signed(text);
    let (days, text) = match text.split_once("day") {
        Some((n, rest)) => (digits(n.trim())?, rest.strip_prefix('s').unwrap_or(rest).trim_start_matches([',', ' '])),
        None => (0, text),
    };
    let mut fields = text.splitn(3, ':');
    let hours = digits(fields.next()?)?;
    let minutes = digits(fields.next()?).filter(|m| *m < 60)?;
    let seconds = fields.next().map_or(Some(0), |s| decimal(s, SECOND)).filter(|s| *s < MINUTE)?;
    days.checked_mul(DAY)?
        .checked_add(hours.checked_mul(HOUR)?)?
        .checked_add(minutes * MINUTE)?
        .checked_add(seconds)?
        .checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms() {
        for (text, seconds) in [
            ("0", 0.0),
            ("30s", 30.0),
            ("  5m", 300.0),
            ("2h", 7200.0),
            ("14d", 1_209_600.0),
            ("P1D", 86400.0),
            ("PT1M", 60.0),
            ("P1DT2H3M4.5S", 93_784.5),
            ("P2W", 1_209_600.0),
            ("P1Y", 31_536_000.0),
            ("P1M", 2_592_000.0),
            ("-PT5S", -5.0),
            ("01:02:03", 3723.0),
            ("00:30", 1800.0),
            ("3 days, 01:00:00", 262_800.0),
        ] {
            assert_eq!(parse(text), from_seconds(seconds), "{text}");
        }
        for text in
            ["", "5", "12", "s", "5 m", "1w", "P", "PT", "P1H", "5x", "-5m", "1.5h", "12:61:00", "99999999999999d"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_like_pydantic() {
        for (micros, text) in [
            (0, "PT0S"),
            (7 * DAY, "P7D"),
            (MINUTE, "PT1M"),
            (DAY + HOUR, "P1DT1H"),
            (1_500_000, "PT1.5S"),
            (1, "PT0.000001S"),
        ] {
            assert_eq!(to_iso(micros), text);
        }
    }

    proptest! {
        #[test]
        fn round_trip(micros in -9_000_000_000_000_000_000i64..9_000_000_000_000_000_000) {
            prop_assert_eq!(parse(&to_iso(micros)), Ok(micros));
        }

        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = parse(&text);
        }
    }
}
