//! A guest that misbehaves on request in the families snapshot, update, schedule and cases; the villain does so in
//! ingestion.
//!
//! What it is to do is `NAME` or `NAME ARGUMENT`: the id of a run, the first value of a view's root, the id of the
//! entity that a sweep reaches, the arguments of a timer, `act:SUBSCRIPTION NAME ARGUMENT` in a text of a case object,
//! where only the hook of that subscription feels meant. What it finds out it returns as the tags of a task, or writes
//! to its log where a hook returns none.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;

use exports::tenter::hooks::schedule::{self, CronFields, Timer, Timing};
use exports::tenter::hooks::snapshot::{self, Change, Correlated, Correlation, Run, View, Weighted};
use exports::tenter::hooks::{cases, module, update};
use tenter::hooks::types::{AttributeRef, Chunk, Datapoint, EntityRef, HookError, MasterRecord, Task, Value};
use tenter::hooks::{call, log, state, tasks, views};

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package tenter:rogue;

        world rogue {
          include tenter:hooks/snapshot-hooks@0.1.0;
          include tenter:hooks/update-hooks@0.1.0;
          include tenter:hooks/schedule-hooks@0.1.0;
          include tenter:hooks/case-hooks@0.1.0;
          import tenter:hooks/state@0.1.0;
          import tenter:hooks/tasks@0.1.0;
          import tenter:hooks/views@0.1.0;
        }
    ",
    world: "tenter:rogue/rogue",
    generate_all,
});

struct Rogue;
export!(Rogue);

