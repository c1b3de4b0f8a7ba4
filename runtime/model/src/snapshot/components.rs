//! Which entities belong together: weakly connected components over used links.
//!
//! Each link counts by the type and attribute of the entity that holds it, at every step. A chain over different types
//! is one component whichever end comes first.
//!
//! **Bound.** A hub, such as a network that a million addresses link to, makes components that no memory holds. A
//! component of more than `cap` entities is therefore split: a walk along its links from the least entity takes `cap`
//! entities, then the next walk begins at the least entity that is left. Each part is a component of its own. Links from
//! one part into another stay in the documents but are not loaded, so that hooks do not see beyond them, and every
//! document of a part is marked as partial. Memory for the search grows with links and entities, about 150 bytes each;
//! time almost linearly.

use std::collections::{HashMap, VecDeque};

use super::plan::UsedLinks;
use crate::id::{AttrName, EntityRef};

/// Most entities of one component, unless a caller has reason for another number. At 5 kB of values for each entity
/// a component takes 100 MB.
pub const MAX_MEMBERS: usize = 20_000;

/// A stored link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// The entity that holds the link.
    pub from: EntityRef,
    /// Its attribute.
    pub attr: AttrName,
    /// The target.
    pub to: EntityRef,
}

/// Entities that are computed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// In order of type and id.
    pub members: Vec<EntityRef>,
    /// It is part of a component that was too large: its documents are marked as partial.
    pub is_part: bool,
}

impl Component {
    /// An entity without links.
    #[must_use]
    pub fn of_one(entity: EntityRef) -> Self {
        Self { members: vec![entity], is_part: false }
    }
}

/// The components that links make, ordered by their least members. The result depends on the set of links alone, not
/// on the order in which they come; the least member of a component can therefore serve as a cursor. Links that no hook
/// uses count for nothing: an entity that has no other is in no component.
#[must_use]
pub fn components(edges: impl IntoIterator<Item = Edge>, used: &UsedLinks, cap: usize) -> Vec<Component> {
    let graph = Graph::new(edges, used);
    let mut part_of = vec![None; graph.entities.len()];
    let mut parts = Vec::new();
    for start in 0..graph.entities.len() {
        if part_of.get(start) == Some(&None) {
            parts.push(graph.walk(start, parts.len(), cap.max(1), &mut part_of));
        }
    }
    // A component is connected, so that each part of a split one has a link that was cut.
    let mut is_cut = vec![false; parts.len()];
    for (place, neighbours) in graph.neighbours() {
        let Some(Some(part)) = part_of.get(place) else { continue };
        if neighbours.iter().any(|n| part_of.get(*n) != Some(&Some(*part)))
            && let Some(flag) = is_cut.get_mut(*part)
        {
            *flag = true;
        }
    }
    let mut entities: Vec<Option<EntityRef>> = graph.entities.into_iter().map(Some).collect();
    let component = |(mut places, is_part): (Vec<usize>, bool)| {
        // Places are in order of entities.
        places.sort_unstable();
        Component { members: places.into_iter().filter_map(|p| entities.get_mut(p)?.take()).collect(), is_part }
    };
    parts.into_iter().zip(is_cut).map(component).collect()
}

/// Entities in order, and the neighbours of all of them in one list.
struct Graph {
    entities: Vec<EntityRef>,
    /// Where the neighbours of each entity begin; one more at the end.
    starts: Vec<usize>,
    neighbours: Vec<usize>,
}

impl Graph {
    fn new(edges: impl IntoIterator<Item = Edge>, used: &UsedLinks) -> Self {
        let mut known: HashMap<EntityRef, usize> = HashMap::new();
        let mut pairs = Vec::new();
        for Edge { from, attr, to } in edges {
            if used.connects(&from.etype, &attr) {
                let mut number = |entity| {
                    let fresh = known.len();
                    *known.entry(entity).or_insert(fresh)
                };
                pairs.push((number(from), number(to)));
            }
        }
        let mut sorted: Vec<(EntityRef, usize)> = known.into_iter().collect();
        sorted.sort_unstable();
        let mut place = vec![0; sorted.len()];
        for (i, (_, number)) in sorted.iter().enumerate() {
            place.get_mut(*number).into_iter().for_each(|p| *p = i);
        }
        let at = |number: &usize| place.get(*number).copied().unwrap_or_default();
        let mut both: Vec<(usize, usize)> =
            pairs.iter().flat_map(|(from, to)| [(at(from), at(to)), (at(to), at(from))]).collect();
        both.sort_unstable();
        both.dedup();
        let mut starts = vec![0; sorted.len() + 1];
        for (from, _) in &both {
            starts.get_mut(from + 1).into_iter().for_each(|n| *n += 1);
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let entities = sorted.into_iter().map(|(entity, _)| entity).collect();
        Self { entities, starts, neighbours: both.into_iter().map(|(_, to)| to).collect() }
    }

    fn around(&self, place: usize) -> &[usize] {
        let (Some(from), Some(to)) = (self.starts.get(place), self.starts.get(place + 1)) else { return &[] };
        self.neighbours.get(*from..*to).unwrap_or_default()
    }

    fn neighbours(&self) -> impl Iterator<Item = (usize, &[usize])> {
        (0..self.entities.len()).map(|place| (place, self.around(place)))
    }

    /// Takes up to `cap` places that no part has yet, nearest first.
    fn walk(&self, start: usize, part: usize, cap: usize, part_of: &mut [Option<usize>]) -> Vec<usize> {
        let mut taken = Vec::new();
        let mut queue = VecDeque::from([start]);
        while let Some(place) = queue.pop_front() {
            match part_of.get_mut(place) {
                Some(slot @ None) => *slot = Some(part),
                _ => continue,
            }
            taken.push(place);
            if taken.len() == cap {
                break;
            }
            queue.extend(self.around(place).iter().filter(|n| part_of.get(**n) == Some(&None)));
        }
        taken
    }
}
