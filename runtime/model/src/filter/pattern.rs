//! Regular expressions whose time grows with the text alone, whatever the pattern.
//!
//! MongoDB has PCRE, whose look-around and back-references can take for ever; a pattern that needs them is refused.

use std::fmt;
use std::net::IpAddr;

use regex::{Regex, RegexBuilder};

use super::item::Item;

/// Longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1024;
/// Memory of one compiled pattern, in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// Nesting of groups in a pattern.
const MAX_NESTING: u32 = 64;

/// A compiled pattern.
#[derive(Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// Whether it reads as it is written: no option changes what letters, blanks or `^` mean.
    is_exact: bool,
    /// Whether it sees the text of addresses too, which MongoDB's do not.
    sees_addresses: bool,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.regex)
    }
}

impl Pattern {
    /// Compiles a pattern with MongoDB's options: `i` (any case), `m` (lines), `s` (`.` is any character), `x` (blanks
    /// mean nothing), `u` (has no effect).
    pub(super) fn new(pattern: &str, options: &str, sees_addresses: bool) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(format!("a pattern of {} bytes is too long: at most {MAX_PATTERN_BYTES}", pattern.len()));
        }
        let mut builder = RegexBuilder::new(pattern);
        for option in options.chars() {
            match option {
                'i' => builder.case_insensitive(true),
                'm' => builder.multi_line(true),
                's' => builder.dot_matches_new_line(true),
                'x' => builder.ignore_whitespace(true),
                'u' => &mut builder,
                other => return Err(format!("unknown option {other:?}: expected letters of \"imsxu\"")),
            };
        }
        builder.size_limit(MAX_COMPILED_BYTES).dfa_size_limit(MAX_COMPILED_BYTES).nest_limit(MAX_NESTING);
        let regex = builder.build().map_err(|e| explain(pattern, &e))?;
        Ok(Self { regex, is_exact: !options.contains(['i', 'm', 'x']), sees_addresses })
    }

    pub(super) fn is_in_text(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    pub(super) fn is_in(&self, item: &Item<'_>) -> bool {
        match item {
            Item::Text(text) => self.is_in_text(text),
            Item::Ip(IpAddr::V4(a)) if self.sees_addresses => self.is_in_text(&a.to_string()),
            Item::Ip(IpAddr::V6(a)) if self.sees_addresses => self.is_in_text(&a.to_string()),
            Item::Mac(m) if self.sees_addresses => self.is_in_text(&m.to_string()),
            _ => false,
        }
    }

    /// The text that each match begins with at the begin of the text, for patterns such as `^abc`.
    pub(super) fn prefix(&self) -> Option<String> {
        let rest = self.regex.as_str().strip_prefix('^').filter(|_| self.is_exact)?;
        // What a quantifier, an alternative or an option could take back does not count.
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '#' | ':' | '/' | '@' | '-' | ' ');
        let mut literal: String = rest.chars().take_while(|c| plain(*c)).collect();
        if rest.contains('|') {
            return None;
        }
        if rest.get(literal.len()..).is_some_and(|after| after.starts_with(['*', '?', '{'])) {
            literal.pop();
        }
        (!literal.is_empty()).then_some(literal)
    }
}

/// The reason in one line.
fn explain(pattern: &str, error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!(
                "the pattern {pattern:?} needs more than {limit} bytes when compiled; write it with fewer repetitions"
            )
        }
        other => {
            let text = other.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let hint = if reason.contains("look-around") || reason.contains("backreferences") {
                "; patterns are matched in linear time, which these are not"
            } else {
                ""
            };
            format!("the pattern {pattern:?} cannot be used: {reason}{hint}")
        }
    }
}
