//! One call: warm in the sandbox beside native, and the call after an instance was thrown away.
//!
//! The function is `HostnameClass::classify` of the example module both times: linked into this program, and as the
//! component that this program carries. What the sandbox adds is everything between: conversion of arguments and
//! result, all limits set and watched, the guest's allocator, and code that wasm made slower.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use example_hostname_class::HostnameClass;
use serde_json::{Map, Value as Json, json};
use tenter_model::host::{CallCause, HookCall, HookHost, Reason};
use tenter_model::module::LoadedModule;
use tenter_model::time::Clock as _;
use tenter_model::{DataPoint, EntityRef, HookKind, Scalar, Value};
use tenter_sdk::Module as _;

use super::Extent;
use super::meter::{load_average, median, rounded, thread_cpu};
use super::world::{self, World};
use crate::clock::SystemClock;

/// Bytes of a name that takes more fuel than an instance needs to start.
const LONG_NAME: usize = 64 << 10;

/// Measures calls and replacements.
///
/// # Errors
/// When a call does not do what it is to be measured at.
pub(super) fn measure(world: &World, extent: Extent) -> anyhow::Result<Map<String, Json>> {
    let mut report = Map::new();
    let calls = calls(world, extent.of(31, 3), extent.of(10_000, 50))?;
    let replaced = replacements(world, extent.of(201, 5))?;
    report.insert("call".into(), calls);
    report.insert("replace_us".into(), json!(rounded(replaced.ready_us)));
    report.insert(
        "replace".into(),
        json!({"exhausted_call_us": rounded(replaced.exhausted_us), "next_call_us": rounded(replaced.next_us),
               "warm_call_us": rounded(replaced.warm_us), "load_average": load_average()}),
    );
    Ok(report)
}

fn calls(world: &World, rounds: u32, times: u32) -> anyhow::Result<Json> {
    let config = json!({"entity": "host"});
    let module = world.module("hostname-class", config.clone(), None)?;
    let mut subject = Subject::new(world, &module)?;
    let mut twin = Native::new(&module)?;
    let fuel = subject.call(&world::name(7))?.usage_fuel;
    ensure!(twin.call(), "the native function found no class");

    // A number is no name: the hook returns at once, and what is left is the way in and out.
    let number = DataPoint { value: Value::Scalar(Scalar::Int(7)), ..subject.datapoint.clone() };
    let (mut native, mut warm, mut border) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let began = thread_cpu();
        for _ in 0..times {
            black_box(twin.call());
        }
        native.push((thread_cpu() - began).as_nanos() as f64 / f64::from(times));
        warm.push(subject.warm_ns(None, times)?);
        border.push(subject.warm_ns(Some(&number), times)?);
    }
    let ratio = median(native.iter().zip(&warm).map(|(native, warm)| warm / native));
    Ok(json!({
        "native_ns": rounded(median(native)),
        "warm_ns": rounded(median(warm)),
        "ratio": rounded(ratio),
        "border_ns": rounded(median(border)),
        "first_call_fuel": fuel,
        "rounds": rounds,
        "calls_per_round": times,
        "load_average": load_average(),
    }))
}

/// Microseconds on the wall.
struct Replaced {
    /// The call that ran out of fuel, with the instance's end.
    exhausted_us: f64,
    /// The call after it.
    next_us: f64,
    /// A warm call with the same arguments.
    warm_us: f64,
    /// What the replacement alone cost.
    ready_us: f64,
}

