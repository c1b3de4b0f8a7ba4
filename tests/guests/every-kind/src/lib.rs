//! Exports all five families and subscribes to every kind of hook once. Each call leaves the kind's name:
//! * in the log and, where `state` is granted, in the counter `calls/KIND`;
//! * where the kind returns tasks, as the value of the plain attribute `mark` of the entity it is about, or of the
//!   entity `home` where it is about none;
//! * where `marks` is configured, as one more value of that observations attribute: the stored values prove which kinds
//!   were called. A kind that returns no tasks leaves its name to the next of this instance that does;
//! * `correlate*` also sets `mark` in the view, and adds to its `marks`; `before` adds the kind to the body's `seen`,
//!   `after` and `manual` add it as a tag.
//!
//! Which entity type and attributes it watches is configuration, so that it fits any site.

use serde::Deserialize;
use tenter_sdk::prelude::*;

/// Configuration.
#[derive(Deserialize)]
struct EveryKind {
    /// The entity type.
    etype: String,
    /// Attribute that `on-new-attribute` watches.
    attr: String,
    /// Attribute that `timeseries` watches.
    series: String,
    /// Plain attribute that takes the marks.
    mark: String,
    /// Observations attribute with several values that collects the marks; empty for none.
    marks: String,
    /// Id of the entity that takes the marks of hooks that are about no entity.
    home: String,
    /// Path that `correlate` depends on.
    depends_on: String,
    /// Seconds of the minute at which `cron` runs; empty for every five minutes.
    second: String,
    /// Kind of case object.
    object: String,
    /// Kinds called that could not return a task.
    #[serde(skip)]
    silent: Vec<&'static str>,
}

impl Module for EveryKind {
    const TITLE: &'static str = "Every kind of hook";

