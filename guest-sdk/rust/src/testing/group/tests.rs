use super::*;
use serde_json::json;

fn group() -> Group {
    Group::new(json!({
        "ip/192.0.2.1": {
            "label": "x", "seen": {"v": "2026-01-01T00:00:00Z", "as": "time"},
            "ports": [22, 80], "ports#c": [1.0, 0.5],
            "site": link("site/a"), "site#c": 0.5,
        },
        "site/a": {"name": "north", "ips": [link("ip/192.0.2.1")], "owner": link("person/p"), "set": [1, 2]},
        "person/p": {"name": "P", "phone": "5"},
    }))
}

#[test]
fn values_have_the_form_of_current_values() {
    let group = group();
    let ip = group.entity("ip/192.0.2.1");
    assert_eq!(ip.values::<i64>("ports").collect::<Vec<_>>(), [22, 80]);
    assert_eq!((ip.weighted::<&EntityRef>("site").map(|(_, c)| c), ip.confidence("label")), (Some(0.5), None));
    assert!(ip.value::<crate::Timestamp>("seen").is_some());
    assert_eq!(group.entity("site/a").value::<Vec<i64>>("set"), Some(vec![1, 2]), "a list without #c is an array");
    group.expect(json!({"ip/192.0.2.1": {"ports": [22, 80], "ports#c": [1, 0.5], "absent": null}, "site/a": {}}));
}

#[test]
fn a_view_has_what_the_paths_name_and_no_more() {
    let group = group();
    let view = group.view("ip/192.0.2.1", &["site.owner.name", "site.ips.label", "ports"]);
    let seen = |e: &EntityView| (e.entity.to_string(), e.values.iter().map(|v| v.attr.clone()).collect::<Vec<_>>());
    assert_eq!(seen(&view.root).1, ["label", "ports", "ports", "site"], "the root is reached over a link too");
    let linked: Vec<_> = view.linked.iter().map(|e| (seen(e).0, seen(e).1.join(" "))).collect();
    assert_eq!(linked, [("site/a".into(), "ips owner".into()), ("person/p".into(), "name".to_owned())]);
    let site = view.follow("site").next().unwrap();
    assert_eq!(view.follow_from(site, "owner").next().unwrap().value("name"), Some("P"));
}

#[test]
fn changes_replace() {
    let mut group = group();
    let view = group.view("ip/192.0.2.1", &["site.name"]);
    let site = view.follow("site").next().unwrap();
    let changes = view
        .changes()
        .replace("ports", [(443.into(), Some(0.5)), (80.into(), None)])
        .remove("label")
        .set_on(site, "name", "south")
        .set_weighted("risk", 1, 0.25);
    group.apply(&changes.into());
    group.expect(json!({
        "ip/192.0.2.1": {"ports": [443, 80], "ports#c": [0.5, null], "label": null, "risk": 1, "risk#c": 0.25},
        "site/a": {"name": "south"},
    }));
}

#[test]
#[should_panic(expected = ".ip/192.0.2.1.label: expected null, is \"x\"")]
fn an_attribute_that_should_be_absent_is_found() {
    group().expect(json!({"ip/192.0.2.1": {"label": null}}));
}

#[test]
#[should_panic(expected = "ip/a: ports: expected as many values as confidences")]
fn what_is_wrong_is_named() {
    drop(Group::new(json!({"ip/a": {"ports": 5, "ports#c": [1.0]}})));
}
