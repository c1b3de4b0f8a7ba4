//! What reads much: listings, counts, distinct values, the log of datapoints. Each within a budget.
//!
//! A listing goes through the latest picture of a type once and decodes of a document only what its filter and order look
//! at; what it gives is decoded whole. Without a filter and an order nothing else is decoded at all. Where the order is not
//! that of the disk, places are kept (values of the keys, ids), and of those only as many as the page reaches.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicBool};
use std::time::{Duration, Instant};

use serde_json::Value;
use tenter_model::filter::{Document, Filter, IdKey, Place, Sort, Wanted};
use tenter_model::{EntityId, EntityType, Schema};
use tenter_store::{Picture, PictureRow, Snapshot, StoreError};

mod answer;

use answer::MAX_BYTES;
pub(crate) use answer::{Held, ListAnswer};

/// Rows between two looks at the clock.
const STEP: u64 = 64;
/// Places kept for an order.
const MAX_PLACES: usize = 5_000_000;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It took too long.
    #[error(
        "the query was cut off after {} ms, when it had looked at {looked} rows; narrow it (by last.eid or _id, by attr \
         and a smaller limit), or raise query_max_ms in tenter.yml", .after.as_millis()
    )]
    TooLong {
        /// The bound.
        after: Duration,
        /// Rows looked at.
        looked: u64,
    },
    /// Others hold too much.
    #[error("answers of {0} MiB are being made or sent at present; ask again in a moment, or for a smaller page")]
    Busy(usize),
    /// Nobody waits for the answer.
    #[error("the sender has gone")]
    Gone,
    /// It gives too much.
    #[error("the answer grows beyond {0}; ask for it in pages with skip and limit, or narrow the query")]
    TooMuch(&'static str),
}

/// What a query may cost.
pub(crate) struct Budget {
    until: Instant,
    bound: Duration,
    looked: Cell<u64>,
    /// Set when nobody waits for the answer any more.
    gone: Arc<AtomicBool>,
    /// What answers hold.
    held: Held,
}

/// Tells a budget that nobody waits any more, when it is dropped.
pub(crate) struct Waiting(Arc<AtomicBool>);

impl Waiting {
    /// Somebody waits.
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// A budget for what is waited for, from now on.
    pub(crate) fn budget(&self, bound: Duration, held: &Held) -> impl FnOnce() -> Budget + Send + 'static {
        let (gone, held) = (self.0.clone(), held.clone());
        move || Budget { gone, held, ..Budget::new(bound) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, atomic::Ordering::Relaxed);
    }
}

impl Budget {
    /// From now on.
    pub(crate) fn new(bound: Duration) -> Self {
        Self { until: Instant::now() + bound, bound, looked: Cell::new(0), gone: Arc::default(), held: Held::default() }
    }

    /// An answer whose list has this name; without one, the list alone.
    pub(crate) fn answer(&self, name: Option<&str>) -> ListAnswer {
        ListAnswer::new(name, self.held.clone())
    }

    /// One more row is looked at.
    pub(crate) fn row(&self) -> Result<(), QueryError> {
        let looked = self.looked.get() + 1;
        self.looked.set(looked);
        if looked.is_multiple_of(STEP) { self.time() } else { Ok(()) }
    }

    /// So many places are kept.
    pub(crate) fn kept(&self, places: usize) -> Result<(), QueryError> {
        if places > MAX_PLACES {
            return Err(QueryError::TooMuch("5 million rows that must be brought into an order"));
        }
        Ok(())
    }

    /// Something longer than a row was done.
    pub(crate) fn time(&self) -> Result<(), QueryError> {
        if self.gone.load(atomic::Ordering::Relaxed) {
            return Err(QueryError::Gone);
        }
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(QueryError::TooLong { after: self.bound, looked: self.looked.get() })
    }
}

/// Takes a row that matches, and says whether to go on.
type Visit<'v> = dyn FnMut(&PictureRow<'_>, Option<&Document<'_>>) -> Result<ControlFlow<()>, QueryError> + 'v;

/// Which documents of a type are asked for, and how.
pub(crate) struct Query {
    /// The type.
    pub(crate) etype: EntityType,
    /// Which.
    pub(crate) filter: Filter,
    /// In which order.
    pub(crate) sort: Sort,
    /// How many are left out at the start.
    pub(crate) skip: usize,
    /// How many are given; `None`: all.
    pub(crate) limit: Option<usize>,
}

