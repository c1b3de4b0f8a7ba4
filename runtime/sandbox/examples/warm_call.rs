//! What a warm call costs, for work on the border: `cargo run --release -p tenter-sandbox --example warm_call -- COMPONENT`.
//! The component is the example module `hostname-class`. `tenter bench` compares the same call with native code; this
//! program has no other parts, so that a profiler sees the call alone: give the number of calls as second argument.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for one who works on this package"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use tenter_model::capability::Grant;
use tenter_model::datatype::{DataType, Primitive};
use tenter_model::host::{CallCause, HookCall, HookHost, NoData};
use tenter_model::id::{EntityRef, ModuleName};
use tenter_model::module::ModuleSettings;
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec, IdType, Lifetime};
use tenter_model::time::Timestamp;
use tenter_model::{DataPoint, HookKind, Scalar, Schema, Value};
use tenter_sandbox::{AdmitRequest, Sandbox, SandboxOptions};

fn schema() -> Schema {
    let data_type = DataType::Primitive(Primitive::String);
    let attribute = |id: &str| AttributeSpec {
        id: id.parse().unwrap(),
        name: id.into(),
        description: String::new(),
        ttl: 0,
        kind: AttributeKind::Plain { data_type: data_type.clone(), editable: false, mirror_of: None },
    };
    let attributes = ["hostname", "class"].map(attribute).into();
    let id = "host".parse().unwrap();
    Schema::new(vec![EntitySpec::new(
        id,
        IdType::String,
        "Host".into(),
        String::new(),
        true,
        Lifetime::Immortal,
        attributes,
    )])
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let bytes = std::fs::read(arguments.next().unwrap()).unwrap();
    let calls: Option<u32> = arguments.next().map(|n| n.parse().unwrap());
    let cache_dir = arguments.next().map(Into::into);
    let sandbox = Sandbox::new(SandboxOptions { lanes: 1, cache_dir }).unwrap();
    let now = Timestamp(1_700_000_000_000_000);
    let grants = vec![Grant { capability: "write-entities".into(), scope: "*".into() }];
    let config = serde_json::json!({"entity": "host"});
    let request = AdmitRequest {
        name: ModuleName::new("hostname-class").unwrap(),
        bytes: &bytes,
        settings: ModuleSettings { config, grants, ..ModuleSettings::default() },
        schema: &schema(),
        schema_json: "{}".into(),
        now,
    };
    let module = Arc::new(sandbox.admit(request, Arc::new(NoData)).unwrap());
    let mut lane = sandbox.lane(Arc::new(NoData));
    let call = HookCall {
        module: &module,
        kind: HookKind::OnNewAttribute,
        subscription: &module.subscriptions.first().unwrap().id,
        id: "bench:call".into(),
        time: now,
        cause: CallCause::Normal,
    };
    let entity = EntityRef { etype: "host".parse().unwrap(), eid: "host-7".parse().unwrap() };
    let name = |value: Scalar| DataPoint {
        attr: "hostname".parse().unwrap(),
        value: Value::Scalar(value),
        src: Some("bench".into()),
        t1: None,
        t2: None,
        confidence: Some(1.0),
    };
    let full = name(Scalar::Text("Mail-07.Example.COM".into()));
    // A number is no name: the hook returns at once, and what is left is the way in and out.
    let border = name(Scalar::Int(7));
    for (what, datapoint) in [("call", &full), ("border", &border)] {
        let mut once = || drop(black_box(lane.on_new_attribute(&call, &entity, black_box(datapoint))).outcome.unwrap());
        (0..100).for_each(|_| once());
        if let Some(calls) = calls {
            (0..calls).for_each(|_| once());
            continue;
        }
        let mut rounds: Vec<u128> = (0..31)
            .map(|_| {
                let began = Instant::now();
                (0..10_000).for_each(|_| once());
                began.elapsed().as_nanos() / 10_000
            })
            .collect();
        rounds.sort_unstable();
        println!("{what}: {} ns, at best {} ns", rounds[rounds.len() / 2], rounds[0]);
    }
}
