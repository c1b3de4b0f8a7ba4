//! The guest that the conformance suite is run against, in Rust: `tests/conformance/README.md` says what it does.

use serde::Deserialize;
use tenter_sdk::case::{Attachment, CustomField, Edit, Effect, Field, NewObject, Trigger};
use tenter_sdk::prelude::*;
use tenter_sdk::record::{History, Observation};
use tenter_sdk::view::{Change, Correlated, Weighted};

mod imports;

#[derive(Deserialize)]
struct Echo {
    command: String,
}

impl Module for Echo {
    const TITLE: &'static str = "Echo";

    fn parameters() -> Vec<Parameter> {
        vec![Parameter::new("string", "command").title("Command").default_json("\"echo\"")]
    }

    fn new(config: &Config) -> Result<Self> {
        let echo: Self = config.parse()?;
        if echo.command == "refuse" { Err(HookError::failed("refused")) } else { Ok(echo) }
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.on_task_start(Self::on_task_start).id("on-task-start");
        on.allow_entity_creation("thing", Self::allow_entity_creation).id("allow-entity-creation");
        on.on_entity_creation("thing", |m, task| m.obey().map(|()| task.clone())).id("on-entity-creation");
        on.on_new_attribute("thing", "value", Self::on_new_attribute).id("on-new-attribute");
        on.snapshot_init(Self::of_run).id("snapshot-init");
        on.snapshot_finalize(Self::of_run).id("snapshot-finalize");
        on.timeseries("thing", "series", Self::timeseries).id("timeseries");
        let (depends_on, may_change) = (["value", "link.value"], ["echo"]);
        on.correlate("thing", depends_on, may_change, Self::correlate).whole().id("correlate");
        on.correlate_with_record("thing", depends_on, may_change, Self::correlate_with_record)
            .whole()
            .id("correlate-with-record");
        on.update_record("thing", 3600, |m, record| m.obey().map(|()| of_record(record))).id("update-record");
        on.update_entity("thing", 3600, Self::update_entity).id("update-entity");
        on.cron(Cron::new().minute("0"), Self::cron).grace(60).arguments(&serde_json::json!({"n": 1})).id("cron");
        on.before("ioc", "create", Self::before).id("before");
        on.after("ioc", "*", Self::after).id("after");
        on.manual("ioc", "Echo", Self::manual).id("manual");
        on.request("state", "");
        on.request("read-entities", "thing");
        on.request("delete-entity", "thing");
        on.request("http", "* https://echo.example/*");
        on.request("resolver", "");
        on.request("secret", "echo");
        on.request("case-write", "ioc");
    }
}

impl Echo {
    /// What every hook does first.
    fn obey(&self) -> Result<()> {
        match self.command.as_str() {
            "invalid-input" => Err(HookError::invalid("the data is to blame")),
            "unavailable" => Err(HookError::unavailable("something outside is to blame")),
            "failed" => Err(HookError::failed("the module is to blame")),
            "exception" => Err(HookError::failed("thrown")),
            "loop" => loop {
                std::hint::black_box(());
            },
            "memory" => {
                let mut kept = Vec::new();
                loop {
                    kept.push(std::hint::black_box(vec![1u8; 1 << 20]));
                }
            }
            _ => Ok(()),
        }
    }

    fn on_task_start(&mut self, task: &Task) -> Result<()> {
        self.obey()?;
        log::info!("task {}/{} {}", task.entity.etype, task.entity.eid, task.datapoints.len());
        Ok(())
    }

    fn allow_entity_creation(&mut self, task: &Task) -> Result<Verdict> {
        self.obey()?;
        let eid = &task.entity.eid;
        Ok(if eid.starts_with("deny") { Verdict::because(eid) } else { Verdict::Allow })
    }

    fn on_new_attribute(&mut self, entity: &EntityRef, datapoint: &Datapoint) -> Result<Vec<Task>> {
        self.obey()?;
        let mut echoed = Datapoint { attr: "echo".into(), ..datapoint.clone() };
        let count = if self.command == "many" { 300 } else { 1 };
        if self.command == "large" {
            echoed.value = "x".repeat(2 << 20).into();
        }
        imports::obey(&self.command, entity)?;
        Ok(vec![Task::on(entity.clone()).with(echoed); count])
    }

    fn of_run(&mut self, run: &Run) -> Result<Task> {
        self.obey()?;
        Ok(Task::of("thing", &run.id).with(Datapoint::plain("echo", run.at())))
    }

    fn timeseries(&mut self, entity: &EntityRef, attr: &str, history: &[Chunk]) -> Result<Task> {
        self.obey()?;
        Ok(history.iter().fold(Task::on(entity.clone()), |task, chunk| task.with(of_chunk(attr, chunk))))
    }

    fn correlate(&mut self, view: &View) -> Result<Correlated> {
        self.obey()?;
        if self.command == "views" {
            imports::views();
        }
        Ok(Correlated { changes: changes(view), tasks: Vec::new() })
    }

    fn correlate_with_record(&mut self, view: &View, record: &MasterRecord) -> Result<Correlated> {
        self.obey()?;
        Ok(Correlated { changes: changes(view), tasks: vec![of_record(record)] })
    }

