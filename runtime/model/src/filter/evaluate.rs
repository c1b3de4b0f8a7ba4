//! Whether a filter holds for a document.
//!
//! Recursion is bounded: a filter nests at most [`super::MAX_DEPTH`] levels, a path has at most [`super::MAX_STEPS`]
//! parts, and documents nest as deep as JSON from outside may.

use std::cmp::Ordering;

use super::condition::{Compare, Node, Path, Step, Test};
use super::document::Document;
use super::item::Item;

/// What a condition is asked of.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) item: &'a Item<'a>,
    pub(super) eid: &'a str,
}

impl<'a> Subject<'a> {
    pub(super) fn of(document: &'a Document<'a>) -> Self {
        Self { item: &document.root, eid: document.eid }
    }
}

impl Node {
    pub(super) fn holds(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|n| n.holds(subject)),
            Self::Or(any) => any.iter().any(|n| n.holds(subject)),
            Self::Not(node) => !node.holds(subject),
            Self::Field(path, test) => {
                let mut see = |found: Option<&Item<'_>>| test.holds(found, subject.eid);
                walk(subject.item, path, !test.takes_lists(), &mut see)
            }
            Self::Eid(pattern) => pattern.is_in_text(subject.eid),
        }
    }
}

impl Test {
    /// Of one value alone, or of a missing one.
    fn holds(&self, found: Option<&Item<'_>>, eid: &str) -> bool {
        // A missing value and null are told apart by `Exists` and `Type` alone.
        let value = found.unwrap_or(&Item::Null);
        match self {
            Self::Equal(wanted) => value.order(wanted).is_eq(),
            Self::In(wanted) => wanted.binary_search_by(|w| w.order(value)).is_ok(),
            Self::Compare(side, wanted) => {
                value.bracket() == wanted.bracket() && !is_nan(value, wanted) && side.admits(value.order(wanted))
            }
            Self::Exists => found.is_some(),
            Self::Pattern(pattern) => pattern.is_in(value),
            Self::Type(kinds) => found.is_some_and(|v| kinds.iter().any(|k| k.is(v))),
            Self::Modulo { divisor, remainder } => modulo(value, *divisor) == Some(i128::from(*remainder)),
            Self::Size(n) => matches!(value, Item::List(items) if u64::try_from(items.len()) == Ok(*n)),
            Self::ElementObject(node) => elements(value)
                .any(|item| matches!(item, Item::Object(_) | Item::List(_)) && node.holds(Subject { item, eid })),
            Self::Element(node) => elements(value).any(|item| node.holds(Subject { item, eid })),
        }
    }
}

/// Sides of NaN do not exist; only `$lte` and `$gte` of NaN itself would, which JSON cannot write.
fn is_nan(a: &Item<'_>, b: &Item<'_>) -> bool {
    [a, b].into_iter().any(|i| matches!(i, Item::Float(x) if x.is_nan()))
}

impl Compare {
    fn admits(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

fn elements<'a>(item: &'a Item<'a>) -> impl Iterator<Item = &'a Item<'a>> {
    match item {
        Item::List(items) => items.iter(),
        _ => [].iter(),
    }
}

fn modulo(item: &Item<'_>, divisor: i64) -> Option<i128> {
    let n = match item {
        Item::Int(n) => *n,
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, and remainders of such numbers are noise"
        )]
        Item::Float(x) if x.is_finite() => *x as i128,
        _ => return None,
    };
    n.checked_rem(i128::from(divisor))
}

/// Shows what a path leads to until `see` is content; tells whether it was.
///
/// A path goes on in every dictionary of a list, and in the element that a number names. It ends at a value, at
/// nothing (`None`) where a dictionary lacks the key or a value is no dictionary, or does not end at all in a list
/// without dictionaries. At a list it shows the elements first when `inside` is set.
fn walk(item: &Item<'_>, path: &Path, inside: bool, see: &mut dyn FnMut(Option<&Item<'_>>) -> bool) -> bool {
    match path.0.split_first() {
        // A condition on one element of `$elemMatch`.
        None => see(Some(item)),
        Some((step, rest)) => into(item, step, rest, inside, see),
    }
}

fn into(
    item: &Item<'_>,
    step: &Step,
    rest: &[Step],
    inside: bool,
    see: &mut dyn FnMut(Option<&Item<'_>>) -> bool,
) -> bool {
    let Some(value) = item.get(&step.key) else { return see(None) };
    match (rest.split_first(), value) {
        (None, Item::List(items)) if inside => items.iter().any(|i| see(Some(i))) || see(Some(value)),
        (None, _) => see(Some(value)),
        (Some((step, rest)), Item::Object(_)) => into(value, step, rest, inside, see),
        (Some((step, rest)), Item::List(items)) => through(items, step, rest, inside, see),
        (Some(_), _) => see(None),
    }
}

fn through(
    items: &[Item<'_>],
    step: &Step,
    rest: &[Step],
    inside: bool,
    see: &mut dyn FnMut(Option<&Item<'_>>) -> bool,
) -> bool {
    items.iter().enumerate().any(|(i, item)| {
        // A number names a place first of all: where it is no key, nothing is missing.
        let is_key = step.index.is_none() || item.get(&step.key).is_some();
        if matches!(item, Item::Object(_)) && is_key && into(item, step, rest, inside, see) {
            return true;
        }
        if step.index != Some(i) {
            return false;
        }
        match (rest.split_first(), item) {
            // A place that is named is not looked into.
            (None, _) => see(Some(item)),
            (Some((step, rest)), Item::Object(_)) => into(item, step, rest, inside, see),
            (Some((step, rest)), Item::List(items)) => through(items, step, rest, inside, see),
            (Some(_), _) => false,
        }
    })
}
