//! The configuration directory in DP³'s format.

/// The candidate nearest to `given` by edit distance, when it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|c| (distance(given, c), c))
        .filter(|(d, c)| *d <= 1 + c.len().max(given.len()) / 4)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (slot, cb) in row.iter_mut().skip(1).zip(&b) {
            let cost = diagonal + usize::from(ca != *cb);
            diagonal = *slot;
            left = cost.min(*slot + 1).min(left + 1);
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_what_was_meant() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest("observation", ["plain", "observations", "timeseries"]), Some("observations"));
        assert_eq!(nearest("xyz", ["plain", "observations"]), None);
    }
}
