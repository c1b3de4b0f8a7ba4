//! Patterns of searches: `%` stands for any text, `_` for any character, whatever the case of letters.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    text: String,
    letters: Vec<char>,
}

/// Characters of a pattern.
const MOST: usize = 256;

impl Like {
    /// Reads one.
    ///
    /// # Errors
    /// In words, for none and for one that is too long.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.chars().count() > MOST {
            return Err(format!("Expected a text of 1 to {MOST} characters, in which % stands for any text."));
        }
        Ok(Self::of(text.to_owned()))
    }

    fn of(text: String) -> Self {
        let mut letters: Vec<char> = text.to_lowercase().chars().collect();
        letters.dedup_by(|a, b| *a == '%' && *b == '%');
        Self { text, letters }
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern for a text that has this one somewhere.
    #[must_use]
    pub fn anywhere(self) -> Self {
        Self::of(format!("%{}%", self.text))
    }

    /// Whether a text is so.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let (mut at, mut letter) = (0, 0);
        // Behind the last `%`: where in the pattern it goes on, and the place in the text that was tried for it.
        let mut again: Option<(usize, usize)> = None;
        while let Some(found) = text.get(at) {
            match self.letters.get(letter) {
                Some('%') => {
                    letter += 1;
                    again = Some((letter, at));
                }
                Some(expected) if *expected == '_' || expected == found => {
                    at += 1;
                    letter += 1;
                }
                _ => {
                    let Some((behind, tried)) = again else { return false };
                    at = tried + 1;
                    letter = behind;
                    again = Some((behind, at));
                }
            }
        }
        self.letters.get(letter..).unwrap_or_default().iter().all(|rest| *rest == '%')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(pattern: &str, text: &str) -> bool {
        Like::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_pattern_stands_for_texts() {
        for (pattern, text) in [
            ("%", ""),
            ("%", "x"),
            ("abc", "ABC"),
            ("a%c", "abbbc"),
            ("a%c", "ac"),
            ("%b%", "abc"),
            ("a_c", "abc"),
            ("%ab%ab", "abxabyab"),
            ("%é%", "CAFÉ"),
            ("%%%", "x"),
            ("_%", "x"),
        ] {
            assert!(is(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("abc", "abcd"), ("a_c", "ac"), ("a%c", "abcd"), ("_", ""), ("%ab", "aba")] {
            assert!(!is(pattern, text), "{pattern} {text}");
        }
        assert!(Like::parse("b").unwrap().anywhere().matches("abc"));
        assert!(Like::parse("").is_err() && Like::parse(&"x".repeat(257)).is_err());
    }
}