thread_local! {
    /// What hooks have prepared for others; lives as long as the instance.
    static MEMORY: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn prepare(what: String) {
    MEMORY.with_borrow_mut(|memory| memory.push(what));
}

fn words(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or(0)
}

fn said(tags: Vec<String>) -> Task {
    let entity = EntityRef { etype: "ip".into(), eid: "192.0.2.1".into() };
    Task { entity, datapoints: vec![], ttl_tokens: vec![], tags, remove_entity: false }
}

fn with_value(value: Value) -> Task {
    let datapoint = Datapoint { attr: "label".into(), value, src: None, t1: None, t2: None, confidence: None };
    Task { datapoints: vec![datapoint], ..said(vec![]) }
}

impl module::Guest for Rogue {
    fn describe() -> module::Descriptor {
        module::Descriptor {
            title: "Rogue".into(),
            description: "Misbehaves on request.".into(),
            version: "1.0.0".into(),
            parameters: vec![],
        }
    }

    fn configure(_: String) -> Result<Vec<module::Request>, HookError> {
        log::write(log::Level::Info, "configured");
        Ok(vec![])
    }
}

impl snapshot::Guest for Rogue {
    fn subscriptions() -> Vec<snapshot::Subscription> {
        let correlation = || Correlation {
            etype: "ip".into(),
            depends_on: vec![vec!["hostname".into()]],
            may_change: vec![vec!["label".into()]],
            whole: true,
        };
        let one = |id: &str, moment| snapshot::Subscription { id: id.into(), moment };
        vec![
            one("init", snapshot::Moment::SnapshotInit),
            one("finalize", snapshot::Moment::SnapshotFinalize),
            one("series", snapshot::Moment::Timeseries(AttributeRef { etype: "ip".into(), attr: "traffic".into() })),
            one("values", snapshot::Moment::Correlate(correlation())),
        ]
    }

    fn snapshot_init(_: String, run: Run) -> Result<Vec<Task>, HookError> {
        let again = call::cause() == call::CallCause::Retry;
        match words(&run.id).0 {
            "trap" => panic!("no run for me"),
            "trap-again" if again => panic!("not twice"),
            "fail-again" if again => return Err(HookError::Failed("not twice".into())),
            "loop-again" if again => loop {
                std::hint::black_box(());
            },
            _ => {}
        }
        let _ = state::increment("inits", 1);
        log::write(log::Level::Info, "prepared");
        prepare(format!("init {} {} {} again={again}", run.id, call::id(), call::now()));
        Ok(vec![said(vec!["init".into()])])
    }

    fn snapshot_finalize(_: String, run: Run) -> Result<Vec<Task>, HookError> {
        Ok(vec![said(vec![run.id])])
    }

    fn timeseries(_: String, _: EntityRef, _: String, history: Vec<Chunk>) -> Result<Vec<Task>, HookError> {
        Ok((0..history.len() * 1_000).map(|_| said(vec![])).collect())
    }

    fn correlate(_: String, view: View) -> Result<Correlated, HookError> {
        let root = view.root.entity.clone();
        let what = match view.root.values.first().map(|v| &v.value) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let change = |value: Value, confidence| Change {
            entity: root.clone(),
            attr: "label".into(),
            values: vec![Weighted { value, confidence }],
        };
        let one = |change| Ok(Correlated { changes: vec![change], tasks: vec![] });
        let tell = |tags| Ok(Correlated { changes: vec![], tasks: vec![said(tags)] });
        let (name, rest) = words(&what);
        match name {
            "changes" => {
                let changes =
                    (0..number(rest)).map(|_| Change { values: vec![], ..change(Value::Boolean(true), None) });
                Ok(Correlated { changes: changes.collect(), tasks: vec![] })
            }
            "tasks" => Ok(Correlated { changes: vec![], tasks: (0..number(rest)).map(|_| said(vec![])).collect() }),
            "values" => one(Change {
                values: (0..number(rest))
                    .map(|n| Weighted { value: Value::Integer(n as i64), confidence: None })
                    .collect(),
                ..change(Value::Boolean(true), None)
            }),
            "text" => one(change(Value::Text("x".repeat(number(rest))), None)),
            "deep" => one(change(Value::Json("[".repeat(number(rest)) + &"]".repeat(number(rest))), None)),
            "confidence" => one(change(Value::Boolean(true), rest.parse().ok())),
            "attr" => one(Change { attr: rest.into(), ..change(Value::Boolean(true), None) }),
            "foreign" => one(Change {
                entity: EntityRef { etype: "ip".into(), eid: rest.into() },
                ..change(Value::Boolean(true), None)
            }),
            "late-error" => {
                let mut changes: Vec<_> = (0..number(rest)).map(|_| change(Value::Boolean(true), None)).collect();
                changes.push(change(Value::Real(f64::NAN), None));
                Ok(Correlated { changes, tasks: vec![] })
            }
            "fetch" => {
                let (etype, eid) = rest.split_once('/').unwrap_or((rest, ""));
                tell(vec![format!("{:?}", views::fetch(&EntityRef { etype: etype.into(), eid: eid.into() }))])
            }
            "fetches" => {
                (0..number(rest)).for_each(|_| {
                    let _ = views::fetch(&root);
                });
                tell(vec![])
            }
            "submit" => tell(vec![format!("{:?}", tasks::submit(&[said(vec![])]))]),
            other => Err(HookError::Failed(format!("no such act: {other}"))),
        }
    }

    fn correlate_with_record(_: String, _: View, _: MasterRecord) -> Result<Correlated, HookError> {
        Err(HookError::Failed("not subscribed to".into()))
    }
}

impl update::Guest for Rogue {
    fn subscriptions() -> Vec<update::Subscription> {
        let sweep = update::Sweep { etype: "ip".into(), period_seconds: 60 };
        vec![update::Subscription { id: "sweep".into(), moment: update::Moment::UpdateEntity(sweep) }]
    }

    fn update_record(_: String, _: MasterRecord) -> Result<Vec<Task>, HookError> {
        Err(HookError::Failed("not subscribed to".into()))
    }

    fn update_entity(_: String, entity: EntityRef) -> Result<Vec<Task>, HookError> {
        let (name, rest) = words(&entity.eid);
        let denied = |e: std::io::Error| e.kind();
        match name {
            "memory" => Ok(vec![said(MEMORY.with_borrow(Clone::clone))]),
            "facts" => Ok(vec![said(vec![call::id(), call::now().to_string(), format!("{:?}", call::cause())])]),
            "trap" => panic!("not for me"),
            "fetch" => Ok(vec![said(vec![format!("{:?}", views::fetch(&entity))])]),
            "read" => Ok(vec![said(vec![format!("{:?}", std::fs::read_to_string(rest).map_err(denied))])]),
            "write" => Ok(vec![said(vec![format!("{:?}", std::fs::write(rest, "x").map_err(denied))])]),
            "remove" => Ok(vec![said(vec![format!("{:?}", std::fs::remove_file(rest).map_err(denied))])]),
            "make" => Ok(vec![said(vec![format!("{:?}", std::fs::create_dir(rest).map_err(denied))])]),
            "list" => {
                let names = std::fs::read_dir(rest).map(|entries| {
                    let mut names: Vec<_> =
                        entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
                    names.sort();
                    names
                });
                Ok(vec![said(vec![format!("{:?}", names.map_err(denied))])])
            }
            other => Err(HookError::Failed(format!("no such act: {other}"))),
        }
    }
}

impl schedule::Guest for Rogue {
    fn subscriptions() -> Vec<schedule::Subscription> {
        let fields = CronFields {
            year: None,
            month: None,
            day: None,
            week: None,
            day_of_week: None,
            hour: None,
            minute: Some("*".into()),
            second: None,
            timezone: "UTC".into(),
        };
        let timer = Timer { timing: Timing::Fields(fields), grace_seconds: 60, arguments: "{}".into() };
        let one = |id: &str| schedule::Subscription { id: id.into(), moment: schedule::Moment::Cron(timer.clone()) };
        vec![one("tick"), one("tock")]
    }

    fn cron(id: String, arguments: String) -> Result<(), HookError> {
        let (name, rest) = words(&arguments);
        let submit = |all: &[Task]| log::write(log::Level::Info, &format!("{:?}", tasks::submit(all)));
        let many = |n| (0..n).map(|_| said(vec![])).collect::<Vec<_>>();
        match name {
            "keep" => {
                prepare(format!("{id} {rest} {}", call::now()));
                submit(&many(1));
            }
            "submit" => rest.split(' ').for_each(|n| submit(&many(number(n)))),
            "count" => {
                // Too many ids for a line of the log.
                let taken = tasks::submit(&many(number(rest))).map(|ids| ids.len());
                log::write(log::Level::Info, &format!("{taken:?}"));
            }
            "bad" => submit(&[said(vec![]), with_value(Value::Real(f64::NAN))]),
            "deep" => submit(&[with_value(Value::Json("[".repeat(100_000)))]),
            "texts" => {
                let text = with_value(Value::Text("x".repeat(1 << 20)));
                (0..number(rest)).for_each(|_| {
                    let _ = tasks::submit(&[text.clone()]);
                });
            }
            "submit-and-fail" => {
                submit(&many(1));
                return Err(HookError::Failed("after all".into()));
            }
            "submit-and-trap" => {
                submit(&many(1));
                panic!("after all");
            }
            other => return Err(HookError::Failed(format!("no such act: {other}"))),
        }
        Ok(())
    }
}

/// What the hook of a subscription is to do, if an object's text says so.
fn act<'a>(id: &str, body: &'a str) -> Option<(&'a str, &'a str)> {
    let (_, rest) = body.split_once("act:")?;
    let (whom, what) = words(rest.split('"').next()?);
    (whom == id).then(|| words(what))
}

