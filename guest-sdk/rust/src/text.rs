//! Search in texts that costs a component about what it costs a native program.
//!
//! On x86-64 the standard library looks for a short text with vector instructions; for wasm it prepares a search for
//! texts of any length anew at each call, which takes several times as long. Here both use vectors: natively this is the
//! standard library's own function, and in wasm the same method with wasm's instructions, which every host of the
//! contract runs.

/// Whether a text has a part in it, as [`str::contains`] says.
///
/// ```
/// assert!(tenter_sdk::text::contains("mail-3.example.org", "mail"));
/// assert!(!tenter_sdk::text::contains("mail-3.example.org", "vpn"));
/// ```
#[must_use]
#[inline]
pub fn contains(text: &str, part: &str) -> bool {
    #[cfg(target_arch = "wasm32")]
    return wasm::contains(text.as_bytes(), part.as_bytes());
    #[cfg(not(target_arch = "wasm32"))]
    text.contains(part)
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use core::arch::wasm32::{i8x16_bitmask, u8x16_eq, u8x16_splat, v128, v128_and, v128_load};

    /// Bytes of a vector.
    const BLOCK: usize = 16;

    /// Sixteen places at a time: where both the first and the last byte of the part fit, the rest is compared. UTF-8 is
    /// such that equal bytes are equal characters.
    #[target_feature(enable = "simd128")]
    pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { return true };
        let Some(places) = text.len().checked_sub(part.len()).map(|more| more + 1) else { return false };
        let distance = part.len() - 1;
        if places < BLOCK {
            return text.windows(part.len()).any(|window| window.first() == Some(first) && window == part);
        }
        let (first, last) = (u8x16_splat(*first), u8x16_splat(*last));
        let mut place = 0;
        loop {
            // SAFETY: `place` is at most `places - BLOCK`, and the text ends `distance` bytes behind the last place.
            let (here, there) = unsafe {
                let here = text.as_ptr().add(place);
                (v128_load(here.cast::<v128>()), v128_load(here.add(distance).cast::<v128>()))
            };
            let mut fits = i8x16_bitmask(v128_and(u8x16_eq(here, first), u8x16_eq(there, last)));
            while fits != 0 {
                let at = place + fits.trailing_zeros() as usize;
                if text.get(at..).is_some_and(|rest| rest.starts_with(part)) {
                    return true;
                }
                fits &= fits - 1;
            }
            if place + BLOCK >= places {
                return false;
            }
            // The last block overlaps the one before.
            place = (place + BLOCK).min(places - BLOCK);
        }
    }
}
