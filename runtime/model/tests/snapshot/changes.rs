//! What becomes of what hooks return.

use insta::assert_snapshot;
use serde_json::json;
use tenter_model::id::EntityId;
use tenter_model::snapshot::change::{self, Checked};
use tenter_model::snapshot::fold::{fold, stored_datapoints};
use tenter_model::snapshot::group::Group;
use tenter_model::value::{Column, Series};
use tenter_model::view::{Change, EntityView};
use tenter_model::{DataPoint, EntityRef, Scalar, TaskBody, Timestamp, Value};

use crate::support::*;

fn change(of: &str, attr: &str, values: Vec<(Value, Option<f64>)>) -> Change {
    Change { entity: entity(of), attr: name(attr), values }
}

fn group() -> Group {
    Group::new([
        view("a/1", &[("p", int(1)), ("b", link("b/7"))]),
        view("b/7", &[("p", int(1)), ("tag", Value::Scalar(Scalar::Text("x".into())))]),
        view("b/8", &[]),
    ])
}

/// Checks changes of a hook for a/1 that reads `b->tag, b->c->z` and declares `p` and `b->p`.
fn checked(changes: Vec<Change>, strict: bool) -> Result<Checked, String> {
    let plan = planned(&[("m/h", "a", "b->tag", "p, b->p")]).unwrap();
    let seen = group().view(&entity("a/1"), &plan.steps[0]).unwrap();
    let errors = change::check(&schema(), &plan.steps[0], &seen, changes, strict);
    errors.map_err(|list| list.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn refused(changes: Vec<Change>) -> String {
    checked(changes, false).unwrap_err()
}

fn applied(changes: Vec<Change>) -> Group {
    let mut group = group();
    group.apply(&schema(), checked(changes, false).unwrap());
    group
}

fn shown(view: &EntityView) -> serde_json::Value {
    schema().snapshot_json(view, Timestamp(0), false)
}

#[test]
fn refusals_name_the_change() {
    assert_snapshot!(refused(vec![change("b/8", "p", vec![])]), @"changes[0].entity: b/8 is neither the root (a/1) nor linked to it by a path of the subscription; return a task for it, or name a path to it in `may-change`");
    assert_snapshot!(refused(vec![change("nothing/8", "p", vec![])]), @"changes[0].entity: Entity type 'nothing' doesn't exist");
    assert_snapshot!(refused(vec![change("b/seven", "p", vec![])]), @r#"changes[0].entity: expected an integer, found "seven""#);
    assert_snapshot!(refused(vec![change("a/1", "ts", vec![])]), @"changes[0].attr: 'a.ts' is a timeseries, which has no current value; return a task for it");
    assert_snapshot!(refused(vec![change("a/1", "eid", vec![])]), @"changes[0].attr: 'eid' is a name of the document itself; choose another");
    assert_snapshot!(refused(vec![change("a/1", "p", vec![(int(1), None), (int(2), None)])]), @"changes[0].values: 'a.p' takes one value, found 2");
    let bad = vec![
        change("a/1", "p", vec![(int(1), None)]),
        change("a/1", "m", vec![(int(1), Some(0.5)), (int(2), Some(1.5)), (int(3), Some(f64::NAN))]),
        change("b/7", "tag", vec![(int(3), None)]),
    ];
    assert_snapshot!(refused(bad), @r"
    changes[1].values[1].confidence: expected a confidence from 0 to 1, found 1.5
    changes[1].values[2].confidence: expected a confidence from 0 to 1, found NaN
    changes[2].values[0].v: expected text, found the integer 3
    ");
}

/// DP³ stores whatever a hook leaves in the dictionary, of whatever type.
#[test]
fn values_are_brought_to_their_types() {
    let text = |t: &str| Value::Scalar(Scalar::Text(t.into()));
    let group = applied(vec![
        change("a/1", "m", vec![(int(1), None), (int(2), Some(0.5))]),
        change("a/1", "p", vec![(int(4), Some(0.1))]),
        change("a/1", "b", vec![(link("b/07"), None)]),
        change("a/1", "unheard-of", vec![(text("x"), None), (int(1), None)]),
        // An id in another spelling is the same entity.
        change("b/+7", "p", vec![(int(8), None)]),
    ]);
    let found = shown(group.get(&entity("a/1")).unwrap());
    let expected = json!({
        "eid": "1", "p": 4, "m": [1, 2], "m#c": [1.0, 0.5], "b": {"eid": 7}, "unheard-of": ["x", 1],
        "_time_created": "1970-01-01T00:00:00Z",
    });
    assert_eq!(found, expected);
    assert_eq!(shown(group.get(&entity("b/7")).unwrap())["p"], 8);
}

#[test]
fn declared_changes_come_first_and_others_are_told_once() {
    let changes = vec![
        change("a/1", "q", vec![(int(1), None)]),
        change("a/1", "q", vec![(int(2), None)]),
        change("b/7", "p", vec![(int(3), None)]),
        change("a/1", "p", vec![(int(4), None)]),
    ];
    let found = checked(changes.clone(), false).unwrap();
    let order: Vec<String> = found.changes().iter().map(|c| format!("{}.{}", c.entity, c.attr)).collect();
    assert_eq!(order, ["b/7.p", "a/1.p", "a/1.q", "a/1.q"]);
    assert_eq!(found.undeclared, [(name("a"), name("q"))]);
    // The later one of two changes stands.
    assert_eq!(shown(applied(changes.clone()).get(&entity("a/1")).unwrap())["q"], 2);
    assert_snapshot!(checked(changes, true).unwrap_err(), @r"
    changes[0].attr: 'a.q' is not in `may-change` of hook m/h, which is strict; declare it
    changes[1].attr: 'a.q' is not in `may-change` of hook m/h, which is strict; declare it
    ");
}

#[test]
fn attributes_keep_the_order_of_the_specification() {
    let attrs = |group: &Group| -> Vec<String> {
        group.get(&entity("a/1")).unwrap().values.iter().map(|v| v.attr.to_string()).collect()
    };
    let group = applied(vec![
        change("a/1", "new", vec![(int(0), None)]),
        change("a/1", "m", vec![(int(1), None), (int(2), None)]),
        change("a/1", "a2", vec![(link("a/2"), None)]),
        change("a/1", "q", vec![(int(1), None)]),
        change("a/1", "newer", vec![(int(0), None)]),
    ]);
    assert_eq!(attrs(&group), ["p", "q", "m", "m", "b", "a2", "new", "newer"]);
    let mut group = group;
    group.apply(&schema(), checked(vec![change("a/1", "p", vec![]), change("a/1", "none", vec![])], false).unwrap());
    assert_eq!(attrs(&group), ["q", "m", "m", "b", "a2", "new", "newer"], "an empty list removes");
}

fn dp(attr: &str, value: Value, t1: Option<i64>) -> DataPoint {
    let t1 = t1.map(Timestamp);
    DataPoint { attr: name(attr), value, src: None, t1, t2: t1, confidence: t1.map(|_| 1.0) }
}

fn task(of: &str, datapoints: Vec<DataPoint>) -> TaskBody {
    TaskBody { datapoints, ..TaskBody::new(entity(of)) }
}

/// DP³ compares the type alone: what a hook said about another entity of the type landed in this one.
#[test]
fn bug_only_tasks_of_the_same_entity_are_folded() {
    let mut stored = record(vec![]);
    let same_id = EntityRef { etype: name("c"), eid: EntityId::new("1").unwrap() };
    let tasks = [
        task("a/2", vec![dp("p", int(2), None)]),
        TaskBody { datapoints: vec![dp("p", int(3), None)], ..TaskBody::new(same_id) },
        TaskBody { delete: true, ..task("a/1", vec![dp("p", int(4), None)]) },
        task("a/1", vec![dp("q", int(5), None)]),
    ];
    assert_eq!(fold(&mut stored, &entity("a/1"), &tasks, Timestamp(9)), 1);
    assert_eq!(stored.attributes.keys().map(ToString::to_string).collect::<Vec<_>>(), ["q"]);
}

/// In DP³ this raises for plain attributes and for histories that exist, and the component is lost.
#[test]
fn bug_plain_values_and_existing_histories_take_part_in_folding() {
    use tenter_model::record::History;
    let before = vec![point(0, 5, 1, 1.0)];
    let mut stored = record(vec![("p", plain(int(1))), ("o", History::Observations(before))]);
    let chunk = Value::Chunk(vec![Series { name: "n".into(), column: Column::Ints(vec![1]) }]);
    let tasks = [
        task("a/1", vec![dp("p", int(2), None), dp("o", int(3), Some(7))]),
        task("a/1", vec![dp("m", int(4), Some(8)), dp("ts", chunk, Some(0))]),
    ];
    assert_eq!(fold(&mut stored, &entity("a/1"), &tasks, Timestamp(9)), 3);
    let points = |attr: &str| match stored.attributes.get(attr) {
        Some(History::Observations(points)) => points.iter().map(|p| p.t1.0).collect(),
        _ => Vec::new(),
    };
    assert_eq!(stored.attributes.get("p"), Some(&History::Plain { value: int(2), updated: Timestamp(9) }));
    assert_eq!((points("o"), points("m")), (vec![0, 7], vec![8]));
    assert!(!stored.attributes.contains_key("ts"), "a timeseries has no current value to show it");
}

/// DP³ hands an attribute hook an empty task instead of a datapoint.
#[test]
fn bug_a_refresh_gives_attribute_hooks_what_is_stored() {
    use tenter_model::record::{Chunk, History};
    let schema = schema();
    let chunk = |t1: i64| Chunk {
        t1: Timestamp(t1),
        t2: Timestamp(t1 + 10),
        series: vec![Series { name: "n".into(), column: Column::Ints(vec![t1]) }],
    };
    let points = vec![point(0, 5_000_000, 1, 1.0), point(0, 90_000_000, 2, 0.5), point(50_000_000, 60_000_000, 3, 1.0)];
    let stored = record(vec![
        ("p", plain(int(1))),
        ("o", History::Observations(points)),
        ("ts", History::Timeseries(vec![chunk(0), chunk(20), chunk(10)])),
    ]);
    let given = |attr: &str| {
        let found = stored_datapoints(schema.attribute("a", attr).unwrap(), &stored, Timestamp(45_000_000));
        found.into_iter().map(|dp| (dp.t1.map(|t| t.0), dp.confidence, dp.value)).collect::<Vec<_>>()
    };
    assert_eq!(given("p"), [(None, None, int(1))]);
    assert_eq!(given("o"), [(Some(0), Some(0.5), int(2)), (Some(50_000_000), Some(1.0), int(3))]);
    assert_eq!(given("ts"), [(Some(20), None, Value::Chunk(chunk(20).series))]);
    assert_eq!(given("q"), []);
}

#[test]
fn plain_datapoints_of_a_refresh_enter_the_document() {
    let tasks = [
        task("a/1", vec![dp("p", int(2), None), dp("o", int(3), Some(7)), dp("q", int(4), None)]),
        task("a/2", vec![dp("p", int(9), None)]),
    ];
    let changes = change::of_refresh(&schema(), &entity("a/1"), &tasks);
    assert_eq!(changes, [change("a/1", "p", vec![(int(2), None)]), change("a/1", "q", vec![(int(4), None)])]);
}