/// Acts that are the same in all phases; gives those that are not.
fn misbehave<'a>(act: (&'a str, &'a str)) -> Result<(&'a str, &'a str), HookError> {
    match act.0 {
        "loop" => loop {
            std::hint::black_box(());
        },
        "trap" => panic!("not for me"),
        "memory" => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1u8; 1 << 20]);
                std::hint::black_box(&all);
            }
        }
        "fail" => Err(HookError::Failed(act.1.into())),
        "unavailable" => Err(HookError::Unavailable(act.1.into())),
        // A wish for each number of seconds, which is the memo too.
        "resume" | "resume-and-fail" => {
            let ask = |n: &str| call::resume_after(number(n) as u32, n);
            let answers: Vec<bool> = act.1.split(' ').map(ask).collect();
            log::write(log::Level::Info, &format!("{answers:?} {:?}", call::memo()));
            if act.0 == "resume" { Ok(("", "")) } else { Err(HookError::Failed("after all".into())) }
        }
        "memo" => {
            let _ = call::resume_after(1, &"x".repeat(number(act.1)));
            Ok(("", ""))
        }
        "log" => {
            (0..number(act.1)).for_each(|n| log::write(log::Level::Info, &format!("line {n}")));
            Ok(("", ""))
        }
        _ => Ok(act),
    }
}

