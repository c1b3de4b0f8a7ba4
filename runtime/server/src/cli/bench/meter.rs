//! Clocks and statistics.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// CPU time that this thread has used.
pub(super) fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

/// CPU time that all threads of this process have used.
pub(super) fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// Wall time, and CPU time of the process, of a piece of work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Seconds on the wall.
    pub(super) wall_s: f64,
    /// Seconds of CPU time of all threads.
    pub(super) cpu_s: f64,
}

/// Does a piece of work and tells what it cost.
///
/// # Errors
/// What the work says.
pub(super) fn cost<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Cost)> {
    let (cpu, wall) = (process_cpu(), Instant::now());
    let result = work()?;
    let wall_s = wall.elapsed().as_secs_f64();
    Ok((result, Cost { wall_s, cpu_s: process_cpu().saturating_sub(cpu).as_secs_f64() }))
}

/// The median; of an even number the upper one of the two. 0 of nothing.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

/// The smallest value that this share of the values does not exceed. 0 of nothing.
pub(super) fn quantile(values: impl IntoIterator<Item = f64>, share: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is an index")]
    let index = (values.len() as f64 * share) as usize;
    values.get(index.min(last)).copied().unwrap_or(0.0)
}

/// A figure with four digits: more would be noise.
pub(super) fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let digits = (3.0 - value.abs().log10().floor()).clamp(0.0, 9.0);
    let scale = 10f64.powf(digits);
    (value * scale).round() / scale
}

/// Load averages of 1, 5 and 15 minutes, where the system tells them.
pub(super) fn load_average() -> Option<Vec<f64>> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split_whitespace().take(3).filter_map(|n| n.parse().ok()).collect())
}

/// Bytes of memory that this process ever had at once, where the system tells them.
pub(super) fn peak_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.saturating_mul(1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_of_the_sorted_values() {
        assert_eq!(median([9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median([]), 0.0);
        let hundred = || (1..=100).map(f64::from);
        assert_eq!(quantile(hundred(), 0.99), 100.0);
        assert_eq!(quantile(hundred(), 0.5), 51.0);
        assert_eq!([123_456.0, 12.345_6, 0.123_456, 0.0].map(rounded), [123_456.0, 12.35, 0.1235, 0.0]);
    }

    #[test]
    fn work_takes_time() {
        let (sum, cost) = cost(|| Ok((0..3_000_000u64).map(std::hint::black_box).sum::<u64>())).unwrap();
        assert_eq!(sum, 4_499_998_500_000);
        assert!(cost.wall_s > 0.0 && cost.cpu_s > 0.0, "{cost:?}");
        assert!(thread_cpu() > Duration::ZERO);
    }
}
