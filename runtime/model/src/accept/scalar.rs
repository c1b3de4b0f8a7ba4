//! Primitives, from JSON and from guests.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value as Json;

use super::{depth, id, quoted, shown, strict};
use crate::datatype::Primitive;
use crate::limits::MAX_JSON_DEPTH;
use crate::schema::DuplicateKeys;
use crate::time::Timestamp;
use crate::value::{Mac, Scalar};

/// 10000-01-01, the first time that RFC 3339 cannot write.
const END_OF_TIME: i64 = 253_402_300_800_000_000;

/// pydantic's table of truth words.
pub(crate) fn truth(text: &str) -> Option<bool> {
    const YES: [&str; 6] = ["true", "yes", "on", "1", "t", "y"];
    const NO: [&str; 6] = ["false", "no", "off", "0", "f", "n"];
    let is = |words: [&str; 6]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
    if is(YES) {
        Some(true)
    } else if is(NO) {
        Some(false)
    } else {
        None
    }
}

/// Refuses times before 1970 and after 9999.
pub(super) fn in_range(t: Timestamp) -> Result<Timestamp, String> {
    if (0..END_OF_TIME).contains(&t.0) {
        Ok(t)
    } else {
        Err(format!("expected a time in the years 1970 to 9999, found {t}"))
    }
}

/// A time from text: RFC 3339, or a number as text.
///
/// # Errors
/// What was expected.
pub fn time_from_text(text: &str) -> Result<Timestamp, String> {
    if let Some(t) = Timestamp::parse(text) {
        return in_range(t);
    }
    match text.trim().parse::<f64>() {
        Ok(x) if x.is_finite() => time_from_number(x),
        _ => Err(format!("expected {}, found {}", Primitive::Time.describe(), quoted(text))),
    }
}

/// A time from a number: unix seconds, or milliseconds when it is above 2e10.
pub(super) fn time_from_number(x: f64) -> Result<Timestamp, String> {
    let micros = if x.abs() > 2e10 { x * 1e3 } else { x * 1e6 }.round();
    // The bounds are far inside the 64-bit range, so that the cast is exact.
    if !(0.0..253_402_300_800_000_000.0).contains(&micros) {
        return Err(format!("expected a time in the years 1970 to 9999, found {x:?}"));
    }
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
    Ok(Timestamp(micros as i64))
}

/// A time from JSON.
pub(super) fn time_from_json(json: &Json) -> Result<Timestamp, String> {
    match json {
        Json::String(text) => time_from_text(text),
        Json::Number(n) => time_from_number(n.as_f64().unwrap_or(f64::NAN)),
        other => Err(format!("expected {}, found {}", Primitive::Time.describe(), shown(other))),
    }
}

pub(super) const BEYOND: &str = "beyond the range of 64-bit signed integers";

fn integral(x: f64) -> Option<i64> {
    // 2^63 itself is a double and does not fit.
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
    (x.fract() == 0.0 && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x)).then_some(x as i64)
}

/// What text can mean for a primitive other than `string`.
fn from_text(of: Primitive, text: &str) -> Result<Scalar, String> {
    let wrong = || format!("expected {}, found {}", of.describe(), quoted(text));
    match of {
        Primitive::Tag | Primitive::Binary => truth(text).map(Scalar::Bool).ok_or_else(wrong),
        Primitive::String => Ok(Scalar::Text(text.to_owned())),
        Primitive::Int | Primitive::Int64 => {
            let digits = id::integer(text.trim()).ok_or_else(wrong)?;
            digits.parse().map(Scalar::Int).map_err(|_| format!("{} is {BEYOND}", quoted(text)))
        }
        Primitive::Float => text.trim().parse().map(Scalar::Float).map_err(|_| wrong()),
        Primitive::Ipv4 => text.parse::<Ipv4Addr>().map(|a| Scalar::Ip(IpAddr::V4(a))).map_err(|_| wrong()),
        Primitive::Ipv6 => text.parse::<Ipv6Addr>().map(|a| Scalar::Ip(IpAddr::V6(a))).map_err(|_| wrong()),
        Primitive::Mac => Mac::parse(text).map(Scalar::Mac).ok_or_else(wrong),
        Primitive::Time => time_from_text(text).map(Scalar::Time),
        Primitive::Special => Ok(Scalar::Json(Json::String(text.to_owned()))),
        Primitive::Json => strict::parse_text(text, DuplicateKeys::Refused)
            .map(Scalar::Json)
            .map_err(|e| format!("expected {}, found {}: {e}", of.describe(), quoted(text))),
    }
}

