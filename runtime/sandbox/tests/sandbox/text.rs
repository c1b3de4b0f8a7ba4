//! The SDK's search in texts, which wasm has code of its own for: a component finds what the standard library finds.

use std::sync::Arc;

use serde_json::json;
use tenter_model::datatype::{DataType, Primitive};
use tenter_model::hook::HookKind;
use tenter_model::host::{CallCause, HookCall, HookHost};
use tenter_model::id::ModuleName;
use tenter_model::module::ModuleSettings;
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec, IdType, Lifetime};
use tenter_model::value::{Scalar, Value};
use tenter_model::{DataPoint, Schema};
use tenter_sandbox::AdmitRequest;

use crate::support::{Data, NOW, entity, guest, sandbox};

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Of few characters, so that parts are often nearly there; two of them share their first byte, and two their last.
    fn text(&mut self, longest: u64) -> String {
        let len = self.below(longest + 1);
        (0..len).map(|_| ['a', 'b', 'c', 'é', 'ĩ', 'è'][usize::try_from(self.below(6)).unwrap()]).collect()
    }
}

fn schema() -> Schema {
    let attribute = |id: &str| AttributeSpec {
        id: id.parse().unwrap(),
        name: id.into(),
        description: String::new(),
        ttl: 0,
        kind: AttributeKind::Plain {
            data_type: DataType::Primitive(Primitive::String),
            editable: false,
            mirror_of: None,
        },
    };
    let attributes = vec![attribute("hostname"), attribute("class")];
    let ip = EntitySpec::new(
        "ip".parse().unwrap(),
        IdType::Ipv4,
        "ip".into(),
        String::new(),
        true,
        Lifetime::Immortal,
        attributes,
    );
    Schema::new(vec![ip])
}

#[test]
fn a_component_finds_what_the_standard_library_finds() {
    let mut numbers = Numbers(7);
    // Long parts first: the first that fits counts.
    let mut parts: Vec<String> = (0..40).map(|n| numbers.text(1 + n % 20)).filter(|part| !part.is_empty()).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let rules: Vec<_> = parts.iter().map(|part| json!([part, part])).collect();
    let settings = ModuleSettings { config: json!({"entity": "ip", "rules": rules}), ..ModuleSettings::default() };

    let (sandbox, data) = (sandbox(), Arc::new(Data::default()));
    let bytes = std::fs::read(guest("example-hostname-class")).unwrap();
    let name = ModuleName::new("classes").unwrap();
    let request = AdmitRequest { name, bytes: &bytes, settings, schema: &schema(), schema_json: "{}".into(), now: NOW };
    let module = Arc::new(sandbox.admit(request, data.clone()).unwrap());
    let mut lane = sandbox.lane(data);
    let call = HookCall {
        module: &module,
        kind: HookKind::OnNewAttribute,
        subscription: &module.subscriptions[0].id,
        id: "call".into(),
        time: NOW,
        cause: CallCause::Normal,
    };
    let text = |text: &str| Value::Scalar(Scalar::Text(text.into()));
    let (mut found, mut missed) = (0, 0);
    for _ in 0..2_000 {
        // Around the length of one vector and of two, and of none.
        let host = numbers.text(40);
        let datapoint = DataPoint {
            attr: "hostname".parse().unwrap(),
            value: text(&host),
            src: None,
            t1: None,
            t2: None,
            confidence: None,
        };
        let tasks = lane.on_new_attribute(&call, &entity(), &datapoint).outcome.unwrap();
        let classes: Vec<&Value> = tasks.iter().flat_map(|t| &t.datapoints).map(|dp| &dp.value).collect();
        match parts.iter().find(|part| host.contains(part.as_str())) {
            Some(part) => {
                assert_eq!(classes, [&text(part)], "in {host:?}");
                found += 1;
            }
            None => {
                assert_eq!(classes, Vec::<&Value>::new(), "in {host:?}");
                missed += 1;
            }
        }
    }
    assert!(found > 100 && missed > 20, "{found} found, {missed} not");
}