fn replacements(world: &World, times: u32) -> anyhow::Result<Replaced> {
    let config = json!({"entity": "host"});
    // Just enough fuel for an instance to start: what runs out then burns as little as can be before it does.
    let generous = world.module("generous", config.clone(), None)?;
    let fuel = Subject::new(world, &generous)?.call(&world::name(7))?.usage_fuel;
    let module = world.module("exhausted", config, Some(fuel))?;
    let mut subject = Subject::new(world, &module)?;
    let (short, long) = (world::name(7), "x".repeat(LONG_NAME));
    subject.call(&short)?;

    let (mut exhausted, mut next, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..times {
        let began = Instant::now();
        let outcome = subject.call(&long);
        exhausted.push(began.elapsed().as_secs_f64() * 1e6);
        match outcome.err().and_then(|e| e.downcast::<tenter_model::host::HookFailure>().ok()) {
            Some(failure) if failure.reason == Reason::Fuel => {}
            other => bail!("the call was to run out of fuel, but: {other:?}"),
        }
        for (list, is_warm) in [(&mut next, false), (&mut warm, true)] {
            let began = Instant::now();
            let done = subject.call(&short)?;
            list.push(began.elapsed().as_secs_f64() * 1e6);
            ensure!(done.was_warm == is_warm, "the instance was not replaced as expected");
        }
    }
    let ready_us = median(next.iter().zip(&warm).map(|(next, warm)| next - warm));
    Ok(Replaced { exhausted_us: median(exhausted), next_us: median(next), warm_us: median(warm), ready_us })
}

/// A lane with the module and what it is called with.
struct Subject<'m> {
    lane: tenter_sandbox::Lane,
    call: HookCall<'m>,
    entity: EntityRef,
    datapoint: DataPoint,
}

struct Done {
    usage_fuel: u64,
    was_warm: bool,
}

impl<'m> Subject<'m> {
    fn new(world: &World, module: &'m Arc<LoadedModule>) -> anyhow::Result<Self> {
        let subscription = module.subscriptions.first().context("the module subscribes to nothing")?;
        let call = HookCall {
            module,
            kind: HookKind::OnNewAttribute,
            subscription: &subscription.id,
            id: "bench:call".into(),
            time: SystemClock.now(),
            cause: CallCause::Normal,
        };
        let lane = world.sandbox().lane(world.nothing()?);
        let datapoint = world::datapoint("hostname", world::name(7), None)?;
        Ok(Self { lane, call, entity: world::entity("host", "host-7")?, datapoint })
    }

    /// One call that must return one task with one datapoint; a failure is a [`tenter_model::host::HookFailure`].
    fn call(&mut self, name: &str) -> anyhow::Result<Done> {
        let datapoint = world::datapoint("hostname", name.to_owned(), None)?;
        let invocation = self.lane.on_new_attribute(&self.call, &self.entity, &datapoint);
        let tasks = invocation.outcome?;
        let fits = tasks.len() == 1 && tasks.iter().all(|t| t.datapoints.len() == 1);
        ensure!(fits, "the hook was to return one task with one datapoint, but: {tasks:?}");
        Ok(Done { usage_fuel: invocation.usage.fuel, was_warm: invocation.usage.warm })
    }

    /// CPU time of one call in nanoseconds, from so many; with another datapoint than the usual one, if there is one.
    fn warm_ns(&mut self, other: Option<&DataPoint>, times: u32) -> anyhow::Result<f64> {
        let datapoint = other.unwrap_or(&self.datapoint);
        let began = thread_cpu();
        for _ in 0..times {
            black_box(self.lane.on_new_attribute(&self.call, black_box(&self.entity), black_box(datapoint))).outcome?;
        }
        Ok((thread_cpu() - began).as_nanos() as f64 / f64::from(times))
    }
}

/// The same function of the same crate, linked natively.
struct Native {
    module: HostnameClass,
    entity: tenter_sdk::EntityRef,
    datapoint: tenter_sdk::Datapoint,
}

impl Native {
    fn new(module: &LoadedModule) -> anyhow::Result<Self> {
        let mut config = module.settings.config.clone();
        // The host fills in what the operator leaves out.
        if let Some(config) = config.as_object_mut() {
            for parameter in &module.descriptor.parameters {
                if let (Some(default), false) = (&parameter.default, config.contains_key(&parameter.name)) {
                    config.insert(parameter.name.clone(), serde_json::from_str(default)?);
                }
            }
        }
        let module = HostnameClass::new(&tenter_sdk::Config::new(config.to_string()))
            .map_err(|e| anyhow::anyhow!("the native module refuses its configuration: {}", e.message()))?;
        Ok(Self {
            module,
            entity: tenter_sdk::EntityRef::new("host", "host-7"),
            datapoint: tenter_sdk::Datapoint::plain("hostname", world::name(7)).src("bench").confidence(1.0),
        })
    }

    /// Whether it returned a task. The task is made and dropped, as a caller would.
    fn call(&mut self) -> bool {
        black_box(self.module.classify(black_box(&self.entity), black_box(&self.datapoint))).is_some()
    }
}
