//! Components against label spreading, the bound, and sizes that recursion would not survive.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tenter_model::EntityRef;
use tenter_model::id::{AttrName, EntityType};
use tenter_model::snapshot::components::{Edge, MAX_MEMBERS, components};
use tenter_model::snapshot::plan::UsedLinks;

use crate::support::*;

fn edge(from: &str, attr: &str, to: &str) -> Edge {
    Edge { from: entity(from), attr: name(attr), to: entity(to) }
}

fn used(links: &[(&str, &str)]) -> UsedLinks {
    let links: Vec<(EntityType, AttrName)> = links.iter().map(|(e, a)| (name(e), name(a))).collect();
    UsedLinks::new(&schema(), &links)
}

fn members(edges: Vec<Edge>, used: &UsedLinks) -> Vec<Vec<String>> {
    let found = components(edges, used, MAX_MEMBERS);
    assert!(found.iter().all(|c| !c.is_part));
    found.into_iter().map(|c| c.members.iter().map(ToString::to_string).collect()).collect()
}

/// DP³ asks for the links of the first entity's type at each step: a1->b1->c1 was one component or two, depending on
/// which entity came first.
#[test]
fn bug_components_take_the_type_of_each_step() {
    let used = used(&[("a", "b"), ("b", "c")]);
    let mut edges = vec![edge("a/1", "b", "b/1"), edge("b/1", "c", "c/1"), edge("a/2", "b", "b/1")];
    for _ in 0..edges.len() {
        edges.rotate_left(1);
        assert_eq!(members(edges.clone(), &used), [["a/1", "a/2", "b/1", "c/1"]]);
    }
    // An attribute of the same name on another type is another link.
    assert_eq!(members(vec![edge("c/1", "b", "b/1"), edge("a/1", "b", "b/2")], &used), [["a/1", "b/2"]]);
}

/// In DP³ a mirror in a path is a used link that no planning knows, and the component is lost.
#[test]
fn bug_a_used_mirror_connects_its_sources() {
    let used = used(&[("b", "as")]);
    assert!(used.contains(&name("b"), &name("as")) && used.connects(&name("a"), &name("b")));
    assert!(!used.contains(&name("a"), &name("b")) && !used.connects(&name("b"), &name("as")));
    let stored: Vec<String> = used.stored().map(|(e, a)| format!("{e}.{a}")).collect();
    assert_eq!(stored, ["a.b"]);
    assert_eq!(members(vec![edge("a/1", "b", "b/1"), edge("a/2", "b", "b/1")], &used), [["a/1", "a/2", "b/1"]]);
}

#[test]
fn one_direction_is_enough_and_unused_links_count_for_nothing() {
    let used = used(&[("b", "c")]);
    assert_eq!(members(vec![edge("b/1", "c", "c/1"), edge("a/1", "b", "b/1")], &used), [["b/1", "c/1"]]);
    assert!(components([], &used, 5).is_empty());
}

const TYPES: [&str; 3] = ["a", "b", "c"];
const ATTRS: [(&str, &str, &str); 5] =
    [("a", "b", "b"), ("a", "bs", "b"), ("a", "a2", "a"), ("b", "c", "c"), ("c", "b", "b")];

fn random_edges(random: &mut Random) -> Vec<Edge> {
    let (per_type, len) = (2 + random.below(9), random.below(25));
    (0..len)
        .map(|_| {
            let (from, attr, to) = ATTRS[random.below(ATTRS.len())];
            edge(&format!("{from}/{}", random.below(per_type)), attr, &format!("{to}/{}", random.below(per_type)))
        })
        .collect()
}

