//! Text of guests on its way to people: escaped and bounded.
//!
//! A terminal obeys escape sequences, a log reader takes a line break for a new entry and some characters change the
//! direction of what follows. None of them leaves the sandbox in a message.

/// Longest message of a failure, in bytes.
pub(crate) const MAX_MESSAGE: usize = 2 << 10;

/// Control characters and those that change the reading direction become visible escapes; the result has at most
/// `max` characters of the text, then `…`.
pub(crate) fn escape(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for (n, c) in text.chars().enumerate() {
        if n == max {
            out.push('…');
            break;
        }
        if c.is_control() || is_direction(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// The text, cut to `max` bytes at a character's border.
pub(crate) fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A guest's message for people: escaped and cut to [`MAX_MESSAGE`].
pub(crate) fn message(text: &str) -> String {
    cut(escape(text, MAX_MESSAGE), MAX_MESSAGE)
}

/// `, did you mean …?` when a name is near.
pub(crate) fn did_you_mean<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    tenter_model::config::nearest(given, names).map_or(String::new(), |n| format!(", did you mean {n:?}?"))
}

fn is_direction(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(escape("a\u{1b}[31m\nb\u{202e}c", 99), "a\\u{1b}[31m\\nb\\u{202e}c");
        assert_eq!(escape("abcdef", 3), "abc…");
        assert_eq!(escape("größe", 5), "größe");
    }

    #[test]
    fn cutting_respects_characters() {
        assert_eq!(cut("ääää".into(), 6), "ä…");
        assert_eq!(cut("abc".into(), 3), "abc");
        assert!(message(&"ä".repeat(5000)).len() <= MAX_MESSAGE);
    }
}
