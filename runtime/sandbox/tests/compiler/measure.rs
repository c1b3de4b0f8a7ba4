//! Prints what components cost, for the table of `docs/limits.md`.

use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use tenter_model::hook::HookKind;
use tenter_model::host::{CallCause, HookCall, HookHost as _};
use tenter_sandbox::{Compiler, Sandbox, SandboxOptions};

use crate::confined::me;
use crate::support::{Data, NOW, admit, datapoint, entity, settings};

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
        for n in 0..3 {
            let call = HookCall {
                module: &module,
                kind: HookKind::OnNewAttribute,
                subscription: &subscription.id,
                id: format!("call-{n}"),
                time: NOW,
                cause: CallCause::Normal,
            };
            let done = lane.on_new_attribute(&call, &entity(), &datapoint("a.example"));
            let tasks = done.outcome.map(|tasks| tasks.len()).map_err(|f| f.to_string());
            println!("  call {n}: {tasks:?} tasks, {:?}", done.usage);
        }
    }
}
