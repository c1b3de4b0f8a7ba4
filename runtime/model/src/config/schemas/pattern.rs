//! Regular expressions of JSON Schema (ECMA 262) for texts that have a form of their own.

use crate::datatype::Primitive;

const IDENTIFIER: &str = "[a-zA-Z0-9_][a-zA-Z0-9_-]{0,127}";

/// pydantic's words for true and false, in any case.
pub(super) fn truth() -> String {
    let words = ["true", "yes", "on", "1", "t", "y", "false", "no", "off", "0", "f", "n"];
    let any_case = |word: &str| -> String {
        word.chars()
            .map(|c| if c.is_ascii_digit() { c.to_string() } else { format!("[{c}{}]", c.to_ascii_uppercase()) })
            .collect()
    };
    format!("^({})$", words.map(any_case).join("|"))
}

/// `30m`, `0`, ISO 8601 or clock form; not negative.
pub(super) fn duration() -> String {
    let n = r"\d+([.,]\d+)?";
    let iso = format!(r"\+?P(?=[\dT])({n}Y)?({n}M)?({n}W)?({n}D)?(T(?=\d)({n}H)?({n}M)?({n}S)?)?");
    let clock = r"\+?(\d+\s*days?[, ]*)?\d+:0*[0-5]?\d(:0*[0-5]?\d([.,]\d+)?)?";
    format!(r"^\s*(0|\d+[smhd]|{iso}|{clock})\s*$")
}

/// A number of a range.
pub(super) fn number(low: u32, high: u32) -> String {
    let all: Vec<String> = (low..=high).map(|n| n.to_string()).collect();
    format!("0*({})", all.join("|"))
}

/// An expression of a field of a schedule.
pub(super) fn cron(low: u32, high: u32) -> String {
    let (n, step) = (number(low, high), number(1, high - low));
    format!(r"^\s*(\*|\*\s*/\s*{step}|{n}\s*-\s*{n}|{n}(\s*,\s*{n})*)\s*$")
}

/// A data type, by the grammar of `datatype/grammar.rs`.
pub(super) fn data_type() -> String {
    let primitive = format!("({})", Primitive::ALL.map(Primitive::name).join("|"));
    let word = r"[\p{L}\p{N}_]+";
    let list = |inner: &str| format!(r"(array|set)\s*<\s*{inner}\s*>");
    let dict = {
        let member = format!(r"\s*{word}\s*\??\s*:\s*{primitive}\s*");
        format!(r"dict\s*<{member}(,{member})*>")
    };
    let category = format!(r"category\s*<\s*{primitive}\s*;\s*{word}(\s*,\s*{word})*\s*>");
    let data = format!("({primitive}|{}|{dict}|{category})", list(&primitive));
    let link = format!(r"link\s*<\s*{IDENTIFIER}\s*(,\s*{data}\s*)?(;\s*mirror\s*=\s*[a-zA-Z_][a-zA-Z0-9_-]*\s*)?>");
    format!(r"^\s*({primitive}|{}|{dict}|{category}|{link})\s*$", list(&format!("({primitive}|{link})")))
}
