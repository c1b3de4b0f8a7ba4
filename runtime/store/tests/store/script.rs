//! A short history that touches every table, and all that is left of it. Told twice it is the same history: each step
//! looks first whether it was done.

use std::hash::{BuildHasher as _, RandomState};

use proptest::test_runner::{Config, RngSeed, TestRunner};
use tenter_model::Timestamp;
use tenter_model::host::StateWrite;
use tenter_model::task::Queue;
use tenter_store::{
    Admission, AdmitKey, Counters, DeadFilter, DeadKind, Effect, ErrorFilter, InvocationFilter, InvocationId,
    InvocationOutcome, InvocationRow, LinkChange, RawFilter, Reader, Store, TaskOutcome,
};

use crate::chores;
use crate::fixtures::*;
use crate::modules::{ONE, install};

/// The steps in their order.
pub(crate) fn steps() -> impl Iterator<Item = &'static str> {
    ["admitted", "keyed", "committed", "postponed", "careful", "installed"].into_iter().chain(chores::STEPS)
}

pub(crate) fn invocation(n: u32) -> InvocationRow {
    let subscription = tenter_model::SubscriptionId::new("s").unwrap();
    InvocationRow {
        id: InvocationId::of(id(1), &module("label"), &subscription, n, 1),
        at: NOW.saturating_add(i64::from(n)),
        module: module("label"),
        version: "1.0.0".into(),
        digest: ONE.into(),
        hook: tenter_model::HookKind::OnNewAttribute,
        subscription,
        task: Some(id(1)),
        datapoint: Some(n),
        entity: Some(entity("a")),
        attempt: 1,
        outcome: InvocationOutcome::Ok,
        reason: None,
        usage: tenter_model::host::Usage { fuel: 5, ..Default::default() },
        logs: Vec::new(),
        output: b"[]".to_vec(),
        cut: false,
    }
}

pub(crate) fn first_tasks() -> Vec<tenter_model::Task> {
    vec![task(1, "a"), task(2, "b"), task(3, "c")]
}

/// Tells the history. `said` gets each step when it is answered, and whether it had been done before.
pub(crate) fn run(store: &Store, said: &mut dyn FnMut(&'static str, bool)) {
    let reader = store.reader().unwrap();
    let answers = admit(store, first_tasks());
    said("admitted", answers == [Admission::Duplicate; 3]);

    let key = AdmitKey { scope: "local".into(), key: "k".into(), body_digest: [1; 32] };
    said("keyed", store.admit_keyed_blocking(key, vec![task(4, "d")], NOW).unwrap().repeated);

    let find = |n: u8| pending(&reader, Queue::Normal).into_iter().find(|p| p.task.id == id(n));
    let one = find(1);
    if let Some(one) = &one {
        let mut given = applying(&reader, one, vec![point("x", 1), point("y", 2)]);
        if let Effect::Apply { links, .. } = &mut given.effect {
            links.push(LinkChange::Replace { attr: attr("z"), targets: vec![entity("b")] });
        }
        given.follow_ups = vec![follow_up(&one.task, 0, "b"), follow_up(&one.task, 1, "c")];
        given.dead = vec![letter(&follow_up(&one.task, 2, "b"), DeadKind::Depth)];
        given.errors = vec![error("label", "fuel")];
        given.state = vec![(module("label"), vec![StateWrite::Add { key: "n".into(), by: 1 }], Vec::new())];
        given.invocations = vec![invocation(0), invocation(1)];
        store.commit_blocking(TaskOutcome { at: NOW, ..given }).unwrap();
    }
    said("committed", one.is_none());

    let two = find(2).unwrap();
    if two.attempts == 0 {
        store.postpone_blocking(two.seq, id(2), 1, NOW, vec![error("label", "deadline")]).unwrap();
    }
    said("postponed", two.attempts == 1);

    let three = find(3).unwrap();
    store.begin_careful_blocking(three.seq, id(3), None, None).unwrap();
    said("careful", true);

    let installed = !reader.modules().unwrap().is_empty();
    if !installed {
        store.install_module(install("label", ONE, "1", "1.0.0")).unwrap();
    }
    said("installed", installed);
    chores::run(store, &reader, said);
}

/// All that can be read, as text. Repeated requests are counted, so that this count is left out.
///
/// # Errors
/// The first thing that cannot be read.
pub(crate) fn dump(reader: &Reader) -> Result<String, tenter_store::StoreError> {
    let mut out = Vec::new();
    let counters = Counters { duplicates: 0, ..reader.counters()? };
    out.push(format!("{counters:?}"));
    chores::dump(reader, &mut out)?;
    for queue in [Queue::Priority, Queue::Normal] {
        out.push(format!("{:?}", reader.pending(queue, None, 0, 1, 1000)?));
    }
    let etype = tenter_model::EntityType::new("ip").unwrap();
    out.push(format!("{}", reader.entity_count(&etype)?));
    for eid in reader.entities(&etype, None, 1000)? {
        let entity = tenter_model::EntityRef { etype: etype.clone(), eid };
        out.push(format!("{:?}", reader.record(&entity)?));
        out.push(format!("{:?} {:?}", reader.links_from(&entity)?, reader.links_to(&entity)?));
    }
    out.push(format!("{:?}", reader.raw(&RawFilter { limit: 1000, ..RawFilter::default() })?));
    out.push(format!("{:?}", reader.errors(&ErrorFilter::default(), 1000)?));
    out.push(format!("{:?}", reader.dead(&DeadFilter::default(), 1000)?));
    out.push(format!("{:?}", reader.invocations(&InvocationFilter::default(), None, 1000)?));
    out.push(format!("{:?}", reader.modules()?));
    for module in reader.modules()? {
        out.push(format!("{:?}", reader.component(&module.active.digest)?));
    }
    out.push(format!("{:?}", reader.tokens()?));
    out.push(format!("{:?}", reader.breakers()?));
    out.push(format!("{:?}", reader.state_get(&module("label"), "n", Timestamp(0))?));
    // The hash covers the time of opening, which differs from run to run.
    out.extend(reader.audit_log(0, 1000)?.into_iter().map(|r| format!("{} {} {}", r.actor, r.action, r.detail)));
    Ok(out.join("\n"))
}

/// Nothing is wrong with the database as a whole.
pub(crate) fn assert_sound(store: &Store) {
    let reader = store.reader().unwrap();
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
    let counters = reader.counters().unwrap();
    assert!(counters.reconciles(), "{counters:?}");
    assert_eq!(reader.audit().unwrap(), counters);
    assert_eq!(reader.verify_audit().unwrap().first_broken, None);
}

/// How often the long tests repeat: few times, or as many as a release needs with `TENTER_EXTENT=full`.
pub(crate) fn extent(few: u32, full: u32) -> u32 {
    let asked = std::env::vars_os().any(|(k, v)| k == "TENTER_EXTENT" && v == "full");
    if asked { full } else { few }
}

/// The seed of what is made at random: `TENTER_SEED`, or a new one. It is printed, so that a failure can be repeated.
pub(crate) fn seed() -> u64 {
    let given = std::env::vars_os().find(|(k, _)| k == "TENTER_SEED").map(|(_, v)| v.to_string_lossy().into_owned());
    let new = || RandomState::new().hash_one(0);
    let seed = given.map_or_else(new, |text| text.parse().unwrap());
    println!("TENTER_SEED={seed}");
    seed
}

/// Runs one property over that many cases.
pub(crate) fn runner(seed: u64, cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(seed), ..Config::default() })
}
