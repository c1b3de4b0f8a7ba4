//! Random documents, and random filters that often match them.
//!
//! What mongomock is known to answer otherwise than MongoDB is not generated; `semantics.rs` has a row for each:
//!
//! 1. It takes true for 1 and false for 0, as Python does: there are no such numbers.
//! 2. `$size` counts keys of dictionaries, and 1 for all else: it is asked of lists alone.
//! 3. `$gte` and `$lte` of null do not match what is missing: sides of null are not generated.
//! 4. A path through a value that is no dictionary (`a.x`) is not equal to null there.
//! 5. A path that ends nowhere (an empty list, a place beyond the end) fails every condition but `$ne`, `$nin` and
//!    `$exists`, even a negated one: such paths have no `$not`.
//! 6. Of a list of dictionaries one must satisfy all operators beside each other, and `$exists: false` is true when one
//!    lacks the key: such paths have one operator, and `$exists: true`.
//! 7. `$in` does not look for whole lists, and `$all` knows nothing of what is missing: no lists or nulls are in theirs.
//!    `$all` fails with a `TypeError` where a path leads to lists and other values: it is not asked of such paths.
//! 8. A value in `$elemMatch` that is no dictionary passes each negated condition on a key: none are generated.
//! 9. `$mod`, `$type: "null"` and options in `$not` do not exist there, and its `int` has one bit more.

use serde_json::{Map, Value as Json, json};

use super::random::Random;

/// Fields that filters name; some lead nowhere.
const PATHS: [&str; 19] = [
    "a",
    "b",
    "c",
    "d",
    "d.x",
    "d.y",
    "d.z",
    "e",
    "e.x",
    "e.y",
    "e.z",
    "f",
    "c.0",
    "c.1",
    "e.0.x",
    "e.1.y",
    "missing",
    "d.missing",
    "a.x",
];

/// No 0 and no 1, which Python takes for false and true.
impl Random {
    /// Any of them.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn number(r: &mut Random) -> Json {
    r.pick(&[json!(2), json!(3), json!(4), json!(5), json!(2.5), json!(3.0), json!(-2), json!(5_000_000_000u64)])
        .clone()
}

fn text(r: &mut Random) -> Json {
    r.pick(&[json!(""), json!("a"), json!("b"), json!("ab"), json!("ba"), json!("aB"), json!("a.b")]).clone()
}

fn scalar(r: &mut Random) -> Json {
    match r.below(10) {
        0..4 => number(r),
        4..7 => text(r),
        7 => json!(r.chance(2)),
        8 => Json::Null,
        _ => json!({"@time": 1_000 + r.below(4)}),
    }
}

fn list(r: &mut Random, mut of: impl FnMut(&mut Random) -> Json) -> Json {
    (0..r.below(4)).map(|_| of(r)).collect()
}

fn object(r: &mut Random) -> Json {
    let mut out = Map::new();
    for (key, kind) in [("x", 0), ("y", 1), ("z", 2)] {
        if !r.chance(4) {
            let value = match kind {
                0 => number(r),
                1 => text(r),
                _ if r.chance(2) => list(r, scalar),
                _ => scalar(r),
            };
            out.insert(key.to_owned(), value);
        }
    }
    Json::Object(out)
}

/// What stands under `last`.
pub(crate) fn document(r: &mut Random) -> Json {
    let mut out = Map::new();
    for key in ["a", "b", "c", "d", "e", "f"] {
        if r.chance(6) {
            continue;
        }
        let value = match key {
            "a" => number(r),
            "b" => text(r),
            "c" => list(r, scalar),
            "d" => object(r),
            "e" => list(r, |r| if r.chance(8) { scalar(r) } else { object(r) }),
            _ => scalar(r),
        };
        out.insert(key.to_owned(), value);
    }
    Json::Object(out)
}

/// A value that a path leads to in one of the documents, or any value.
fn near(r: &mut Random, path: &str, documents: &[Json]) -> Json {
    let mut at = r.pick(documents);
    for step in path.split('.') {
        if let (Json::Array(list), Err(_)) = (at, step.parse::<usize>())
            && !list.is_empty()
        {
            at = r.pick(list);
        }
        let next = match at {
            Json::Array(list) => step.parse::<usize>().ok().and_then(|i| list.get(i)),
            other => other.get(step),
        };
        let Some(next) = next else { return scalar(r) };
        at = next;
    }
    match at {
        Json::Array(list) if !list.is_empty() && !r.chance(3) => r.pick(list).clone(),
        other if r.chance(5) => {
            let _ = other;
            scalar(r)
        }
        other => other.clone(),
    }
}

