//! The harness on a small module, and the protocol with a program that stands in for `tenter`.

use super::*;
use crate::prelude::*;

#[derive(serde::Deserialize)]
struct Sample {
    word: String,
}

impl Module for Sample {
    const TITLE: &'static str = "Sample";

    fn parameters() -> Vec<Parameter> {
        vec![Parameter::new("string", "word").default_json("\"hello\""), Parameter::new("string", "must").mandatory()]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_entity_creation("ip", Self::greet);
        on.on_entity_creation("ip", |_, task| Task::on(task.entity.clone()).tag("second")).id("second");
        on.cron(Cron::new().hour("1"), Self::nightly).id("nightly");
        on.before("ioc", "*", |_, _, _, p| Ok(Judgement::Replaced(format!("{}a", p.body)))).id("a");
        on.before("ioc", "*", |_, _, _, p| Ok(Judgement::Replaced(format!("{}b", p.body)))).id("b");
    }
}

impl Sample {
    fn greet(&mut self, task: &Task) -> Result<Task> {
        log::info!("greets {}", task.entity);
        state::store("last", &task.entity.eid, None)?;
        Ok(Task::on(task.entity.clone()).observation("greeting", self.word.as_str(), call::now(), call::now()))
    }

    fn nightly(&mut self, arguments: &str) -> Result<()> {
        tasks::submit(&[Task::of("ip", "192.0.2.1").plain("greeting", arguments)])?;
        Ok(())
    }
}

crate::export!(Sample: ingest, schedule, cases);

fn sample() -> Harness<Sample> {
    Harness::new(json!({"must": ""})).unwrap()
}

#[test]
fn all_fitting_subscriptions_run_and_the_host_remembers() {
    let mut m = sample();
    host(|h| h.now = Timestamp::from_secs(60));
    let tasks = m.on_entity_creation(Task::of("ip", "192.0.2.1")).unwrap();
    let greeting = json!({"attr": "greeting", "v": "hello", "t1": "1970-01-01T00:01:00Z"});
    expect_tasks(&tasks, json!([{"data_points": [greeting]}, {"data_points": [], "tags": ["second"]}]));
    assert_eq!(host(|h| h.state_text("last")).as_deref(), Some("192.0.2.1"));
    assert_eq!(host(|h| h.messages().join("\n")), "greets ip/192.0.2.1");
    drop(Harness::<Sample>::again(json!({"must": ""})).unwrap());
    assert!(host(|h| h.state.contains_key("last")), "`again` keeps what the host holds");
    drop(sample());
    assert!(host(|h| h.state.is_empty()), "`new` does not");
}

