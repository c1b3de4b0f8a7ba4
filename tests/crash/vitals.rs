//! What a process holds: memory, file descriptors, threads, code that it compiled. Linux tells; elsewhere nothing is known.

use std::fs;

/// What a process holds at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vitals {
    /// Resident memory in KiB.
    pub(crate) resident: u64,
    /// Open file descriptors.
    pub(crate) files: usize,
    pub(crate) threads: u64,
    /// Mappings of code that come from no file: one for each loaded component, and some of the system.
    pub(crate) code: usize,
}

impl Vitals {
    /// Looks at a process.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let folder = format!("/proc/{process}");
        let status = fs::read_to_string(format!("{folder}/status")).ok()?;
        let number = |name: &str| -> Option<u64> {
            status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
        };
        let maps = fs::read_to_string(format!("{folder}/maps")).ok()?;
        let is_code = |line: &&str| {
            let mut words = line.split_whitespace().skip(1);
            words.next().is_some_and(|rights| rights.contains('x')) && words.nth(2) == Some("0")
        };
        Some(Self {
            resident: number("VmRSS:")?,
            files: fs::read_dir(format!("{folder}/fd")).ok()?.count(),
            threads: number("Threads:")?,
            code: maps.lines().filter(is_code).count(),
        })
    }
}

/// The straight line of least squares through values at times: its slope, and how much of the variance it explains.
pub(crate) fn fit(points: &[(f64, f64)]) -> (f64, f64) {
    #[allow(clippy::cast_precision_loss, reason = "counts of a test are small")]
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    let xx = sum(&|p| (p.0 - x).powi(2));
    let yy = sum(&|p| (p.1 - y).powi(2));
    let xy = sum(&|p| (p.0 - x) * (p.1 - y));
    let slope = xy / xx;
    (slope, if yy == 0.0 { 1.0 } else { slope * xy / yy })
}

#[test]
fn the_fit_is_that_of_least_squares() {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let (slope, explained) = fit(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]);
    assert!(close(slope, 2.0) && close(explained, 1.0), "{slope} {explained}");
    // By hand: means 1 and 2, slope (-1)(-1) + (1)(0) over 2, explained 0.25 * 2 / 2.
    let (slope, explained) = fit(&[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0)]);
    assert!(close(slope, 0.5) && close(explained, 0.25), "{slope} {explained}");
}
