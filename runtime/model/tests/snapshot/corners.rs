//! The corner cases that the specification lists, with small hooks run over a group in the order of a plan.

use serde_json::json;
use tenter_model::Timestamp;
use tenter_model::record::{History, Observation};
use tenter_model::snapshot::change;
use tenter_model::snapshot::current::{current_values, drop_links_to_nothing, is_empty};
use tenter_model::snapshot::group::Group;
use tenter_model::snapshot::plan::Plan;
use tenter_model::value::Link;
use tenter_model::view::{Change, CurrentValue, EntityView, View};
use tenter_model::{Scalar, Value};

use crate::support::*;

/// Runs hooks over a group: each for all entities of its type before the next one.
fn run(plan: &Plan, group: &mut Group, hook: impl Fn(&str, &View) -> Vec<Change>) {
    for step in &plan.steps {
        let roots: Vec<_> = group.views().iter().map(|v| v.entity.clone()).filter(|e| e.etype == step.etype).collect();
        for root in roots {
            let view = group.view(&root, step).unwrap();
            let changes = hook(&step.hook.to_string(), &view);
            let checked = change::check(&schema(), step, &view, changes, true).unwrap();
            group.apply(&schema(), checked);
        }
    }
}

/// The value of an attribute of the entity that a link of the root leads to.
fn over(view: &View, attr: &str, then: &str) -> Option<Value> {
    let target = view.root.values_of(attr).next()?.value.links().first()?.target.clone();
    let linked = view.linked.iter().find(|v| v.entity == target)?;
    linked.values_of(then).next().map(|v| v.value.clone())
}

fn set(view: &View, attr: &str, value: Option<Value>) -> Vec<Change> {
    let values = value.map(|v| (v, None)).into_iter().collect();
    vec![Change { entity: view.root.entity.clone(), attr: name(attr), values }]
}

fn value(group: &Group, of: &str, attr: &str) -> Option<Value> {
    group.get(&entity(of)).unwrap().values_of(attr).next().map(|v| v.value.clone())
}

/// Corner case 2: two entities that link each other see what hooks gave the other one.
#[test]
fn entities_that_link_each_other_see_each_others_results() {
    let plan = planned(&[("m/back", "c", "b->tag", "z"), ("m/there", "b", "c->z, p", "tag")]);
    assert!(plan.is_err(), "each reads what the other one sets");
    let plan = planned(&[("m/back", "c", "b->p", "z"), ("m/there", "b", "c->c-only, p", "tag")]);
    assert!(plan.is_err());
    // A.data1 := B.data1, then B.data2 := A.data1.
    let plan = planned(&[("m/second", "a", "a2->p", "q"), ("m/first", "a", "a2->o", "p")]).unwrap();
    assert_eq!(order(&plan), ["m/first", "m/second"]);
    let mut group = Group::new([
        view("a/1", &[("o", int(1)), ("a2", link("a/2"))]),
        view("a/2", &[("o", int(2)), ("a2", link("a/1"))]),
    ]);
    run(&plan, &mut group, |hook, view| match hook {
        "m/first" => set(view, "p", over(view, "a2", "o")),
        _ => set(view, "q", over(view, "a2", "p")),
    });
    assert_eq!((value(&group, "a/1", "p"), value(&group, "a/1", "q")), (Some(int(2)), Some(int(1))));
    assert_eq!((value(&group, "a/2", "p"), value(&group, "a/2", "q")), (Some(int(1)), Some(int(2))));
}

/// Corner case 4: constants first, then copies, over two types, whatever the order of registration.
#[test]
fn what_one_hook_sets_the_next_one_forwards() {
    let hooks = [("m/copy", "c", "b->p", "z"), ("m/constant", "b", "", "p"), ("m/forward", "b", "c->z", "tag")];
    let plan = planned(&hooks).unwrap();
    assert_eq!(order(&plan), ["m/constant", "m/copy", "m/forward"]);
    let mut group =
        Group::new([view("b/1", &[("c", link("c/10.0.0.1"))]), view("c/10.0.0.1", &[("b", links(&["b/1"]))])]);
    run(&plan, &mut group, |hook, view| match hook {
        "m/constant" => set(view, "p", Some(int(42))),
        "m/copy" => set(view, "z", over(view, "b", "p")),
        _ => {
            let text = over(view, "c", "z").map(|v| Value::Scalar(Scalar::Text(format!("{v:?}"))));
            set(view, "tag", text)
        }
    });
    assert_eq!(value(&group, "c/10.0.0.1", "z"), Some(int(42)));
    assert_eq!(value(&group, "b/1", "tag"), Some(Value::Scalar(Scalar::Text("Scalar(Int(42))".into()))));
}

/// Corner case 5.
#[test]
fn a_hook_runs_without_the_value_it_reads() {
    let plan = planned(&[("m/h", "a", "p", "q")]).unwrap();
    let mut group = Group::new([view("a/1", &[])]);
    run(&plan, &mut group, |_, view| set(view, "q", Some(int(i64::from(view.root.values.is_empty())))));
    assert_eq!(value(&group, "a/1", "q"), Some(int(1)));
}