fn effects(act: (&str, &str), target: &cases::ObjectRef) -> Result<Vec<cases::Effect>, HookError> {
    let patch =
        |edit| cases::Effect::Patch(cases::Patch { target: target.clone(), expected_version: None, edits: vec![edit] });
    let create = |body: String| {
        let attachments = Vec::new();
        cases::Effect::Create(cases::NewObject { object: "asset".into(), case_id: None, body, attachments })
    };
    Ok(match misbehave(act)? {
        ("effects", n) => (0..number(n)).map(|_| patch(cases::Edit::AddTag("x".into()))).collect(),
        ("text", n) => vec![patch(cases::Edit::AppendDescription("x".repeat(number(n))))],
        ("tag", tag) => vec![patch(cases::Edit::AddTag(tag.into()))],
        ("asset", name) => vec![create(format!("{{\"asset_name\":\"{name}\",\"asset_type_id\":9}}"))],
        ("half", tag) => vec![patch(cases::Edit::AddTag(tag.into())), create("{\"asset_type_id\":9}".into())],
        ("deep", n) => vec![create("[".repeat(number(n)))],
        ("", _) => vec![],
        (other, _) => return Err(HookError::Failed(format!("no such act: {other}"))),
    })
}

impl cases::Guest for Rogue {
    fn subscriptions() -> Vec<cases::Subscription> {
        let after = |synchronous| cases::AfterFilter { object: None, action: None, synchronous };
        let menu = cases::MenuEntry { object: "asset".into(), title: "Misbehave".into() };
        let one = |id: &str, moment| cases::Subscription { id: id.into(), moment };
        vec![
            one("asks", cases::Moment::Before(cases::CaseFilter { object: None, action: None })),
            one("at-once", cases::Moment::After(after(true))),
            one("later", cases::Moment::After(after(false))),
            one("click", cases::Moment::Manual(menu)),
        ]
    }

    fn before(
        id: String,
        _: cases::Context,
        _: cases::Event,
        proposal: cases::Proposal,
    ) -> Result<cases::Judgement, HookError> {
        let Some(act) = act(&id, &proposal.body) else { return Ok(cases::Judgement::Unchanged) };
        Ok(match misbehave(act)? {
            ("deny", reason) => cases::Judgement::Denied(reason.into()),
            ("flood", n) => cases::Judgement::Replaced(format!("{{\"x\":\"{}\"}}", "x".repeat(number(n)))),
            ("replace", text) => cases::Judgement::Replaced(text.replace('\'', "\"")),
            ("deep", n) => cases::Judgement::Replaced("[".repeat(number(n))),
            ("", _) => cases::Judgement::Unchanged,
            (other, _) => return Err(HookError::Failed(format!("no such act: {other}"))),
        })
    }

    fn after(
        id: String,
        _: cases::Context,
        _: cases::Event,
        objects: Vec<cases::Written>,
    ) -> Result<cases::Outcome, HookError> {
        let mut done = cases::Outcome { effects: vec![], tasks: vec![] };
        for object in objects.iter().filter_map(|written| written.new.as_ref()) {
            if let Some(act) = act(&id, &object.body) {
                done.effects.extend(effects(act, &object.target)?);
            }
        }
        Ok(done)
    }

    fn manual(
        id: String,
        _: cases::Context,
        _: cases::Event,
        objects: Vec<cases::CaseObject>,
    ) -> Result<cases::ManualOutcome, HookError> {
        let mut done = cases::ManualOutcome { effects: vec![], tasks: vec![], report: None };
        for object in &objects {
            let Some(act) = act(&id, &object.body) else { continue };
            if let ("report", n) = act {
                let content = "x".repeat(number(n));
                done.report = Some(cases::Report { message: "said".into(), media: cases::Media::Text, content });
                continue;
            }
            done.effects.extend(effects(act, &object.target)?);
        }
        Ok(done)
    }
}
