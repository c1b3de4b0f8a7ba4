//! Random moments that can be repeated.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Range;
use std::time::Duration;

/// A small generator (xorshift); nothing here needs a good one.
pub(crate) struct Random(u64);

impl Random {
    /// Seeded by `TENTER_SEED`, or anew; the seed is printed.
    pub(crate) fn from_environment() -> Self {
        let given = std::env::var("TENTER_SEED").ok().map(|text| text.parse().expect("TENTER_SEED is a number"));
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(0u8));
        println!("TENTER_SEED={seed}");
        Self(seed.max(1))
    }

    /// A number of the range.
    pub(crate) fn number(&mut self, range: Range<u64>) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        range.start + self.0 % (range.end - range.start)
    }

    /// A time of so many milliseconds.
    pub(crate) fn duration(&mut self, milliseconds: Range<u64>) -> Duration {
        Duration::from_micros(self.number(milliseconds.start * 1000..milliseconds.end * 1000))
    }
}