/// Corner cases 1 and 6: a target without a record has a document of its own, and its id is typed.
#[test]
fn a_target_without_record_is_an_identity() {
    let schema = schema();
    let sources = [(name("as"), vec![entity("a/x")])];
    let found = current_values(&schema, &entity("b/5"), None, &sources, Timestamp(7));
    let expected = json!({"eid": 5, "as": [{"eid": "x"}], "_time_created": "1970-01-01T00:00:00.000007Z"});
    assert_eq!(schema.snapshot_json(&found, Timestamp(7), false), expected);
    let bare = current_values(&schema, &entity("c/10.0.0.1"), None, &[], Timestamp(7));
    let expected = json!({"eid": "10.0.0.1", "_time_created": "1970-01-01T00:00:00.000007Z", "_partial": true});
    assert_eq!(schema.snapshot_json(&bare, Timestamp(7), true), expected);
    assert!(is_empty(&bare) && !is_empty(&found));
}

/// Corner case 9: exactly at the ends of the extended validity the confidence is 0.
#[test]
fn nothing_holds_exactly_at_the_ends() {
    let stored = record(vec![("o", History::Observations(vec![point(100_000_000, 200_000_000, 1, 1.0)]))]);
    let at = |time| {
        let found = current_values(&schema(), &entity("a/1"), Some(&stored), &[], Timestamp(time));
        found.values_of("o").next().and_then(|v| v.confidence)
    };
    assert_eq!((at(90_000_000), at(220_000_000)), (None, None));
    assert!(at(90_000_001).unwrap() < 1e-6 && at(219_999_999).unwrap() < 1e-6);
    assert_eq!((at(200_000_000), at(95_000_000), at(210_000_000)), (Some(1.0), Some(0.5), Some(0.5)));
}

/// Corner case 13, as documents: parallel lists of values and confidences, links with data.
#[test]
fn documents_have_the_form_of_dp3() {
    let schema = schema();
    let weighted = |to: &str, data: i64, confidence| {
        let value = Value::Link(Link { target: entity(to), data: Some(Box::new(int(data))) });
        Observation { t1: Timestamp(0), t2: Timestamp(9), value, confidence }
    };
    let stored = record(vec![
        ("p", plain(int(1))),
        ("o", History::Observations(vec![point(0, 9, 5, 0.8)])),
        ("m", History::Observations(vec![point(0, 9, 5, 0.25)])),
        ("ob", History::Observations(vec![weighted("b/1", 10, 1.0), weighted("b/2", 20, 0.5)])),
        ("bs", plain(links(&["b/3", "b/1"]))),
        ("ts", History::Timeseries(Vec::new())),
        ("gone", plain(int(1))),
    ]);
    let found = current_values(&schema, &entity("a/1"), Some(&stored), &[], Timestamp(5));
    insta::assert_snapshot!(schema.snapshot_json(&found, Timestamp(5), false), @r#"{"_time_created":"1970-01-01T00:00:00.000005Z","bs":[{"eid":3},{"eid":1}],"eid":"1","m":[5],"m#c":[0.25],"o":5,"o#c":0.8,"ob":[{"data":10,"eid":1},{"data":20,"eid":2}],"ob#c":[1.0,0.5],"p":1}"#);
    // Views are stored and read again as they are.
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<EntityView>(&text).unwrap(), found);
}

/// `keep_empty: false`: links to what does not exist go, with their confidences.
#[test]
fn without_keep_empty_links_to_nothing_go() {
    let schema = schema();
    let weighted = |to: &str| CurrentValue {
        attr: name("ob"),
        value: Value::Link(Link { target: entity(to), data: Some(Box::new(int(0))) }),
        confidence: Some(1.0),
    };
    let mut given =
        view("a/1", &[("p", int(1)), ("b", link("b/9")), ("bs", links(&["b/9", "b/1"])), ("a2", link("a/9"))]);
    given.values.extend([weighted("b/1"), weighted("b/9")]);
    let kept = |unused: &str, given: &EntityView| {
        let mut view = given.clone();
        let exists = |e: &tenter_model::EntityRef| e.eid.as_str() == "1";
        drop_links_to_nothing(&schema, &mut view, |attr| attr.as_str() != unused, exists);
        view.values.iter().map(|v| format!("{}:{}", v.attr, v.value.links().len())).collect::<Vec<_>>()
    };
    // A list stays whole while one of its targets exists; a link that no hook uses is left alone.
    assert_eq!(kept("a2", &given), ["p:0", "bs:2", "a2:1", "ob:1"]);
    assert_eq!(kept("", &view("a/1", &[("bs", links(&["b/8", "b/9"]))])), Vec::<String>::new());
    // A mirror is always there.
    assert_eq!(kept("", &view("b/1", &[("as", links(&["a/9", "a/1"]))])), ["as:1"]);
    assert_eq!(kept("", &view("b/1", &[("as", links(&["a/9"]))])), ["as:0"]);
}
