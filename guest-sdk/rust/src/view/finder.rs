//! Finding many entities of a view, one after the other.
//!
//! The host gives linked entities in the order in which links reach them, so who follows a link attribute finds the next
//! one right behind the last. Where that fails, a view is searched, and if it goes on to fail, an index of it is made: a
//! hub has tens of thousands of linked entities, and a search for each of them would use up the fuel of the call.

use std::collections::BTreeMap;

use super::{EntityView, View};
use crate::value::EntityRef;

/// Searches before an index is made, which costs as much as some of them.
const SEARCHES: u32 = 4;

/// A view and the place where the next entity is likely to be.
pub(super) struct Finder<'a> {
    view: &'a View,
    next: usize,
    searches: u32,
    places: BTreeMap<(&'a str, &'a str), usize>,
}

impl<'a> Finder<'a> {
    pub(super) fn of(view: &'a View) -> Self {
        Self { view, next: 0, searches: 0, places: BTreeMap::new() }
    }

    /// As [`View::find`].
    pub(super) fn find(&mut self, entity: &EntityRef) -> Option<&'a EntityView> {
        let View { root, linked } = self.view;
        if root.entity == *entity {
            return Some(root);
        }
        let place = match linked.get(self.next) {
            Some(likely) if likely.entity == *entity => self.next,
            _ => self.search(entity)?,
        };
        self.next = place + 1;
        linked.get(place)
    }

    fn search(&mut self, entity: &EntityRef) -> Option<usize> {
        let linked = &self.view.linked;
        if self.searches < SEARCHES {
            self.searches += 1;
            return linked.iter().position(|e| e.entity == *entity);
        }
        if self.places.is_empty() {
            // The first of several of the same name counts, as in a search.
            self.places = linked.iter().enumerate().rev().map(|(place, e)| (key(&e.entity), place)).collect();
        }
        self.places.get(&key(entity)).copied()
    }
}

fn key(entity: &EntityRef) -> (&str, &str) {
    (&entity.etype, &entity.eid)
}