/// A primitive from JSON, by DP³'s lax table.
pub(super) fn from_json(of: Primitive, json: &Json) -> Result<Scalar, String> {
    let wrong = || format!("expected {}, found {}", of.describe(), shown(json));
    match (of, json) {
        (Primitive::Special, _) | (Primitive::Json, Json::Array(_) | Json::Object(_)) => whole(json.clone()),
        (_, Json::String(text)) => from_text(of, text),
        (Primitive::Tag | Primitive::Binary, Json::Bool(b)) => Ok(Scalar::Bool(*b)),
        (Primitive::Tag | Primitive::Binary, Json::Number(n)) => match n.as_f64() {
            Some(1.0) => Ok(Scalar::Bool(true)),
            Some(0.0) => Ok(Scalar::Bool(false)),
            _ => Err(wrong()),
        },
        (Primitive::Int | Primitive::Int64, Json::Bool(b)) => Ok(Scalar::Int(i64::from(*b))),
        (Primitive::Int | Primitive::Int64, Json::Number(n)) => {
            if let Some(n) = n.as_i64() {
                return Ok(Scalar::Int(n));
            }
            match n.as_f64() {
                Some(x) if !n.is_u64() && integral(x).is_some() => integral(x).map(Scalar::Int).ok_or_else(wrong),
                Some(x) if x.fract() == 0.0 => Err(format!("{n} is {BEYOND}")),
                _ => Err(wrong()),
            }
        }
        (Primitive::Float, Json::Bool(b)) => Ok(Scalar::Float(f64::from(u8::from(*b)))),
        (Primitive::Float, Json::Number(n)) => n.as_f64().map(Scalar::Float).ok_or_else(wrong),
        (Primitive::Time, Json::Number(_)) => time_from_json(json).map(Scalar::Time),
        (Primitive::Ipv4, Json::Number(n)) => match n.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) => Ok(Scalar::Ip(IpAddr::V4(n.into()))),
            None => Err(wrong()),
        },
        (Primitive::Ipv6, Json::Number(n)) => match n.as_u64() {
            Some(n) => Ok(Scalar::Ip(IpAddr::V6(u128::from(n).into()))),
            None => Err(wrong()),
        },
        _ => Err(wrong()),
    }
}

/// A primitive from a guest.
pub(super) fn from_guest(of: Primitive, given: Scalar) -> Result<Scalar, String> {
    let accepted = match (of, given) {
        (Primitive::Special | Primitive::Json, Scalar::Json(json)) => whole(json)?,
        (Primitive::Special, other) => Scalar::Json(finite(other)?.to_json()),
        (Primitive::Tag | Primitive::Binary, Scalar::Bool(b)) => Scalar::Bool(b),
        (Primitive::String, Scalar::Text(text)) => Scalar::Text(text),
        // A language without integers may send 5.0, and DP³ takes true for 1.
        (Primitive::Int | Primitive::Int64, Scalar::Int(n)) => Scalar::Int(n),
        (Primitive::Int | Primitive::Int64, Scalar::Bool(b)) => Scalar::Int(i64::from(b)),
        (Primitive::Int | Primitive::Int64, Scalar::Float(x)) => match integral(x) {
            Some(n) => Scalar::Int(n),
            None => return Err(format!("expected an integer, found {x}")),
        },
        #[allow(clippy::cast_precision_loss, reason = "a float was declared")]
        (Primitive::Float, Scalar::Int(n)) => Scalar::Float(n as f64),
        (Primitive::Float, Scalar::Float(x)) => Scalar::Float(x),
        (Primitive::Time, Scalar::Time(t)) => Scalar::Time(in_range(t)?),
        (Primitive::Ipv4, Scalar::Ip(a @ IpAddr::V4(_))) | (Primitive::Ipv6, Scalar::Ip(a @ IpAddr::V6(_))) => {
            Scalar::Ip(a)
        }
        (Primitive::Mac, Scalar::Mac(m)) => Scalar::Mac(m),
        (of, Scalar::Text(text)) => from_text(of, &text)?,
        (of, Scalar::Json(json)) => from_json(of, &json)?,
        (of, other) => return Err(format!("expected {}, found {}", of.describe(), describe(&other))),
    };
    finite(accepted)
}

fn finite(value: Scalar) -> Result<Scalar, String> {
    match value {
        Scalar::Float(x) if !x.is_finite() => Err(format!("expected a finite number, found {x}")),
        other => Ok(other),
    }
}

fn whole(json: Json) -> Result<Scalar, String> {
    if depth(&json) > MAX_JSON_DEPTH {
        return Err(format!("JSON is nested more than {MAX_JSON_DEPTH} levels deep"));
    }
    Ok(Scalar::Json(json))
}

/// A guest's primitive for an error message.
pub(super) fn describe(value: &Scalar) -> String {
    match value {
        Scalar::Bool(b) => format!("the boolean {b}"),
        Scalar::Int(n) => format!("the integer {n}"),
        Scalar::Float(x) => format!("the number {x}"),
        Scalar::Text(text) => quoted(text),
        Scalar::Time(t) => format!("the time {t}"),
        Scalar::Ip(a) => format!("the address {a}"),
        Scalar::Mac(m) => format!("the address {m}"),
        Scalar::Json(json) => shown(json),
    }
}

/// An integer from JSON.
pub(super) fn integer_from_json(json: &Json) -> Result<i64, String> {
    match from_json(Primitive::Int64, json)? {
        Scalar::Int(n) => Ok(n),
        other => Err(format!("expected an integer, found {}", describe(&other))),
    }
}

/// A number from JSON.
pub(super) fn float_from_json(json: &Json) -> Result<f64, String> {
    match from_json(Primitive::Float, json)? {
        Scalar::Float(x) => Ok(x),
        other => Err(format!("expected a number, found {}", describe(&other))),
    }
}
