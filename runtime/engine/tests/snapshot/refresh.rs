//! Hooks of ingestion that are called again: after a change of configuration, and for a whole type.

use serde_json::json;
use tenter_engine::SnapshotError;
use tenter_model::hook::Moment;
use tenter_model::module::LoadedModule;
use tenter_model::{Schema, TaskBody, Timestamp};

use crate::support::*;

fn things() -> Schema {
    schema(&["entity: {id: e, name: e, snapshot: true, id_data_type: string}
attribs:
  x: {name: x, type: plain, data_type: string}
  y: {name: y, type: plain, data_type: string}
  z: {name: z, type: plain, data_type: string}
  o: {name: o, type: observations, data_type: string, multi_value: true, history_params: {post_validity: 1d}}
  flows: {name: f, type: timeseries, timeseries_type: regular, timeseries_params: {max_age: 7d, time_step: 10m}, series: {n: {data_type: int}}}
"])
}

fn on_attribute(attr: &str, may_change: &str) -> Moment {
    Moment::OnNewAttribute {
        etype: "e".parse().unwrap(),
        attr: attr.parse().unwrap(),
        refresh: true,
        may_change: paths(&[may_change]),
    }
}

fn on_creation(may_change: &str) -> Moment {
    Moment::OnEntityCreation { etype: "e".parse().unwrap(), refresh: true, may_change: paths(&[may_change]) }
}

fn configured(name: &str, moments: Vec<Moment>, config: serde_json::Value) -> LoadedModule {
    let mut module = module(name, moments);
    module.settings.config = config;
    module
}

fn modules(config: &str) -> Vec<LoadedModule> {
    vec![
        configured("m", vec![on_attribute("x", "y")], json!({"word": config})),
        module("after", vec![correlate("e", &["y"], &["z"])]),
    ]
}

/// The hook sets `y` from `x` and the configuration; another one reads `y` in the same run.
fn play(bench: &Bench) {
    bench.host.on("m", |seen| {
        let word = seen.call.module.settings.config["word"].as_str().unwrap();
        let value = shown(&seen.datapoint.unwrap().value);
        Answer::tasks(vec![task(&format!("e/{}", seen.entity.unwrap().eid), &[("y", &format!("{word} {value}"))])])
    });
    bench.host.on("after", |seen| seen.set("z", &format!("saw {}", seen.own("y").unwrap_or_default())));
}

#[test]
fn the_run_after_a_change_of_configuration_calls_refresh_hooks_again() {
    let bench = Bench::with(things(), modules("old"), 1);
    play(&bench);
    bench.feed(vec![task("e/1", &[("x", "a")]), task("e/2", &[("z", "-")])]);
    bench.run();
    assert_eq!(bench.doc("e/1").unwrap()["y"], "old a");
    assert!(bench.host.calls().iter().all(|c| !c.contains("again")), "{:?}", bench.host.calls());

    bench.engine.registry().swap(registry(modules("new")));
    bench.host.forget();
    bench.run();
    let doc = bench.doc("e/1").unwrap();
    assert_eq!(
        (&doc["y"], &doc["z"]),
        (&json!("new a"), &json!("saw new a")),
        "in this very document, before its readers"
    );
    let again: Vec<String> = bench.host.calls().into_iter().filter(|c| c.contains("again")).collect();
    assert_eq!(again, ["m on-new-attribute again e/1 x"], "an entity without the attribute has nothing to call for");
    // The tasks went through the queue as well.
    bench.settle();
    bench.host.forget();
    bench.run();
    assert_eq!(bench.doc("e/1").unwrap()["y"], "new a");
    assert!(bench.host.calls().iter().all(|c| !c.contains("again")), "once");
}

/// The change is noticed by comparing with the run before, so it may happen while the server is down.
#[test]
fn a_change_while_the_server_was_down_is_noticed() {
    let before = Bench::with(things(), modules("old"), 1);
    play(&before);
    before.feed(vec![task("e/1", &[("x", "a")])]);
    before.run();
    before.engine.drain();
    let after = Bench::over(before.store.clone(), before.clock.clone(), things(), modules("new"), 1);
    play(&after);
    after.run();
    assert_eq!(after.doc("e/1").unwrap()["y"], "new a");
}

#[test]
fn an_operator_can_ask_for_it() {
    let bench = Bench::with(things(), modules("old"), 1);
    play(&bench);
    bench.feed(vec![task("e/1", &[("x", "a")])]);
    bench.run();
    bench.engine.refresh_module(&name("m")).unwrap();
    bench.engine.refresh_module(&name("nobody")).unwrap();
    for calls in [1, 0] {
        bench.host.forget();
        bench.run();
        assert_eq!(bench.host.calls().iter().filter(|c| c.contains("again")).count(), calls);
    }
}

/// 5.4: what a hook is given for each kind of attribute.
#[test]
fn bug_refreshed_attribute_hooks_get_stored_values() {
    let modules = |word: &str| {
        let moments = vec![on_attribute("x", "y"), on_attribute("o", "y"), on_attribute("flows", "z")];
        vec![configured("m", moments, json!({"word": word}))]
    };
    let bench = Bench::with(things(), modules("old"), 1);
    let now = 1_700_000_000_000_000;
    let chunk = |from: i64, n: i64| tenter_model::DataPoint {
        attr: "flows".parse().unwrap(),
        value: tenter_model::Value::Chunk(vec![tenter_model::value::Series {
            name: "n".into(),
            column: tenter_model::value::Column::Ints(vec![n]),
        }]),
        src: None,
        t1: Some(Timestamp(from)),
        t2: Some(Timestamp(from + 600_000_000)),
        confidence: None,
    };
    let mut body = task("e/1", &[("x", "plain")]);
    let long_ago = now - 9 * 86_400_000_000;
    body.datapoints.extend([observed("o", "over", long_ago, long_ago), observed("o", "one", now, now)]);
    body.datapoints.extend([
        observed("o", "two", now, now),
        chunk(now - 9_000_000_000, 1),
        chunk(now - 6_000_000_000, 2),
    ]);
    bench.feed(vec![body]);
    bench.run();
    bench.engine.registry().swap(registry(modules("new")));
    let given = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen_by_hook = given.clone();
    bench.host.on("m", move |seen| {
        let dp = seen.datapoint.unwrap();
        let value = match &dp.value {
            tenter_model::Value::Chunk(series) => format!("{:?}", series[0].column),
            other => shown(other),
        };
        seen_by_hook.lock().unwrap().push(format!("{} {value}", dp.attr));
        Answer::nothing()
    });
    bench.run();
    let mut given = given.lock().unwrap().clone();
    given.sort();
    assert_eq!(given, ["flows Ints([2])", "o one", "o two", "x plain"]);
}

#[test]
fn creation_hooks_refresh_too_and_only_plain_values_of_the_entity_itself_enter() {
    let modules = |word: &str| vec![configured("m", vec![on_creation("y")], json!({"word": word}))];
    let bench = Bench::with(things(), modules("old"), 1);
    bench.feed(vec![task("e/1", &[("x", "a")]), task("e/2", &[("x", "b")])]);
    bench.run();
    bench.host.on("m", |seen| {
        let entity = seen.entity.unwrap().to_string();
        let mut own = task(&entity, &[("y", "set again")]);
        own.datapoints.push(observed("o", "seen", 1_700_000_000_000_000, 1_700_000_000_000_000));
        let other = task(if entity == "e/1" { "e/2" } else { "e/1" }, &[("z", &format!("from {entity}"))]);
        Answer::tasks(vec![own, other])
    });
    bench.engine.registry().swap(registry(modules("new")));
    bench.run();
    assert_eq!(bench.doc("e/1").unwrap(), json!({"eid": "1", "x": "a", "y": "set again"}));
    assert!(bench.doc("e/2").unwrap().get("z").is_none());
    bench.settle();
    bench.run();
    assert_eq!(bench.doc("e/1").unwrap()["o"], json!(["seen"]), "through the queue");
    assert_eq!(bench.doc("e/2").unwrap()["z"], "from e/1");
}

/// A run that was cut short is gone on with as it was begun: refresh hooks are called in it and in no other.
#[test]
fn an_interrupted_run_refreshes_what_it_was_begun_for() {
    let before = Bench::with(things(), modules("old"), 1);
    play(&before);
    before.feed((0..3).map(|n| task(&format!("e/{n}"), &[("x", "a")])).collect());
    before.run();
    before.engine.registry().swap(registry(modules("new")));
    before.host.on("after", |seen| {
        assert_ne!(seen.entity.unwrap().eid.as_str(), "1", "the script dies here");
        Answer::nothing()
    });
    assert!(matches!(before.try_run(tenter_engine::SnapshotOptions::default()), Err(SnapshotError::Panicked)));
    before.engine.drain();
    let after = Bench::over(before.store.clone(), before.clock.clone(), things(), modules("new"), 1);
    play(&after);
    assert!(after.run().resumed);
    for n in 0..3 {
        assert_eq!(after.doc(&format!("e/{n}")).unwrap()["z"], "saw new a");
    }
    after.host.forget();
    after.run();
    assert!(after.host.calls().iter().all(|c| !c.contains("again")));
}

#[test]
fn creation_hooks_of_a_whole_type_can_be_called_again() {
    let plain = Moment::OnEntityCreation { etype: "e".parse().unwrap(), refresh: false, may_change: Vec::new() };
    let bench = Bench::with(things(), vec![module("m", vec![plain])], 3);
    bench.feed((0..700).map(|n| task(&format!("e/{n}"), &[("x", "a")])).collect::<Vec<TaskBody>>());
    bench.host.forget();
    bench.host.on("m", |seen| Answer::tasks(vec![task(&seen.entity.unwrap().to_string(), &[("y", "again")])]));
    let report = bench.engine.refresh_on_entity_creation(&"e".parse().unwrap()).unwrap();
    assert_eq!((report.entities, report.tasks), (700, 700));
    assert_eq!(bench.host.calls().iter().filter(|c| c.contains("on-entity-creation again")).count(), 700);
    bench.settle();
    bench.run();
    assert_eq!(bench.doc("e/699").unwrap()["y"], "again");
    let error = bench.engine.refresh_on_entity_creation(&"nothing".parse().unwrap()).unwrap_err();
    assert!(matches!(error, SnapshotError::NoEntityType(_)), "{error}");
}