    fn update_entity(&mut self, entity: &EntityRef) -> Result<Task> {
        self.obey()?;
        Ok(Task::on(entity.clone()).plain("echo", &entity.eid))
    }

    fn cron(&mut self, arguments: &str) -> Result<()> {
        self.obey()?;
        let ids = tasks::submit(&[Task::of("thing", "cron").plain("echo", Value::Json(arguments.into()))])?;
        log::info!("submitted {}", ids.len());
        Ok(())
    }

    fn before(&mut self, context: &Context, event: &Event, proposal: &Proposal) -> Result<Judgement> {
        self.obey()?;
        told(context, event);
        log::info!("proposal {}", or_dash(proposal.id));
        Ok(match self.command.as_str() {
            "keep" => Judgement::Unchanged,
            "deny" => Judgement::because("denied"),
            _ => Judgement::Replaced(proposal.body.clone()),
        })
    }

    fn after(&mut self, context: &Context, event: &Event, objects: &[Written]) -> Result<Outcome> {
        self.obey()?;
        told(context, event);
        let mut outcome = Outcome::nothing();
        for written in objects {
            match (&written.new, &written.old) {
                (Some(new), _) => {
                    let custom = CustomField {
                        tab: "Echo".into(),
                        name: "Body".into(),
                        kind: "input_string".into(),
                        json: "\"echoed\"".into(),
                    };
                    let patch = Patch::of(new).add_tag("echo").remove_tag("old").append_description("echoed");
                    let patch = patch.edit(Edit::SetField(Field { name: "ioc_value".into(), json: new.body.clone() }));
                    let echo = Value::Json(new.body.clone());
                    let task = Task::of("thing", new.target.id).plain("echo", echo);
                    outcome = outcome.patch(patch.edit(Edit::SetCustomField(custom))).task(task);
                }
                (None, Some(old)) => log::info!("deleted {}", old.target.id),
                (None, None) => {}
            }
            for file in &written.attachments {
                log::info!("attachment {} {} {}", file.name, file.media_type, file.content.len());
            }
        }
        outcome.effects.push(Effect::Create(NewObject {
            object: "ioc".into(),
            case_id: None,
            body: r#"{"ioc_value":"made"}"#.into(),
            attachments: vec![Attachment {
                name: "echo.bin".into(),
                media_type: "application/octet-stream".into(),
                content: vec![0, 1, 254, 255],
            }],
        }));
        Ok(outcome)
    }

    fn manual(&mut self, context: &Context, event: &Event, objects: &[CaseObject]) -> Result<ManualOutcome> {
        self.obey()?;
        told(context, event);
        let patch = |object| Patch::of(object).of_any_version().add_tag("echo");
        let outcome = objects.iter().fold(ManualOutcome::nothing(), |outcome, object| outcome.patch(patch(object)));
        let first = objects.first().map_or("null", |object| object.body.as_str());
        Ok(outcome.report(format!("{} objects", objects.len()), Media::Json, first))
    }
}

/// What `update-record` returns.
fn of_record(record: &MasterRecord) -> Task {
    let mut task = Task::on(record.entity.clone());
    task.ttl_tokens.clone_from(&record.ttl_tokens);
    task = task.tag(format!("revision {}", record.revision)).tag(format!("created {}", or_dash(record.created)));
    for stored in &record.attributes {
        let attr = stored.attr.as_str();
        match &stored.history {
            History::Plain(plain) => {
                let datapoint = Datapoint::plain(attr, plain.value.clone());
                task = task.with(Datapoint { t1: Some(plain.updated), ..datapoint });
            }
            History::Observations(observations) => {
                for Observation { t1, t2, confidence, value } in observations.points() {
                    task = task.with(Datapoint::observation(attr, value, t1, t2).confidence(confidence));
                }
            }
            History::Timeseries(chunks) => {
                task = chunks.iter().fold(task, |task, chunk| task.with(of_chunk(attr, chunk)));
            }
        }
    }
    task
}

fn of_chunk(attr: &str, chunk: &Chunk) -> Datapoint {
    Datapoint::timeseries(attr, Timestamp(chunk.t1), Timestamp(chunk.t2), chunk.columns.clone())
}

fn changes(view: &View) -> Vec<Change> {
    let mut changes = Vec::new();
    for seen in std::iter::once(&view.root).chain(&view.linked) {
        for current in &seen.values {
            let values = vec![Weighted { value: current.value.clone(), confidence: current.confidence }];
            changes.push(Change { entity: seen.entity.clone(), attr: current.attr.clone(), values });
        }
    }
    changes
}

/// Logs around what a hook of cases is called.
fn told(context: &Context, event: &Event) {
    let trigger = match context.trigger {
        Trigger::Api => "api",
        Trigger::Manual => "manual",
        Trigger::Csv => "csv",
        Trigger::Template => "template",
        Trigger::Module => "module",
    };
    let (case, name) = (or_dash(context.case_id), or_dash(context.case_name.as_ref()));
    let (user, action) = (or_dash(context.user.as_ref().map(|user| &user.login)), or_dash(event.action.as_ref()));
    log::info!("{case} {name} {user} {trigger} {} {action}", event.object);
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

tenter_sdk::export!(Echo: ingest, snapshot, update, schedule, cases);
