//! Prints what components cost, for the tables of `docs/limits.md` and `docs/languages.md`: the same example,
//! `hostname-class`, in each language.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tenter_model::hook::HookKind;
use tenter_model::host::{CallCause, HookCall, HookHost as _};
use tenter_sandbox::{Compiler, Sandbox, SandboxOptions};

use crate::confined::me;
use crate::support::{Data, NOW, admit, datapoint, entity, settings};

/// Calls of a component that are looked at.
const CALLS: usize = 2_000;

pub(crate) fn all(files: &[String]) {
    for file in files {
        let bytes = std::fs::read(file).unwrap();
        let sandbox = Sandbox::new(SandboxOptions { cache_dir: None, lanes: 1 }).unwrap();
        let sandbox = sandbox.compile_with(Compiler::child(me()));
        let data = Arc::new(Data::default());
        let begun = Instant::now();
        let module = match admit(&sandbox, &bytes, settings(json!({})), data.clone()) {
            Ok(module) => Arc::new(module),
            Err(error) => {
                println!("{file}: {} bytes, refused: {}: {}", bytes.len(), error.code, error.message);
                continue;
            }
        };
        println!("{file}: {} bytes, admitted in {} ms", bytes.len(), begun.elapsed().as_millis());
        let Some(subscription) = module.subscriptions.iter().find(|s| s.moment.kind() == HookKind::OnNewAttribute)
        else {
            continue;
        };
        let mut lane = sandbox.lane(data);
        let mut call = |n: usize| {
            let call = HookCall {
                module: &module,
                kind: HookKind::OnNewAttribute,
                subscription: &subscription.id,
                id: format!("call-{n}"),
                time: NOW,
                cause: CallCause::Normal,
            };
            let begun = Instant::now();
            let done = lane.on_new_attribute(&call, &entity(), &datapoint("www.example.org"));
            let took = begun.elapsed();
            let tasks = done.outcome.map(|tasks| tasks.len()).map_err(|f| f.to_string());
            (tasks, done.usage, took)
        };
        for n in 0..3 {
            let (tasks, usage, _) = call(n);
            println!("  call {n}: {tasks:?} tasks, {usage:?}");
        }
        // The middle one of many, since the machine may do other things meanwhile.
        let mut warm: Vec<_> = (3..CALLS).map(&mut call).collect();
        let (tasks, usage, _) = warm.pop().unwrap();
        warm.sort_by_key(|(_, _, took)| *took);
        let of = |part: usize| warm[warm.len() * part / 100].2.as_nanos() as f64 / 1_000.0;
        println!("  call {CALLS}: {tasks:?} tasks, {usage:?}");
        println!("  warm calls: half within {:.1} us, 99 of 100 within {:.1} us", of(50), of(99));
    }
}
