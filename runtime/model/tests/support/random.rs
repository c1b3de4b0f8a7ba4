//! Random numbers with a seed that is printed, so that a case can be run again: `TENTER_SEED=N` chooses others, and
//! `TENTER_EXTENT=full` asks for ten times as many.

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    /// Each case has a seed of its own, so that one can be run alone.
    pub(crate) fn of_case(seed: u64, case: usize) -> Self {
        Self(seed ^ ((case as u64) << 20))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `n - 1`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }

    /// One of so many times.
    pub(crate) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }
}

fn asked(key: &str) -> Option<String> {
    std::env::vars_os().find(|(k, _)| k == key).map(|(_, v)| v.to_string_lossy().into_owned())
}

/// The seed of this run.
pub(crate) fn seed() -> u64 {
    asked("TENTER_SEED").map_or(0x7e57, |s| s.parse().unwrap())
}

/// How many cases of something are run.
pub(crate) fn extent(usual: usize) -> usize {
    if asked("TENTER_EXTENT").is_some_and(|e| e == "full") { usual * 10 } else { usual }
}
