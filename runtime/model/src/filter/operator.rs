//! The operators that stand in a field's conditions.

use serde_json::{Map, Value as Json};

use super::condition::{Compare, Kind, Node, Path, Test};
use super::item::Item;
use super::parse::{At, Parser, shown, unknown};
use super::pattern::Pattern;
use crate::config::nearest;

/// All of them.
const OPERATORS: [&str; 17] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$not",
    "$exists",
    "$type",
    "$regex",
    "$options",
    "$all",
    "$elemMatch",
    "$size",
    "$mod",
];

impl Parser<'_> {
    /// One operator with its value; `map` holds its neighbours.
    pub(super) fn operator(
        &mut self,
        at: &At<'_>,
        path: &Path,
        name: &str,
        value: &Json,
        map: &Map<String, Json>,
    ) -> Option<Node> {
        let not = |node| Node::Not(Box::new(node));
        match name {
            "$eq" => self.value(at, value).and_then(|v| self.field(at, path, Test::Equal(v))),
            "$ne" => self.value(at, value).and_then(|v| self.field(at, path, Test::Equal(v))).map(not),
            "$gt" => self.compare(at, path, Compare::Greater, value),
            "$gte" => self.compare(at, path, Compare::GreaterOrEqual, value),
            "$lt" => self.compare(at, path, Compare::Less, value),
            "$lte" => self.compare(at, path, Compare::LessOrEqual, value),
            "$in" => self.one_of(at, path, value),
            "$nin" => self.one_of(at, path, value).map(not),
            "$not" => self.negated(at, path, value).map(not),
            "$exists" => {
                let node = self.field(at, path, Test::Exists)?;
                Some(if truthy(value) { node } else { not(node) })
            }
            "$type" => self.kinds(at, path, value),
            "$regex" => self.pattern(at, path, value, map.get("$options")),
            "$options" if map.contains_key("$regex") => Some(Node::And(Vec::new())),
            "$options" => self.refuse(at, "\"$options\" needs a \"$regex\" beside it"),
            "$all" => self.all(at, path, value),
            "$elemMatch" => self.element(at, path, value),
            "$size" => match value.as_u64().or_else(|| whole(value).and_then(|n| n.try_into().ok())) {
                Some(n) => self.field(at, path, Test::Size(n)),
                None => {
                    self.refuse(at, format!("expected a length, which is an integer from 0, found {}", shown(value)))
                }
            },
            "$mod" => self.modulo(at, path, value),
            "$comment" => Some(Node::And(Vec::new())),
            "$and" | "$or" | "$nor" => {
                self.refuse(at, format!("{name:?} combines whole conditions and cannot stand inside those of a field"))
            }
            _ if !name.starts_with('$') => {
                self.refuse(at, format!("{name:?} stands beside operators, where only operators may stand"))
            }
            _ => self.refuse(at, unknown(name, "operator", &OPERATORS)),
        }
    }

    fn refuse(&mut self, at: &At<'_>, message: impl Into<String>) -> Option<Node> {
        self.wrong(at, message);
        None
    }

    fn compare(&mut self, at: &At<'_>, path: &Path, side: Compare, value: &Json) -> Option<Node> {
        let value = self.value(at, value)?;
        self.field(at, path, Test::Compare(side, value))
    }

    /// What `first <= value <= last` says, each for itself as in MongoDB.
    pub(super) fn range(
        &mut self,
        at: &At<'_>,
        path: &Path,
        first: Item<'static>,
        last: Item<'static>,
    ) -> Option<Node> {
        let from = self.field(at, path, Test::Compare(Compare::GreaterOrEqual, first))?;
        let to = self.field(at, path, Test::Compare(Compare::LessOrEqual, last))?;
        Some(Node::And(vec![from, to]))
    }

    fn list<'v>(&mut self, at: &At<'_>, value: &'v Json) -> Option<&'v Vec<Json>> {
        let list = value.as_array();
        if list.is_none() {
            self.wrong(at, format!("expected a list, found {}", shown(value)));
        }
        list
    }

    fn one_of(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        let list = self.list(at, value)?;
        let mut items = Vec::with_capacity(list.len().min(super::MAX_VALUES));
        for (i, value) in list.iter().enumerate() {
            let at = at.index(i);
            if has_operator(value) {
                return self.refuse(&at, "operators cannot stand in a list of values");
            }
            items.push(self.value(&at, value)?);
        }
        items.sort_by(Item::order);
        self.field(at, path, Test::In(items))
    }

    fn negated(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        match value {
            Json::Object(map) if !map.is_empty() => self.operators(at, path, map),
            // A range becomes an object of operators.
            Json::String(text) if text.starts_with("$$") => self.predicate(at, path, value),
            _ => self.refuse(
                at,
                format!("expected an object with operators such as {{\"$gt\": 5}}, found {}", shown(value)),
            ),
        }
    }

    fn kinds(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        let given = match value {
            Json::Array(list) if !list.is_empty() => list.as_slice(),
            Json::Array(_) => return self.refuse(at, "expected at least one type"),
            one => std::slice::from_ref(one),
        };
        let mut kinds = Vec::new();
        for given in given {
            let number = whole(given);
            let is = |(name, n, _): &&(&str, i64, Kind)| given.as_str() == Some(name) || number == Some(*n);
            let Some((_, _, kind)) = Kind::ALL.iter().find(is) else {
                let names: Vec<&str> = Kind::ALL.iter().map(|(name, ..)| *name).collect();
                let near = given.as_str().and_then(|g| nearest(g, names.iter().copied()));
                let near = near.map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
                let all = names.join(", ");
                return self
                    .refuse(at, format!("unknown type {}, expected one of {all} or its number{near}", shown(given)));
            };
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        self.field(at, path, Test::Type(kinds))
    }

    fn pattern(&mut self, at: &At<'_>, path: &Path, value: &Json, options: Option<&Json>) -> Option<Node> {
        let Json::String(pattern) = value else {
            return self.refuse(at, format!("expected a regular expression as text, found {}", shown(value)));
        };
        let options = match options {
            None => "",
            Some(Json::String(options)) => options,
            Some(other) => return self.refuse(at, format!("expected \"$options\" as text, found {}", shown(other))),
        };
        match Pattern::new(pattern, options, false) {
            Ok(pattern) => self.field(at, path, Test::Pattern(pattern)),
            Err(e) => self.refuse(at, e),
        }
    }

    /// Each of the values is found on its own.
    fn all(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        let list = self.list(at, value)?;
        let mut nodes = Vec::new();
        for (i, value) in list.iter().enumerate() {
            let at = at.index(i);
            nodes.push(match value.as_object().and_then(|m| m.get("$elemMatch")) {
                Some(inner) => self.element(&at.key("$elemMatch"), path, inner)?,
                None if has_operator(value) => {
                    return self.refuse(&at, "of operators only \"$elemMatch\" can stand in \"$all\"");
                }
                None => {
                    let item = self.value(&at, value)?;
                    self.field(&at, path, Test::Equal(item))?
                }
            });
        }
        // Nothing has all of no values, as MongoDB sees it.
        Some(if nodes.is_empty() { Node::Or(nodes) } else { Node::And(nodes) })
    }

    fn element(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        let Json::Object(map) = value else {
            return self.refuse(at, format!("expected an object with conditions, found {}", shown(value)));
        };
        let is_operator =
            |key: &String| key.starts_with('$') && !["$and", "$or", "$nor", "$comment"].contains(&key.as_str());
        if map.keys().any(is_operator) {
            let node = self.operators(at, &Path::default(), map)?;
            return self.field(at, path, Test::Element(Box::new(node)));
        }
        let node = self.document(at, value, false)?;
        self.field(at, path, Test::ElementObject(Box::new(node)))
    }

    fn modulo(&mut self, at: &At<'_>, path: &Path, value: &Json) -> Option<Node> {
        let numbers: Vec<_> = value.as_array().into_iter().flatten().map(whole).collect();
        match numbers.as_slice() {
            [Some(0), Some(_)] => self.refuse(at, "the divisor cannot be 0"),
            [Some(divisor), Some(remainder)] => {
                self.field(at, path, Test::Modulo { divisor: *divisor, remainder: *remainder })
            }
            _ => self.refuse(at, format!("expected a list of a divisor and a remainder, found {}", shown(value))),
        }
    }
}

fn has_operator(value: &Json) -> bool {
    value.as_object().is_some_and(|m| m.keys().any(|k| k.starts_with('$')))
}

/// An integer, written as `5` or `5.0`.
fn whole(json: &Json) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "the range was checked")]
    let of_float = |x: f64| (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64);
    json.as_i64().or_else(|| json.as_f64().and_then(of_float))
}

/// What MongoDB takes for true.
fn truthy(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(b) => *b,
        Json::Number(n) => n.as_f64() != Some(0.0),
        Json::String(_) | Json::Array(_) | Json::Object(_) => true,
    }
}