impl Query {
    /// Gives the documents of the page to `each`, in their order.
    ///
    /// # Errors
    /// What `each` says, the store, and when the budget is spent.
    pub(crate) fn list(
        &self,
        schema: &Schema,
        picture: &Picture<'_>,
        budget: &Budget,
        each: &mut dyn FnMut(Snapshot) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let id_type = schema.entity(self.etype.as_str()).map(|spec| spec.id_type).unwrap_or_default();
        if !self.sort.is_empty() || !IdKey::is_text_order(id_type) {
            let page = self.in_order(schema, picture, budget)?;
            for id in page {
                budget.row()?;
                if let Some(Some(snapshot)) = picture.one(&id, |row| readable(row.document(&|_| true)))? {
                    each(snapshot)?;
                }
            }
            return Ok(());
        }
        let (mut skip, mut left) = (self.skip, self.limit.unwrap_or(usize::MAX));
        if left == 0 {
            return Ok(());
        }
        self.matching(schema, picture, budget, &Wanted::none(), &mut |row, _| {
            if skip > 0 {
                skip -= 1;
                return Ok(ControlFlow::Continue(()));
            }
            if let Some(snapshot) = readable(row.document(&|_| true))? {
                each(snapshot)?;
            }
            left -= 1;
            Ok(if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
    }

    /// How many documents match.
    ///
    /// # Errors
    /// The store, and when the budget is spent.
    pub(crate) fn count(&self, schema: &Schema, picture: &Picture<'_>, budget: &Budget) -> Result<u64, QueryError> {
        let mut count = 0;
        self.matching(schema, picture, budget, &Wanted::none(), &mut |_, _| {
            count += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(count)
    }

    /// Ids of the page, where its order is not that of the disk.
    fn in_order(&self, schema: &Schema, picture: &Picture<'_>, budget: &Budget) -> Result<Vec<EntityId>, QueryError> {
        let id_type = schema.entity(self.etype.as_str()).map(|spec| spec.id_type).unwrap_or_default();
        let most = self.limit.map_or(usize::MAX, |limit| self.skip.saturating_add(limit));
        let mut places: Vec<(Place, IdKey, EntityId)> = Vec::new();
        let order = |a: &(Place, IdKey, EntityId), b: &(Place, IdKey, EntityId)| -> Ordering {
            self.sort.compare(&a.0, &b.0).then_with(|| a.1.cmp(&b.1)).then_with(|| a.2.cmp(&b.2))
        };
        self.matching(schema, picture, budget, &self.sort.wanted(), &mut |row, document| {
            let id = row.id()?;
            let place = document.map(|document| self.sort.place(document)).unwrap_or_default();
            places.push((place, IdKey::of(id_type, &id), id));
            // Cut only when twice as many are there, so that cutting costs little for each.
            if places.len() / 2 > most.max(512) {
                places.select_nth_unstable_by(most, order);
                places.truncate(most);
            }
            budget.kept(places.len()).map(|()| ControlFlow::Continue(()))
        })?;
        places.sort_unstable_by(order);
        places.truncate(most);
        Ok(places.into_iter().skip(self.skip).map(|(.., id)| id).collect())
    }

    /// Gives each row that matches to `visit`, with a document that holds what filter and `wanted` look at, in the order
    /// of the disk. Where they look at nothing there is none.
    fn matching(
        &self,
        schema: &Schema,
        picture: &Picture<'_>,
        budget: &Budget,
        wanted: &Wanted,
        visit: &mut Visit<'_>,
    ) -> Result<(), QueryError> {
        let wanted = self.filter.wanted().clone().and(wanted.clone());
        let narrow = self.filter.narrow();
        let looks = !self.filter.is_all() || wanted != Wanted::none();
        let in_time = |row: &PictureRow<'_>| {
            narrow.from.is_none_or(|from| row.time() >= from) && narrow.to.is_none_or(|to| row.time() <= to)
        };
        picture.each(&narrow.ids, &mut |row| {
            budget.row()?;
            if !in_time(row) {
                return Ok(ControlFlow::Continue(()));
            }
            if !looks {
                return visit(row, None);
            }
            let read =
                if wanted.needs_values() { row.document(&|attr| wanted.has_values_of(attr)) } else { row.head() };
            let Some(snapshot) = readable(read)? else { return Ok(ControlFlow::Continue(())) };
            let document = Document::new(schema, &snapshot.view, snapshot.time, snapshot.partial, &wanted);
            if self.filter.is_all() || self.filter.matches(&document) {
                visit(row, Some(&document))
            } else {
                Ok(ControlFlow::Continue(()))
            }
        })
    }
}

/// How often each value of an attribute occurs in the latest picture of a type, by the text of the value. Lists are told
/// by their elements, links by the id of their target.
///
/// # Errors
/// The store, and when the budget is spent.
pub(crate) fn distinct(
    schema: &Schema,
    etype: &EntityType,
    attr: &str,
    picture: &Picture<'_>,
    budget: &Budget,
) -> Result<BTreeMap<String, u64>, QueryError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut bytes = 0;
    picture.each(&tenter_model::filter::Ids::All, &mut |row| -> Result<_, QueryError> {
        budget.row()?;
        let Some(snapshot) = readable(row.document(&|name| name == attr))? else {
            return Ok(ControlFlow::Continue(()));
        };
        for value in &snapshot.view.values {
            let mut add = |json: &Value| {
                let Some(text) = key_of(json) else { return };
                let length = text.len();
                let count = counts.entry(text).or_insert(0);
                bytes += if *count == 0 { length } else { 0 };
                *count += 1;
            };
            match schema.value_json(etype.as_str(), attr, &value.value) {
                Value::Array(items) => items.iter().for_each(&mut add),
                other => add(&other),
            }
        }
        if bytes > MAX_BYTES { Err(QueryError::TooMuch("256 MiB")) } else { Ok(ControlFlow::Continue(())) }
    })?;
    Ok(counts)
}

/// A value as a key; `None` for null.
fn key_of(json: &Value) -> Option<String> {
    match json {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        // A link.
        Value::Object(map) if map.contains_key("eid") => map.get("eid").and_then(key_of),
        other => Some(other.to_string()),
    }
}

/// What can be read; a document that the disk has altered is logged and left out, so that one cannot hide all others.
fn readable(read: Result<Snapshot, StoreError>) -> Result<Option<Snapshot>, QueryError> {
    match read {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(error @ StoreError::Unreadable { .. }) => {
            tracing::error!(%error, "a document is left out");
            Ok(None)
        }
        Err(other) => Err(other.into()),
    }
}

#[cfg(test)]
mod tests;