/// Each entity has a label; along each used link both ends take the smaller one, until nothing changes.
fn slow_components(edges: &[Edge], used: &[(&str, &str)]) -> BTreeSet<Vec<EntityRef>> {
    let is_used = |e: &&Edge| {
        let mirrored = e.from.etype.as_str() == "a" && e.attr.as_str() == "b" && used.contains(&("b", "as"));
        mirrored || used.iter().any(|(etype, attr)| e.from.etype.as_str() == *etype && e.attr.as_str() == *attr)
    };
    let edges: Vec<&Edge> = edges.iter().filter(is_used).collect();
    let mut labels: BTreeMap<EntityRef, EntityRef> = BTreeMap::new();
    for e in &edges {
        labels.insert(e.from.clone(), e.from.clone());
        labels.insert(e.to.clone(), e.to.clone());
    }
    loop {
        let mut is_done = true;
        for e in &edges {
            let (x, y) = (labels[&e.from].clone(), labels[&e.to].clone());
            if x != y {
                is_done = false;
                labels.insert(e.from.clone(), x.clone().min(y.clone()));
                labels.insert(e.to.clone(), x.min(y));
            }
        }
        if is_done {
            break;
        }
    }
    let mut groups: BTreeMap<EntityRef, Vec<EntityRef>> = BTreeMap::new();
    for (entity, label) in labels {
        groups.entry(label).or_default().push(entity);
    }
    groups.into_values().collect()
}

#[test]
fn components_are_those_of_the_slow_way() {
    let all = [("a", "b"), ("a", "bs"), ("a", "a2"), ("b", "c"), ("c", "b"), ("b", "as")];
    let schema = schema();
    cases("component search", |random| {
        let mut edges = random_edges(random);
        let chosen: Vec<(&str, &str)> = all.into_iter().filter(|_| random.chance(2)).collect();
        let links: Vec<(EntityType, AttrName)> = chosen.iter().map(|(e, a)| (name(e), name(a))).collect();
        let used = UsedLinks::new(&schema, &links);
        let expected = slow_components(&edges, &chosen);
        let found = components(edges.clone(), &used, MAX_MEMBERS);
        assert_eq!(found.iter().map(|c| c.members.clone()).collect::<BTreeSet<_>>(), expected, "{edges:?}");
        assert!(found.iter().all(|c| !c.is_part));
        assert!(found.windows(2).all(|w| w[0].members[0] < w[1].members[0]), "in order of their least members");
        // The order of links is of no account, whole or split.
        let cap = 1 + random.below(6);
        let split = components(edges.clone(), &used, cap);
        random.shuffle(&mut edges);
        assert_eq!(components(edges.clone(), &used, MAX_MEMBERS), found);
        assert_eq!(components(edges, &used, cap), split);
        // Split: the same entities, once each, and exactly those of large components are parts.
        let mut again: Vec<EntityRef> = split.iter().flat_map(|c| c.members.clone()).collect();
        again.sort();
        let mut once: Vec<EntityRef> = expected.iter().flatten().cloned().collect();
        once.sort();
        assert_eq!(again, once);
        for part in &split {
            assert!(part.members.len() <= cap);
            let whole = expected.iter().find(|c| c.contains(&part.members[0])).unwrap();
            assert!(part.members.iter().all(|m| whole.contains(m)));
            assert_eq!(part.is_part, whole.len() > cap);
        }
        expected.len() > 1 && expected.iter().any(|c| c.len() > 2)
    });
}

#[test]
fn chains_cycles_and_hubs_of_any_size() {
    let used = used(&[("a", "a2"), ("a", "b")]);
    let id = |i: usize| format!("a/{i:06}");
    for (what, len, close) in [("chain", 1_000, false), ("cycle", 10_000, true)] {
        let start = Instant::now();
        let links = (0..len - 1).map(|i| edge(&id(i), "a2", &id(i + 1)));
        let edges = links.chain(close.then(|| edge(&id(len - 1), "a2", &id(0))));
        let found = components(edges, &used, MAX_MEMBERS);
        println!("{what} of {len}: {:?}", start.elapsed());
        assert_eq!((found.len(), found[0].members.len(), found[0].is_part), (1, len, false));
    }
    let start = Instant::now();
    let found = components((0..50_000).map(|i| edge(&id(i), "b", "b/1")), &used, MAX_MEMBERS);
    println!("hub of 50000: {:?}", start.elapsed());
    assert_eq!((found[0].members.len(), found.iter().map(|c| c.members.len()).sum::<usize>()), (MAX_MEMBERS, 50_001));
    assert!(found.iter().all(|c| c.is_part), "all of them lack a link");
    assert!(TYPES.iter().all(|t| schema().entity(t).is_some()));
}
