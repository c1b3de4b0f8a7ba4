//! What a hook sees, against a walk along each path alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tenter_model::snapshot::group::Group;
use tenter_model::value::Link;
use tenter_model::view::{CurrentValue, EntityView, View, ViewSource};
use tenter_model::{EntityRef, Value};

use crate::support::*;

/// What one hook sees of a group.
fn seen(group: &Group, root: &str, etype: &str, reads: &str, sets: &str) -> View {
    let plan = planned(&[("m/h", etype, reads, sets)]).unwrap();
    group.view(&entity(root), &plan.steps[0]).unwrap()
}

/// `entity(attr, attr)` for the root, then the linked ones.
fn outline(view: &View) -> String {
    let one = |v: &EntityView| {
        let attrs: Vec<&str> = v.values.iter().map(|c| c.attr.as_str()).collect();
        format!("{}({})", v.entity, attrs.join(","))
    };
    std::iter::once(&view.root).chain(&view.linked).map(one).collect::<Vec<_>>().join(" ")
}

fn several(attr: &str, targets: &[&str]) -> Vec<CurrentValue> {
    let value = |target: &&str| {
        let link = Link { target: entity(target), data: Some(Box::new(int(7))) };
        CurrentValue { attr: name(attr), value: Value::Link(link), confidence: Some(0.5) }
    };
    targets.iter().map(value).collect()
}

fn group() -> Group {
    let mut first = view("a/1", &[("p", int(1)), ("q", int(2)), ("b", link("b/1")), ("bs", links(&["b/1", "b/2"]))]);
    first.values.extend(several("ob", &["b/2", "b/3"]));
    Group::new([
        first,
        view("a/2", &[("p", int(5)), ("b", link("b/1")), ("a2", link("a/1"))]),
        view("b/1", &[("p", int(1)), ("c", link("c/10.0.0.1")), ("as", links(&["a/1", "a/2"])), ("tag", int(0))]),
        view("b/2", &[("p", int(2)), ("tag", int(0))]),
        view("b/3", &[("p", int(3))]),
        view("c/10.0.0.1", &[("z", int(9)), ("b", links(&["b/3", "b/4"]))]),
    ])
}

#[test]
fn each_form_of_link_is_followed() {
    let group = group();
    assert_eq!(outline(&seen(&group, "a/1", "a", "b->tag", "")), "a/1(b) b/1(tag)");
    assert_eq!(outline(&seen(&group, "a/1", "a", "bs->p", "")), "a/1(bs) b/1(p) b/2(p)");
    // Several values with data: both stand in the root, and their targets beside it.
    assert_eq!(outline(&seen(&group, "a/1", "a", "ob->p", "")), "a/1(ob,ob) b/2(p) b/3(p)");
    assert_eq!(outline(&seen(&group, "a/1", "a", "b->c->z, p", "q")), "a/1(p,q,b) b/1(c) c/10.0.0.1(z)");
    // A list inside of a list; b/4 is not of the group.
    assert_eq!(outline(&seen(&group, "b/1", "b", "c->b->p", "")), "b/1(c) c/10.0.0.1(b) b/3(p)");
    // A link at the end of a path is a value and leads nowhere.
    assert_eq!(outline(&seen(&group, "a/1", "a", "b", "")), "a/1(b)");
}

/// In DP³ a component with such a value is lost.
#[test]
fn bug_mirrors_are_followed() {
    assert_eq!(outline(&seen(&group(), "b/1", "b", "as->p", "")), "b/1(as) a/1(p) a/2(p)");
    assert_eq!(outline(&seen(&group(), "a/2", "a", "b->as->q", "")), "a/2(b) b/1(as) a/1(q)");
}

/// Where a path comes back, what it names of the root is in the root, and the root is not linked.
#[test]
fn the_root_is_never_linked() {
    assert_eq!(outline(&seen(&group(), "a/1", "a", "b->as->q", "")), "a/1(q,b) b/1(as) a/2()");
    assert_eq!(outline(&seen(&group(), "a/2", "a", "a2->p, b->as->b->tag", "")), "a/2(b,a2) b/1(as,tag) a/1(p,b)");
}

#[test]
fn paths_of_may_change_are_seen_and_the_whole_root_on_demand() {
    let group = group();
    assert_eq!(outline(&seen(&group, "a/1", "a", "", "b->p")), "a/1(b) b/1(p)");
    let (module, mut subscription) = correlate(("m/h", "a", "b->p", ""));
    if let tenter_model::hook::Moment::Correlate(c) = &mut subscription.moment {
        c.whole = true;
    }
    let plan = tenter_model::snapshot::plan::Plan::new(&schema(), [(&module, &subscription)]).unwrap();
    let found = group.view(&entity("a/1"), &plan.steps[0]).unwrap();
    assert_eq!(outline(&found), "a/1(p,q,b,bs,ob,ob) b/1(p)");
    assert!(group.view(&entity("a/9"), &plan.steps[0]).is_none());
    assert_eq!(group.entity_view(&entity("b/3")), Some(view("b/3", &[("p", int(3))])));
    assert_eq!(group.entity_view(&entity("b/4")), None);
}

