//! Search in texts that is as quick in a component as it can be.
//!
//! On x86-64 the standard library looks for a short text with vector instructions; for wasm it prepares a search for
//! texts of any length anew at each call, which takes several times as long. In a component this looks at eight places at a
//! time, with numbers of 64 bits. Wasm's own vectors look at sixteen; on names that was measured to gain one part in a
//! hundred of a call, which is not worth unsafe code.

/// Whether a text has a part in it, as [`str::contains`] says; outside of components it is that.
///
/// ```
/// assert!(tenter_sdk::text::contains("mail-3.example.org", "mail"));
/// assert!(!tenter_sdk::text::contains("mail-3.example.org", "vpn"));
/// ```
#[must_use]
#[inline]
pub fn contains(text: &str, part: &str) -> bool {
    #[cfg(target_arch = "wasm32")]
    return by_words(text.as_bytes(), part.as_bytes());
    #[cfg(not(target_arch = "wasm32"))]
    text.contains(part)
}

/// Bytes of a word.
#[cfg(any(test, target_arch = "wasm32"))]
const WORD: usize = 8;

/// Where both the first and the last byte of the part fit, the rest is compared. UTF-8 is such that equal bytes are equal
/// characters.
#[cfg(any(test, target_arch = "wasm32"))]
#[inline]
fn by_words(text: &[u8], part: &[u8]) -> bool {
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return true };
    let Some(places) = text.len().checked_sub(part.len()).map(|more| more + 1) else { return false };
    let Some(end) = places.checked_sub(WORD) else {
        return text.windows(part.len()).any(|window| window.first() == Some(first) && window == part);
    };
    let (first, last, distance) = (all(*first), all(*last), part.len() - 1);
    let mut place = 0;
    // Every word that is looked at lies in the text.
    while let (Some(here), Some(there)) = (word(text, place), word(text, place + distance)) {
        let mut fits = zeros((here ^ first) | (there ^ last));
        while fits != 0 {
            let at = place + fits.trailing_zeros() as usize / WORD;
            if text.get(at..).is_some_and(|rest| rest.starts_with(part)) {
                return true;
            }
            fits &= fits - 1;
        }
        if place == end {
            return false;
        }
        // The last word overlaps the one before.
        place = (place + WORD).min(end);
    }
    false
}

/// A word of which each byte is this one.
#[cfg(any(test, target_arch = "wasm32"))]
const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD])
}

#[cfg(any(test, target_arch = "wasm32"))]
#[inline]
fn word(text: &[u8], place: usize) -> Option<u64> {
    text.get(place..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The highest bit of each byte that is zero. A byte of one above such a byte counts as well, which is why whoever asks
/// compares.
#[cfg(any(test, target_arch = "wasm32"))]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(all(1)) & !word & all(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_standard_library_finds() {
        let mut seed = 0x7e57_u64;
        let mut below = |limit: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % limit
        };
        // Of few characters, so that parts are often nearly there; zeros and ones are neighbours in a word.
        let mut text = |longest: u64| -> String {
            let len = below(longest + 1);
            (0..len).map(|_| ['\0', '\u{1}', 'a', 'b', 'é', 'è'][below(6) as usize]).collect()
        };
        let (mut found, mut missed) = (0, 0);
        for round in 0..60_000 {
            let (hay, part) = (text(round % 40), text(1 + round % 7));
            let expected = hay.contains(&part);
            assert_eq!(by_words(hay.as_bytes(), part.as_bytes()), expected, "{part:?} in {hay:?}");
            *(if expected { &mut found } else { &mut missed }) += 1;
        }
        assert!(found > 5_000 && missed > 5_000, "{found} found, {missed} not");
    }
}