#[test]
fn configuration_is_checked_as_a_host_does() {
    let error = |config| Harness::<Sample>::new(config).err().unwrap().to_string();
    assert_eq!(error(json!({})), "invalid input: the configuration lacks \"must\"");
    assert_eq!(error(json!([])), "invalid input: the configuration must be an object");
    assert!(error(json!({"must": "", "word": 1})).starts_with("invalid input: configuration: invalid type: integer"));
    assert_eq!(sample().describe().version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn only_cron_submits() {
    let mut m = sample();
    expect_tasks(&m.cron("nightly").unwrap(), json!([{"data_points": [{"v": "null"}]}]));
    let denied = tasks::submit(&[]).map_err(HookError::from).unwrap_err();
    assert_eq!(denied.message(), "tasks: only `cron` hooks submit; other hooks return tasks");
}

#[test]
fn before_hooks_are_chained() {
    let context = Context { case_id: None, case_name: None, user: None, trigger: crate::case::Trigger::Api };
    let event = Event { object: "ioc".into(), action: Some("create".into()) };
    let judgement = sample().before(&context, &event, &Proposal { id: None, body: "x".into() });
    assert_eq!(judgement, Ok(Judgement::Replaced("xab".into())));
}

#[test]
fn counters_count_and_keys_are_listed() {
    drop(sample());
    for key in ["b", "a/2", "a/1", "a/1"] {
        state::increment(key, 2).unwrap();
    }
    assert_eq!(state::fetch_text("a/1"), Ok(Some("4".into())));
    assert_eq!(state::keys("a/", None, 10), Ok(vec!["a/1".into(), "a/2".into()]));
    assert_eq!(state::keys("a/", Some("a/1"), 10), Ok(vec!["a/2".into()]));
    assert_eq!(state::fetch(&"k".repeat(513)), Err(state::StateError::TooLarge));
}

#[cfg(unix)]
mod component {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A folder with a program in place of `tenter`, which keeps arguments and input in files beside it.
    struct Folder(PathBuf, #[allow(dead_code, reason = "held")] MutexGuard<'static, ()>);

    /// A process made while another thread still writes a program would keep that program from being run.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    impl Folder {
        fn new(name: &str, answer: &str) -> Self {
            let guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
            let dir = std::env::temp_dir().join(format!("tenter-sdk-test-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&dir).unwrap();
            std::fs::write(dir.join("x.wasm"), "").unwrap();
            let script = format!(
                "#!/bin/sh\ncd \"$(dirname \"$0\")\"\nprintf '%s\\n' \"$@\" > arguments\ncat > input\n{answer}\n"
            );
            std::fs::write(dir.join("tenter"), script).unwrap();
            std::fs::set_permissions(dir.join("tenter"), std::fs::Permissions::from_mode(0o755)).unwrap();
            Self(dir, guard)
        }

        fn component(&self) -> Component {
            Component::open_with(self.0.join("x.wasm"), self.0.join("tenter")).unwrap()
        }

        fn read(&self, name: &str) -> String {
            std::fs::read_to_string(self.0.join(name)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn a_call_follows_the_protocol() {
        let folder = Folder::new(
            "ok",
            r#"echo '{"result": "ok", "tasks": [{"etype": "ip", "eid": "a"}], "log": [{"level": "info", "message": "m"}],
               "fuel": 12, "micros": 3, "memory_bytes": 65536, "state": {"k": "v"}}'"#,
        );
        let dp = Datapoint::observation("domains", EntityRef::new("domain", "a.example"), 0, 1).confidence(0.5);
        let component = folder.component().grant("http", "GET https://a.example/").grant("state", "").at(Timestamp(0));
        let output = component.on_new_attribute(&EntityRef::new("ip", "a"), &dp).subscription("s").run().unwrap();
        output.expect_tasks(json!([{"eid": "a"}]));
        assert_eq!((output.fuel, output.log[0].message.as_str(), &output.more["state"]["k"]), (12, "m", &json!("v")));

        let arguments = folder.read("arguments");
        let mut arguments: Vec<_> = arguments.lines().collect();
        assert!(arguments.remove(9).ends_with(".json"), "the file of the configuration");
        assert!(arguments.remove(1).ends_with("x.wasm"));
        let fixed = ["run", "--hook", "on-new-attribute", "-o", "json", "--input", "-", "--config"];
        let chosen = ["--grant", "http GET https://a.example/", "--grant", "state", "--subscription", "s"];
        assert_eq!(arguments, [&fixed[..], &chosen, &["--now", "1970-01-01T00:00:00Z"]].concat());
        expect_json(
            &serde_json::from_str(&folder.read("input")).unwrap(),
            &json!({"entity": {"etype": "ip", "eid": "a"}, "datapoint": {
                "attr": "domains", "v": {"etype": "domain", "eid": "a.example"}, "as": "link",
                "t1": "1970-01-01T00:00:00Z", "t2": "1970-01-01T00:00:00.000001Z", "c": 0.5, "src": null,
            }}),
        );
    }

    #[test]
    fn a_correlation_is_called_with_a_view_and_a_record() {
        let folder = Folder::new(
            "correlate",
            r#"echo '{"result": "ok", "changes": [
                   {"etype": "ip", "eid": "a", "attr": "risk", "values": [{"v": 0.5, "as": "real", "c": 0.9}]},
                   {"etype": "site", "eid": "s", "attr": "name", "values": []}
               ], "tasks": [{"eid": "a"}, {"eid": "b"}], "fuel": 1, "micros": 1, "memory_bytes": 1}'"#,
        );
        let group = Group::new(json!({
            "ip/a": {"site": link("site/s"), "ports": [22, 80], "ports#c": [1.0, 0.5]},
            "site/s": {"name": "north"},
        }));
        let known = record(json!({"etype": "ip", "eid": "a", "created": "2026-01-01T00:00:00Z", "attributes": {
            "label": {"plain": {"v": "x", "updated": "2026-01-01T00:00:00Z"}},
            "ports": {"observations": [{"t1": "2026-01-01T00:00:00Z", "c": 0.5, "v": 22}]},
            "traffic": {"timeseries": [{"t1": "2026-01-01T00:00:00Z", "v": {"bytes": [1, 2]}}]},
        }}));
        let view = group.view("ip/a", &["site.name", "ports"]);
        let output = folder.component().correlate_with_record(&view, &known).run().unwrap();
        output.expect_changes(json!({"ip/a": {"risk": 0.5, "risk#c": 0.9}, "site/s": {"name": null}}));
        output.expect_task_among(json!({"eid": "b"}));

        let input: Json = serde_json::from_str(&folder.read("input")).unwrap();
        expect_json(
            &input,
            &json!({
                "view": {
                    "root": {"etype": "ip", "eid": "a", "values": [
                        {"attr": "ports", "v": 22, "as": "integer", "c": 1},
                        {"attr": "ports", "v": 80, "c": 0.5},
                        {"attr": "site", "v": {"etype": "site", "eid": "s"}, "as": "link", "c": null},
                    ]},
                    "linked": [{"etype": "site", "eid": "s", "values": [{"attr": "name", "v": "north", "as": "text"}]}],
                },
                "record": {"etype": "ip", "eid": "a", "created": "2026-01-01T00:00:00Z", "attributes": {
                    "label": {"plain": {"v": "x", "as": "text"}},
                    "ports": {"observations": [{"t1": "2026-01-01T00:00:00Z", "c": 0.5, "v": 22}]},
                    "traffic": {"timeseries": [{"t2": "2026-01-01T00:00:00Z", "v": {"bytes": [1, 2]}}]},
                }},
            }),
        );
        assert_eq!(record(input["record"].clone()), known, "what is written is read again");
    }

    #[test]
    fn failures_are_told_apart() {
        let folder = Folder::new("refused", "echo 'no such subscription' >&2; exit 3");
        let error = folder.component().on_task_start(&Task::of("ip", "a")).run().unwrap_err();
        assert!(error.ends_with("run: exit status: 3: no such subscription"), "{error}");
        drop(folder);
        let folder = Folder::new("nonsense", "echo nonsense");
        let error = folder.component().on_task_start(&Task::of("ip", "a")).run().unwrap_err();
        assert!(error.contains("printed what is no output: expected ident at line 1 column 2\nnonsense"), "{error}");
        let missing = Component::open("no/such.wasm").unwrap_err();
        assert_eq!(missing, "there is no component no/such.wasm; build it with `tenter build`");
    }
}