/// An entity without component: links lead nowhere, the hook runs all the same, also without the value that it reads.
#[test]
fn an_entity_alone_is_seen_alone() {
    let group = Group::new([view("a/1", &[("b", link("b/1"))])]);
    assert_eq!(outline(&seen(&group, "a/1", "a", "b->p, q", "")), "a/1(b)");
}

/// A value of an older specification that links to another type than the path expects.
#[test]
fn links_to_another_type_end_there() {
    let group = Group::new([view("a/1", &[("b", link("c/10.0.0.1"))]), view("c/10.0.0.1", &[("b", links(&[]))])]);
    assert_eq!(outline(&seen(&group, "a/1", "a", "b->as", "")), "a/1(b)");
}

/// All (entity, attribute) that paths name, each path walked alone, with every way along it.
fn slow_seen(group: &Group, root: &EntityRef, paths: &[Vec<&str>]) -> BTreeMap<EntityRef, BTreeSet<String>> {
    fn walk(group: &Group, at: &EntityRef, path: &[&str], out: &mut BTreeMap<EntityRef, BTreeSet<String>>) {
        let Some(view) = group.get(at) else { return };
        let named = out.entry(at.clone()).or_default();
        let [attr, rest @ ..] = path else { return };
        let values: Vec<_> = view.values_of(attr).collect();
        if !values.is_empty() {
            named.insert((*attr).to_owned());
        }
        if rest.is_empty() {
            return;
        }
        for link in values.iter().flat_map(|v| v.value.links()) {
            walk(group, &link.target, rest, out);
        }
    }
    let mut out = BTreeMap::new();
    paths.iter().for_each(|path| walk(group, root, path, &mut out));
    out
}

#[test]
fn views_are_those_of_the_slow_way() {
    const STEPS: [&[(&str, &str)]; 3] =
        [&[("b", "b"), ("bs", "b"), ("a2", "a")], &[("c", "c"), ("as", "a")], &[("b", "b")]];
    const LAST: [&[&str]; 3] = [&["p", "q", "b"], &["tag", "as"], &["z", "b"]];
    let place = |etype: &str| ["a", "b", "c"].iter().position(|t| *t == etype).unwrap();
    let id = |etype: &str, n: usize| if etype == "c" { format!("c/10.0.0.{n}") } else { format!("{etype}/{n}") };
    cases("views", |random| {
        let per_type = 2 + random.below(3);
        let mut views = Vec::new();
        for etype in ["a", "b", "c"] {
            for n in 0..per_type {
                let mut values = Vec::new();
                for attr in LAST[place(etype)] {
                    if random.chance(2) && !STEPS[place(etype)].iter().any(|(link, _)| link == attr) {
                        values.push((*attr, int(1)));
                    }
                }
                for (attr, to) in STEPS[place(etype)] {
                    let targets: Vec<String> = (0..random.below(3)).map(|_| id(to, random.below(4))).collect();
                    values.push((*attr, links(&targets.iter().map(String::as_str).collect::<Vec<_>>())));
                }
                views.push(view(&id(etype, n), &values));
            }
        }
        let group = Group::new(views);
        let mut chosen = Vec::new();
        for _ in 0..2 + random.below(3) {
            let (mut at, mut path) = ("a", Vec::new());
            for _ in 0..1 + random.below(4) {
                let (attr, to) = STEPS[place(at)][random.below(STEPS[place(at)].len())];
                path.push(attr);
                at = to;
            }
            path.push(LAST[place(at)][random.below(LAST[place(at)].len())]);
            chosen.push(path);
        }
        let text = chosen.iter().map(|p| p.join("->")).collect::<Vec<_>>().join(",");
        let found = seen(&group, "a/0", "a", &text, "");
        let names = |v: &EntityView| v.values.iter().map(|c| c.attr.to_string()).collect::<BTreeSet<_>>();
        let mut all = BTreeMap::from([(found.root.entity.clone(), names(&found.root))]);
        for linked in &found.linked {
            assert!(all.insert(linked.entity.clone(), names(linked)).is_none(), "twice: {}", linked.entity);
        }
        assert_eq!(all, slow_seen(&group, &entity("a/0"), &chosen), "{text} in {group:?}");
        all.len() > 2
    });
}

#[test]
fn views_of_long_chains_and_large_groups() {
    let views = |len: usize| {
        (0..len).map(move |i| {
            let next = format!("a/{}", (i + 1) % len);
            view(&format!("a/{i}"), &[("p", int(1)), ("a2", link(&next))])
        })
    };
    let (chain, large) = (Group::new(views(1000)), Group::new(views(10_000)));
    let path = format!("{}p", "a2->".repeat(999));
    assert_eq!(seen(&chain, "a/0", "a", &path, "").linked.len(), 999);
    // Longer than the cycle: round and round, each entity once.
    let path = format!("{}p", "a2->".repeat(2500));
    assert_eq!(seen(&chain, "a/0", "a", &path, "").linked.len(), 999);
    let plan = planned(&[("m/h", "a", "a2->p", "q")]).unwrap();
    let start = Instant::now();
    let total: usize = large.views().iter().map(|v| large.view(&v.entity, &plan.steps[0]).unwrap().linked.len()).sum();
    println!("views of 10000 entities: {:?}", start.elapsed());
    assert_eq!(total, 10_000, "a view holds what its paths reach, not the component");
}
