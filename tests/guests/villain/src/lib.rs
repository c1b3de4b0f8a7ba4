//! A guest that misbehaves on request: the text of a datapoint, or the first tag of a task, says how.
//!
//! The text is `NAME` or `NAME NUMBER`. What the guest finds out is returned as the tags of a task. Benign calls (`echo`,
//! `count`) and hostile ones go to the same module, so that tests can see what a failure leaves behind.
#![cfg(target_arch = "wasm32")]

mod acts;
mod at_random;
mod subscriptions;

use std::cell::RefCell;

use exports::tenter::hooks::{ingest, module};
use tenter::hooks::types::{Datapoint, EntityRef, HookError, Task, Value, Verdict};

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package tenter:villain;

        interface things {
          resource thing {
            constructor();
          }
        }

        world villain {
          include tenter:hooks/ingest-hooks@0.1.0;
          import tenter:hooks/state@0.1.0;
          import tenter:hooks/entities@0.1.0;
          import tenter:hooks/tasks@0.1.0;
          import tenter:hooks/http@0.1.0;
          import tenter:hooks/resolver@0.1.0;
          import tenter:hooks/secrets@0.1.0;
          export things;
        }
    ",
    world: "tenter:villain/villain",
    generate_all,
});

struct Villain;
export!(Villain);

thread_local! {
    /// The configuration as JSON.
    static CONFIG: RefCell<serde_json::Value> = const { RefCell::new(serde_json::Value::Null) };
}

fn setting(name: &str) -> Option<String> {
    CONFIG.with_borrow(|c| c.get(name).and_then(|v| v.as_str()).map(str::to_owned))
}

fn setting_list(name: &str) -> Vec<String> {
    CONFIG.with_borrow(|c| {
        let list = c.get(name).and_then(|v| v.as_array());
        list.into_iter().flatten().filter_map(|v| v.as_str()).map(str::to_owned).collect()
    })
}

impl module::Guest for Villain {
    fn describe() -> module::Descriptor {
        let parameter = |name: &str, kind: &str, mandatory: bool, default: Option<&str>| module::Parameter {
            name: name.into(),
            title: name.into(),
            description: String::new(),
            kind: kind.into(),
            section: None,
            mandatory,
            default_value: default.map(str::to_owned),
        };
        module::Descriptor {
            title: "Villain".into(),
            description: "Misbehaves on request.".into(),
            version: "1.2.3".into(),
            parameters: vec![
                parameter("must", "string", true, None),
                parameter("level", "integer", false, Some("7")),
                parameter("key", "secret", false, None),
            ],
        }
    }

    fn configure(config: String) -> Result<Vec<module::Request>, HookError> {
        let parsed = serde_json::from_str(&config).map_err(|e| HookError::InvalidInput(e.to_string()))?;
        CONFIG.set(parsed);
        acts::set_config_text(config);
        match setting("configure").as_deref() {
            Some("loop") => acts::spin(),
            Some("fail") => return Err(HookError::Failed("I do not like this".into())),
            Some("panic") => panic!("no configuration for me"),
            // Works once in a process that has the key, to break later instances only.
            Some("only-with-state") => {
                if !matches!(tenter::hooks::state::fetch("ready"), Ok(Some(_))) {
                    return Err(HookError::Unavailable("not ready".into()));
                }
            }
            _ => {}
        }
        let requests = setting_list("requests").into_iter().map(|text| {
            let (capability, scope) = text.split_once(' ').unwrap_or((text.as_str(), ""));
            module::Request { capability: capability.into(), scope: scope.into() }
        });
        Ok(requests.collect())
    }
}

impl ingest::Guest for Villain {
    fn subscriptions() -> Vec<ingest::Subscription> {
        subscriptions::all(setting("subscriptions").as_deref().unwrap_or("good"))
    }

    fn on_task_start(_: String, task: Task) -> Result<(), HookError> {
        acts::act(task.tags.first().map_or("nothing", |t| t.as_str()), &task.entity).map(drop)
    }

    fn allow_entity_creation(_: String, task: Task) -> Result<Verdict, HookError> {
        let what = task.tags.first().map_or("allow", |t| t.as_str());
        match what.split_once(' ') {
            Some(("deny", reason)) => Ok(Verdict::Deny(reason.into())),
            None if what == "allow" => Ok(Verdict::Allow),
            _ => acts::act(what, &task.entity).map(|_| Verdict::Allow),
        }
    }

    fn on_entity_creation(_: String, task: Task) -> Result<Vec<Task>, HookError> {
        match task.tags.first().map(String::as_str) {
            Some("echo") | None => Ok(vec![task]),
            Some(what) => acts::act(what, &task.entity),
        }
    }

    fn on_new_attribute(_: String, entity: EntityRef, datapoint: Datapoint) -> Result<Vec<Task>, HookError> {
        match &datapoint.value {
            Value::Text(what) if what != "echo" => acts::act(what, &entity),
            _ => Ok(vec![Task {
                entity,
                datapoints: vec![datapoint],
                ttl_tokens: Vec::new(),
                tags: Vec::new(),
                remove_entity: false,
            }]),
        }
    }
}

impl exports::tenter::villain::things::Guest for Villain {
    type Thing = acts::Thing;
}