    fn parameters() -> Vec<Parameter> {
        let text = |name: &str, default: &str| Parameter::new("string", name).default_json(format!("{default:?}"));
        vec![
            text("etype", "ip"),
            text("attr", "open_ports"),
            text("series", "activity"),
            text("mark", "label"),
            text("marks", ""),
            text("home", "192.0.2.1"),
            text("depends_on", "open_ports"),
            text("second", ""),
            text("object", "ioc"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        let (etype, depends_on, mark) = (self.etype.as_str(), self.depends_on.as_str(), self.mark.as_str());
        on.on_task_start(Self::on_task_start);
        on.allow_entity_creation(etype, Self::allow_entity_creation);
        on.on_entity_creation(etype, |m, task| m.task("on-entity-creation", &task.entity)).refresh([mark]);
        on.on_new_attribute(etype, &self.attr, |m, entity, _| m.task("on-new-attribute", entity)).refresh([mark]);
        on.snapshot_init(|m, _| m.at_home("snapshot-init"));
        on.snapshot_finalize(|m, _| m.at_home("snapshot-finalize"));
        on.timeseries(etype, &self.series, |m, entity, _, _| m.task("timeseries", entity));
        let may_change: Vec<&str> = [mark, self.marks.as_str()].into_iter().filter(|m| !m.is_empty()).collect();
        on.correlate(etype, [depends_on], may_change.clone(), |m, view| m.correlated("correlate", view)).whole();
        on.correlate_with_record(etype, [depends_on], may_change, Self::correlate_with_record).whole();
        on.update_record(etype, 60, |m, record| m.task("update-record", &record.entity));
        on.update_entity(etype, 60, |m, entity| m.task("update-entity", entity));
        let every = Cron::new();
        let every = if self.second.is_empty() { every.minute("*/5") } else { every.second(self.second.as_str()) };
        on.cron(every, Self::cron).arguments(&serde_json::json!({"n": 1})).grace(60);
        on.before(&self.object, "create", Self::before);
        on.after(&self.object, "*", Self::after);
        on.manual(&self.object, "Mark it", Self::manual);
        on.request("state", "");
        on.request("write-entities", format!("{etype}.{mark}"));
        if !self.marks.is_empty() {
            on.request("write-entities", format!("{etype}.{}", self.marks));
        }
        on.request("case-write", self.object.as_str());
    }
}

impl EveryKind {
    fn note(&self, kind: &str) -> Result<()> {
        log::info!("{kind}");
        match state::increment(&format!("calls/{kind}"), 1) {
            Err(state::StateError::Denied) => Ok(()),
            other => Ok(other?),
        }
    }

    fn task(&mut self, kind: &'static str, entity: &EntityRef) -> Result<Task> {
        self.note(kind)?;
        let mut task = Task::on(entity.clone()).plain(self.mark.as_str(), kind);
        if !self.marks.is_empty() {
            for kind in std::mem::take(&mut self.silent).into_iter().chain([kind]) {
                task = task.observation(self.marks.as_str(), kind, call::now(), call::now());
            }
        }
        Ok(task)
    }

    fn at_home(&mut self, kind: &'static str) -> Result<Task> {
        self.task(kind, &EntityRef::new(self.etype.as_str(), &self.home))
    }

    fn on_task_start(&mut self, _: &Task) -> Result<()> {
        self.silently("on-task-start")
    }

    fn allow_entity_creation(&mut self, _: &Task) -> Result<Verdict> {
        self.silently("allow-entity-creation").map(|()| Verdict::Allow)
    }

    fn silently(&mut self, kind: &'static str) -> Result<()> {
        if !self.silent.contains(&kind) {
            self.silent.push(kind);
        }
        self.note(kind)
    }

    fn correlated(&mut self, kind: &'static str, view: &View) -> Result<Changes> {
        let task = self.task(kind, view.entity())?;
        let changes = view.changes().set(self.mark.as_str(), kind).task(task);
        if self.marks.is_empty() {
            return Ok(changes);
        }
        let marks = view.root.all(&self.marks).map(|v| (v.value.clone(), v.confidence));
        Ok(changes.replace(self.marks.as_str(), marks.chain([(kind.into(), Some(1.0))])))
    }

    fn correlate_with_record(&mut self, view: &View, record: &MasterRecord) -> Result<Changes> {
        if record.entity != *view.entity() {
            return Err(HookError::failed("the record is not the root's"));
        }
        self.correlated("correlate-with-record", view)
    }

    fn cron(&mut self, arguments: &str) -> Result<()> {
        log::debug!("arguments {arguments}");
        let task = self.at_home("cron")?;
        tasks::submit(&[task])?;
        Ok(())
    }

    fn before(&mut self, _: &Context, _: &Event, proposal: &Proposal) -> Result<Judgement> {
        self.note("before")?;
        let mut body: serde_json::Value = proposal.parse()?;
        let Some(members) = body.as_object_mut() else {
            return Ok(Judgement::because("the body is not an object"));
        };
        members.insert("seen".into(), "before".into());
        Ok(Judgement::replaced(&body))
    }

    fn after(&mut self, _: &Context, _: &Event, objects: &[Written]) -> Result<Outcome> {
        self.note("after")?;
        let tag = |outcome: Outcome, object| outcome.patch(Patch::of(object).add_tag("after"));
        Ok(objects.iter().filter_map(|o| o.new.as_ref()).fold(Outcome::nothing(), tag))
    }

    fn manual(&mut self, _: &Context, _: &Event, objects: &[CaseObject]) -> Result<ManualOutcome> {
        self.note("manual")?;
        let tag = |outcome: ManualOutcome, object| outcome.patch(Patch::of(object).add_tag("manual"));
        let outcome = objects.iter().fold(ManualOutcome::nothing(), tag);
        Ok(outcome.report(format!("marked {}", objects.len()), Media::Text, "manual"))
    }
}

tenter_sdk::export!(EveryKind: ingest, snapshot, update, schedule, cases);

#[cfg(test)]
mod tests;
