//! Lists that stand still, grow and shrink while they are read.

use serde_json::json;

use super::*;

/// Rows read from a list that `change` alters before each request; the requests; how it ended.
fn walk(
    window: Window,
    mut list: Vec<Value>,
    mut change: impl FnMut(usize, &mut Vec<Value>),
) -> (Vec<Value>, Vec<(u64, u64)>, End) {
    let (mut rows, mut asked) = (Vec::new(), Vec::new());
    let fetch = |skip: u64, limit: u64| {
        change(asked.len(), &mut list);
        asked.push((skip, limit));
        Ok(list.iter().skip(skip as usize).take(limit as usize).cloned().collect())
    };
    let end = read(
        window,
        fetch,
        |a, b| a == b,
        |page| {
            assert!(page.len() as u64 <= LONG_STEP);
            rows.extend_from_slice(page);
            Ok(())
        },
    );
    (rows, asked, end.unwrap())
}

fn numbers(range: std::ops::Range<u64>) -> Vec<Value> {
    range.map(Value::from).collect()
}

#[test]
fn a_list_that_stands_still_is_read_once() {
    for (length, skip, limit) in
        [(0, 0, 0), (99, 0, 0), (100, 0, 0), (250, 0, 0), (250, 7, 120), (250, 0, 100), (30, 40, 5), (3_000, 0, 0)]
    {
        let (rows, asked, end) = walk(Window { skip, limit }, numbers(0..length), |_, _| {});
        let most = if limit == 0 { u64::MAX } else { limit };
        let until = length.min(skip.saturating_add(most));
        assert_eq!(rows, numbers(skip.min(until)..until), "{length} {skip} {limit}: {asked:?}");
        assert_eq!(end, End { more: limit != 0 && rows.len() as u64 == limit, torn: false }, "{length} {skip} {limit}");
    }
    let (.., asked, _) = walk(Window { skip: 0, limit: 0 }, numbers(0..150), |_, _| {});
    assert_eq!(asked, [(0, 100), (99, 101)]);
    let (rows, asked, _) = walk(Window { skip: 5, limit: 2_500 }, numbers(0..9_000), |_, _| {});
    assert_eq!(rows, numbers(5..2_505));
    assert_eq!(asked[9..], [(904, 101), (1_004, 1_001), (2_004, 501)]);
}

#[test]
fn equal_rows_are_rows_of_their_own() {
    let (rows, _, end) = walk(Window { skip: 0, limit: 0 }, vec![json!("same"); 1_000], |_, _| {});
    assert_eq!((rows.len(), end.torn), (1_000, false));
}

#[test]
fn what_arrives_in_front_doubles_nothing() {
    // The newest first, and up to three pages of newer ones arrive at times.
    for arriving in [1, 99, 100, 101, 300] {
        let mut next = 1_000;
        let (rows, _, end) =
            walk(Window { skip: 0, limit: 0 }, numbers(0..1_000).into_iter().rev().collect(), |nth, list| {
                // Between pages, and not all the time while the place is searched.
                if nth % 6 == 1 {
                    list.splice(0..0, (next..next + arriving).rev().map(Value::from));
                    next += arriving;
                }
            });
        assert!(rows.iter().eq(numbers(0..1_000).iter().rev()), "{arriving}");
        assert!(!end.torn, "{arriving}");
    }
}

#[test]
fn what_goes_in_front_loses_nothing() {
    let (rows, _, end) = walk(Window { skip: 0, limit: 0 }, numbers(0..500), |nth, list| {
        if nth == 2 {
            list.drain(0..60);
        }
    });
    assert_eq!((rows, end.torn), (numbers(0..500), false));
}

#[test]
fn a_lost_place_is_told() {
    // The last row read goes away: its successor moves to its place, so that nothing is missing, but that is luck.
    let (rows, _, end) = walk(Window { skip: 0, limit: 0 }, numbers(0..300), |nth, list| {
        if nth == 1 {
            list.retain(|row| *row != 99);
        }
    });
    assert_eq!((rows, end.torn), (numbers(0..300), true));
    let (.., end) = walk(Window { skip: 0, limit: 0 }, numbers(0..300), |nth, list| {
        if nth == 1 {
            *list = numbers(1_000..1_200);
        }
    });
    assert!(end.torn);
}