/// As filters write it: times are magic strings.
fn written(value: Json) -> Json {
    match value {
        Json::Array(list) => list.into_iter().map(written).collect(),
        Json::Object(map) => match map.get("@time") {
            Some(seconds) => json!(format!("$$DateTs{{{seconds}}}")),
            None => map.into_iter().map(|(k, v)| (k, written(v))).collect::<Map<_, _>>().into(),
        },
        other => other,
    }
}

fn is_flat(value: &Json) -> bool {
    !value.is_array() && !value.is_null()
}

/// One operator with its value.
fn operator(r: &mut Random, path: &str, documents: &[Json], depth: usize) -> (&'static str, Json) {
    let mut value = written(near(r, path, documents));
    if path == "a.x" && value.is_null() {
        value = json!(2);
    }
    let side = |value: Json| if value.is_null() { json!("ab") } else { value };
    let several = |r: &mut Random| -> Json {
        let values: Vec<Json> = (0..=r.below(3)).map(|_| written(near(r, path, documents))).collect();
        values.into_iter().filter(is_flat).collect()
    };
    match r.below(17) {
        0 => ("$eq", value),
        1 | 2 => ("$ne", value),
        3 => ("$gt", side(value)),
        4 => ("$gte", side(value)),
        5 => ("$lt", side(value)),
        6 => ("$lte", side(value)),
        7 | 8 => ("$in", several(r)),
        9 => ("$nin", several(r)),
        10 => ("$exists", json!(may_end_nowhere(path) || r.chance(2))),
        11 => ("$type", json!(r.pick(&["double", "string", "object", "array", "bool", "date", "long", "number"]))),
        12 => ("$regex", json!(r.pick(&["a", "^a", "b$", "^(a|b)+$", "[A-Z]", "a\\.b", "^$"]))),
        13 if depth > 0 && !may_end_nowhere(path) => {
            let (name, value) = operator(r, path, documents, depth - 1);
            ("$not", json!({name: value}))
        }
        14 if !path.starts_with("e.") => match several(r) {
            Json::Array(list) if !list.is_empty() => ("$all", list.into()),
            _ => ("$ne", value),
        },
        15 if depth > 0 && path == "e" => {
            let inner = *r.pick(&["x", "y", "z"]);
            match operator(r, &format!("e.{inner}"), documents, 0) {
                ("$ne" | "$nin", _) => ("$elemMatch", json!({inner: {"$exists": true}})),
                (name, value) => ("$elemMatch", json!({inner: {name: value}})),
            }
        }
        15 if depth > 0 => {
            let (name, value) = operator(r, path, documents, 0);
            ("$elemMatch", json!({name: value}))
        }
        16 if ["c", "e", "missing"].contains(&path) => ("$size", json!(r.below(4))),
        _ => ("$nin", several(r)),
    }
}

/// Whether a path can lead to no value and yet not to a missing one, or to several.
fn may_end_nowhere(path: &str) -> bool {
    ["e.", "c.", "a."].iter().any(|start| path.starts_with(start))
}

/// A query document over `last`.
pub(crate) fn filter(r: &mut Random, documents: &[Json], depth: usize) -> Json {
    if depth > 0 && r.chance(3) {
        let name = *r.pick(&["$and", "$or", "$or", "$nor"]);
        let list: Vec<Json> = (0..=r.below(3)).map(|_| filter(r, documents, depth - 1)).collect();
        return json!({name: list});
    }
    let mut out = Map::new();
    for _ in 0..=usize::from(r.chance(4)) {
        let path = *r.pick(&PATHS);
        let condition = if path != "a.x" && r.chance(4) {
            written(near(r, path, documents))
        } else {
            let (name, value) = operator(r, path, documents, 2);
            let mut operators = Map::from_iter([(name.to_owned(), value)]);
            if name == "$regex" && r.chance(2) {
                operators.insert("$options".to_owned(), json!("i"));
            }
            if !may_end_nowhere(path) && r.chance(4) {
                let (name, value) = operator(r, path, documents, 0);
                operators.insert(name.to_owned(), value);
            }
            Json::Object(operators)
        };
        out.insert(format!("last.{path}"), condition);
    }
    Json::Object(out)
}
