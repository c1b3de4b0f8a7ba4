//! What unquoted scalars mean.

use super::Kind;

/// What an unquoted scalar means in YAML 1.1 as PyYAML reads it.
pub(super) fn resolve(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Kind::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => return Kind::Bool(false),
        _ => {}
    }
    if let Some(n) = integer(text) {
        return Kind::Int(n);
    }
    match float(text) {
        Some(x) => Kind::Float(x),
        None => Kind::Text(text.to_owned()),
    }
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = digits.replace('_', "");
    let value = if let Some(hex) = plain.strip_prefix("0x") {
        radix(hex, 16)?
    } else if let Some(binary) = plain.strip_prefix("0b") {
        radix(binary, 2)?
    } else if plain.len() > 1 && plain.starts_with('0') && !plain.contains(':') {
        radix(&plain, 8)?
    } else {
        sexagesimal(&plain)?
    };
    if negative { value.checked_neg() } else { Some(value) }
}

fn radix(digits: &str, radix: u32) -> Option<i64> {
    (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix)))
        .then(|| i64::from_str_radix(digits, radix).ok())?
}

/// A decimal number, or `1:30` = 90.
fn sexagesimal(text: &str) -> Option<i64> {
    let mut fields = text.split(':');
    let mut value = radix(fields.next()?, 10)?;
    if text.contains(':') && text.starts_with('0') {
        return None;
    }
    for field in fields {
        let n = radix(field, 10).filter(|n| *n < 60 && field.len() <= 2)?;
        value = value.checked_mul(60)?.checked_add(n)?;
    }
    Some(value)
}

/// YAML 1.1 wants a point in a float, and a sign in its exponent.
fn float(text: &str) -> Option<f64> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match body {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if body == text => return Some(f64::NAN),
        _ => {}
    }
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e)),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let signed = exponent.is_none_or(|e| {
        e.strip_prefix(['+', '-']).is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    });
    if !digits(whole) || !digits(fraction) || !signed || whole.len() + fraction.len() == 0 || whole.starts_with('_') {
        return None;
    }
    let exponent = exponent.map_or(String::new(), |e| format!("e{e}"));
    format!("{whole}.{fraction}{exponent}").replace('_', "").parse::<f64>().ok().map(|x| sign * x)
}

/// How other readers take a form on which they disagree.
pub(super) fn surprising(text: &str) -> Option<&'static str> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all_digits = !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit());
    if all_digits && body.len() > 1 && body.starts_with('0') {
        return Some("other readers take it for another number, or for text");
    }
    if body.contains(':') && integer(text).is_some() {
        return Some("other readers take it for text");
    }
    if body.contains(['e', 'E'])
        && body.starts_with(|c: char| c.is_ascii_digit())
        && body.parse::<f64>().is_ok()
        && float(text).is_none()
    {
        return Some("other readers take it for a number");
    }
    None
}
