use super::*;
use crate::task::Task;
use crate::testing::{Group, host, json, link};
use crate::value::Link;

fn entity(etype: &str, eid: &str, values: &[(&str, Value, Option<f64>)]) -> EntityView {
    let values = values
        .iter()
        .map(|(a, v, c)| CurrentValue { attr: (*a).to_owned(), value: v.clone(), confidence: *c })
        .collect();
    EntityView { entity: EntityRef::new(etype, eid), values }
}

fn view() -> View {
    let (ip, site) = (EntityRef::new("ip", "192.0.2.1"), EntityRef::new("site", "a"));
    let elsewhere = EntityRef::new("site", "not-loaded");
    let root = [
        ("site", Value::from(&site), Some(0.5)),
        ("site", Value::from(&elsewhere), Some(1.0)),
        ("ports", 22.into(), Some(0.9)),
        ("ports", 80.into(), Some(0.2)),
        ("label", "x".into(), None),
        ("sites", vec![site.clone(), elsewhere].into(), None),
        ("owner", Link::with(EntityRef::new("site", "a"), 5).into(), None),
    ];
    let site = entity("site", "a", &[("name", "north".into(), None), ("ips", vec![ip].into(), None)]);
    View { root: entity("ip", "192.0.2.1", &root), linked: vec![site] }
}

#[test]
fn links_of_every_form_are_followed_also_back_to_the_root() {
    let view = view();
    for attr in ["site", "sites", "owner"] {
        let found: Vec<_> = view.follow(attr).map(|site| site.value::<&str>("name")).collect();
        assert_eq!(found, [Some("north")], "{attr}: one is loaded, and no other");
    }
    assert_eq!(view.root.targets("site").map(|e| e.eid.as_str()).collect::<Vec<_>>(), ["a", "not-loaded"]);
    let site = view.follow("site").next().unwrap();
    assert_eq!(view.follow_from(site, "ips").next().map(|e| &e.entity), Some(view.entity()));
    assert_eq!(view.follow("label").count() + view.follow("absent").count(), 0);
}

#[test]
fn what_is_followed_is_what_is_found_in_whatever_order_it_is_loaded() {
    let site = |n: usize| EntityRef::new("site", n.to_string());
    let orders: [&dyn Fn(usize) -> usize; 3] = [&|n| n, &|n| 99 - n, &|n| (n * 37) % 100];
    for order in orders {
        // Every third is not loaded, and links lead back to the root in between.
        let linked = (0..100).map(order).filter(|n| n % 3 > 0).map(|n| entity("site", &n.to_string(), &[]));
        let mut targets: Vec<EntityRef> = (0..100).map(site).collect();
        targets.insert(50, EntityRef::new("ip", "1"));
        let root = entity("ip", "1", &[("sites", targets.clone().into(), None)]);
        let view = View { root, linked: linked.collect() };
        let followed: Vec<_> = view.follow("sites").map(|e| &e.entity).collect();
        let found: Vec<_> = targets.iter().filter_map(|target| view.find(target)).map(|e| &e.entity).collect();
        assert_eq!(followed, found);
        assert_eq!(found.len(), 67);
    }
}

#[test]
fn a_walk_goes_beyond_the_view_and_holds_each_entity_once() {
    let group = Group::new(json!({
        "ip/1": {"sites": [link("site/a"), link("site/b"), link("site/gone")]},
        "site/a": {"name": "A", "owner": link("person/p")},
        "site/b": {"name": "B", "owner": link("person/p")},
        "person/p": {"name": "P", "home": link("ip/1")},
    }));
    host(|h| h.views = group.entities().to_vec());
    let view = group.view("ip/1", &["sites.name"]);
    let found = |path: &str| view.walk(path).unwrap().iter().map(|e| e.entity.to_string()).collect::<Vec<_>>();
    assert_eq!(found("sites"), ["site/a", "site/b"]);
    assert_eq!(found("sites.owner"), ["person/p"], "the owner is not in the view, nor the link to it");
    assert_eq!(found("sites.owner.home"), ["ip/1"]);
    assert_eq!(view.walk("sites.owner").unwrap()[0].value("name"), Some("P"));
    assert_eq!(found("absent.owner"), Vec::<String>::new());
    host(|h| h.denied.insert("read-entities".into()));
    assert_eq!(found("sites"), ["site/a", "site/b"], "what the view holds needs no grant");
    assert_eq!(found("sites.owner"), Vec::<String>::new());
}

#[test]
fn values_are_read_with_their_confidence() {
    let view = view();
    assert_eq!(view.weighted::<i64>("ports"), Some((22, 0.9)));
    assert_eq!(view.values::<u16>("ports").collect::<Vec<_>>(), [22, 80]);
    assert_eq!((view.confidence("ports"), view.confidence("label")), (Some(0.9), None));
    assert_eq!(view.weighted::<&str>("label"), Some(("x", 1.0)));
    assert_eq!(view.value::<i64>("label"), None, "of another kind");
    assert!(view.root.has("label") && !view.root.has("absent"));
}

#[test]
fn changes_name_the_entity_they_are_about() {
    let view = view();
    let site = view.follow("site").next().unwrap();
    let changes = view
        .changes()
        .set("site_name", "north")
        .set_weighted("risk", 0.5, 0.75)
        .replace("ports", [(22.into(), Some(1.0)), (443.into(), None)])
        .remove("label")
        .set_on(site, "used", true)
        .set_weighted_on(site, "load", 2, 0.5)
        .remove_on(site, "name")
        .task(Task::of("ip", "192.0.2.1").plain("label", "x"));
    let Correlated { changes, tasks } = changes.into();
    let told: Vec<_> = changes.iter().map(|c| (c.entity.etype.as_str(), c.attr.as_str(), c.values.len())).collect();
    assert_eq!(
        told,
        [
            ("ip", "site_name", 1),
            ("ip", "risk", 1),
            ("ip", "ports", 2),
            ("ip", "label", 0),
            ("site", "used", 1),
            ("site", "load", 1),
            ("site", "name", 0),
        ]
    );
    assert_eq!(changes[1].values[0].confidence, Some(0.75));
    assert_eq!(changes[4].entity, site.entity);
    assert_eq!(tasks.len(), 1);
}

#[test]
fn a_hook_may_return_less() {
    assert_eq!(().into_correlated(), Ok(Correlated::nothing()));
    assert_eq!(None::<Changes>.into_correlated(), Ok(Correlated::nothing()));
    let task = Task::of("ip", "a").plain("b", 1);
    assert_eq!(Ok(task.clone()).into_correlated().map(|c| c.tasks), Ok(vec![task.clone()]));
    assert_eq!(vec![task.clone(), task].into_correlated().map(|c| c.tasks.len()), Ok(2));
}
