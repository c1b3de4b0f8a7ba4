//! A host for one module: data in memory, a schema of two types, and calls in one line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use tenter_model::capability::Grant;
use tenter_model::datatype::{DataType, ElementType, LinkType, Primitive};
use tenter_model::hook::HookKind;
use tenter_model::host::{CallCause, HookCall, HookFailure, HookHost, HostData, Invocation, Reason};
use tenter_model::id::{EntityRef, ModuleName, SubscriptionId};
use tenter_model::module::{LoadedModule, ModuleSettings};
use tenter_model::record::MasterRecord;
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec, HistoryParams, IdType, Lifetime, TimeseriesType};
use tenter_model::task::TaskBody;
use tenter_model::time::Timestamp;
use tenter_model::value::{Scalar, Value};
use tenter_model::{DataPoint, Schema};
use tenter_sandbox::{AdmitError, AdmitRequest, Lane, Sandbox, SandboxOptions};

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

#[derive(Default)]
pub(crate) struct Data {
    pub(crate) state: Mutex<BTreeMap<String, (Vec<u8>, u64)>>,
    pub(crate) bytes: Mutex<u64>,
    pub(crate) record: Mutex<Option<MasterRecord>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl HostData for Data {
    fn read_record(&self, entity: &EntityRef) -> Result<Option<MasterRecord>, String> {
        self.asked.lock().unwrap().push(entity.to_string());
        if entity.eid.as_str() == "192.0.2.66" {
            Err("disk on fire".into())
        } else {
            Ok(self.record.lock().unwrap().clone())
        }
    }
    fn is_known(&self, entity: &EntityRef) -> Result<bool, String> {
        self.asked.lock().unwrap().push(entity.to_string());
        Ok(self.record.lock().unwrap().is_some())
    }
    fn state_get(&self, _: &ModuleName, key: &str, _: Timestamp) -> Result<Option<(Vec<u8>, u64)>, String> {
        Ok(self.state.lock().unwrap().get(key).cloned())
    }
    fn state_keys(
        &self,
        _: &ModuleName,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
        _: Timestamp,
    ) -> Result<Vec<String>, String> {
        let state = self.state.lock().unwrap();
        let keys = state.keys().filter(|k| k.starts_with(prefix) && after.is_none_or(|a| k.as_str() > a));
        Ok(keys.take(limit as usize).cloned().collect())
    }
    fn state_bytes(&self, _: &ModuleName) -> Result<u64, String> {
        Ok(*self.bytes.lock().unwrap())
    }
}

pub(crate) fn schema() -> Schema {
    let attribute = |id: &str, kind| AttributeSpec {
        id: id.parse().unwrap(),
        name: id.into(),
        description: String::new(),
        ttl: 0,
        kind,
    };
    let plain = |data_type| AttributeKind::Plain { data_type, editable: false, mirror_of: None };
    let observed = AttributeKind::Observations {
        data_type: DataType::Primitive(Primitive::String),
        editable: false,
        confidence: true,
        multi_value: true,
        history: HistoryParams::default(),
        force_graph: false,
    };
    let traffic = AttributeKind::Timeseries {
        kind: TimeseriesType::Irregular,
        series: Vec::new(),
        max_age: None,
        time_step: None,
    };
    let to_asn = LinkType { to: "asn".parse().unwrap(), data: None, mirror: None };
    let entity = |id: &str, id_type, attributes| {
        EntitySpec::new(id.parse().unwrap(), id_type, id.into(), String::new(), true, Lifetime::Immortal, attributes)
    };
    Schema::new(vec![
        entity(
            "ip",
            IdType::Ipv4,
            vec![
                attribute("hostname", observed),
                attribute("label", plain(DataType::Primitive(Primitive::String))),
                attribute("class", plain(DataType::Primitive(Primitive::String))),
                attribute("traffic", traffic),
                attribute("asn", plain(DataType::Set(ElementType::Link(to_asn)))),
            ],
        ),
        entity("asn", IdType::Int, vec![attribute("name", plain(DataType::Primitive(Primitive::String)))]),
    ])
}

/// All tests share compiled code.
pub(crate) fn sandbox() -> Sandbox {
    let cache_dir = Some(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    Sandbox::new(SandboxOptions { cache_dir, lanes: 1 }).unwrap()
}

pub(crate) fn villain() -> Vec<u8> {
    std::fs::read(guest("tenter-villain")).unwrap()
}

pub(crate) fn admit(
    sandbox: &Sandbox,
    bytes: &[u8],
    settings: ModuleSettings,
    data: Arc<dyn HostData>,
) -> Result<LoadedModule, AdmitError> {
    let name = ModuleName::new("villain").unwrap();
    let schema_json = "{\"ip\":{}}".into();
    sandbox.admit(AdmitRequest { name, bytes, settings, schema: &schema(), schema_json, now: NOW }, data)
}

/// Settings with the mandatory parameter set.
pub(crate) fn settings(config: Json) -> ModuleSettings {
    let mut all = json!({ "must": "be" });
    for (key, value) in config.as_object().into_iter().flatten() {
        all[key] = value.clone();
    }
    ModuleSettings { config: all, ..ModuleSettings::default() }
}

/// A villain in a lane of its own.
pub(crate) struct Host {
    pub(crate) sandbox: Sandbox,
    pub(crate) data: Arc<Data>,
    pub(crate) lane: Lane,
    pub(crate) module: Arc<LoadedModule>,
    pub(crate) id: String,
    pub(crate) time: Timestamp,
}

impl Host {
    pub(crate) fn new(settings: ModuleSettings) -> Self {
        Self::of("tenter-villain", settings)
    }

    /// Another guest than the villain.
    pub(crate) fn of(package: &'static str, settings: ModuleSettings) -> Self {
        let (sandbox, data) = (sandbox(), Arc::new(Data::default()));
        let bytes = std::fs::read(guest(package)).unwrap();
        let module = Arc::new(admit(&sandbox, &bytes, settings, data.clone()).unwrap());
        let lane = sandbox.lane(data.clone());
        Self { sandbox, data, lane, module, id: "call-1".into(), time: NOW }
    }

    pub(crate) fn with_limit(name: &str, value: u64) -> Self {
        let mut settings = settings(json!({}));
        settings.limits.insert(name.into(), value);
        Self::new(settings)
    }

    pub(crate) fn granted(grants: &[(&str, &str)]) -> Self {
        let mut settings = settings(json!({}));
        let grant = |(c, s): &(&str, &str)| Grant { capability: (*c).into(), scope: (*s).into() };
        settings.grants = grants.iter().map(grant).collect();
        Self::new(settings)
    }

    /// Makes a call of this kind and subscription.
    pub(crate) fn call<T>(
        &mut self,
        kind: HookKind,
        subscription: &str,
        f: impl FnOnce(&mut Lane, &HookCall<'_>) -> Invocation<T>,
    ) -> Invocation<T> {
        let subscription = SubscriptionId::new(subscription).unwrap();
        let call = HookCall {
            module: &self.module,
            kind,
            subscription: &subscription,
            id: self.id.clone(),
            time: self.time,
            cause: CallCause::Normal,
        };
        f(&mut self.lane, &call)
    }

    /// Lets the villain act in `on-new-attribute`.
    pub(crate) fn act(&mut self, what: &str) -> Invocation<Vec<TaskBody>> {
        let datapoint = datapoint(what);
        self.call(HookKind::OnNewAttribute, "attr", |lane, call| lane.on_new_attribute(call, &entity(), &datapoint))
    }

    /// Tags of the one task that it returns.
    #[track_caller]
    pub(crate) fn tags(&mut self, what: &str) -> Vec<String> {
        let invocation = self.act(what);
        let tasks = invocation.outcome.unwrap_or_else(|f| panic!("{what}: {f:?}"));
        tasks.into_iter().next().expect("one task").tags
    }

    /// The failure, after which a benign call must find a fresh instance.
    #[track_caller]
    pub(crate) fn fault(&mut self, what: &str) -> HookFailure {
        let before: u64 = self.tags("count")[0].parse().unwrap();
        let failed = self.act(what);
        assert!(failed.usage.warm, "{what} was to be called in a warm instance");
        assert!(failed.state.is_empty() && failed.reads.is_empty(), "state of a failed call counts");
        let failure = failed.outcome.expect_err(what);
        let after = self.act("count");
        assert!(!after.usage.warm, "{what} left its instance behind");
        assert_eq!(after.outcome.unwrap()[0].tags, ["1"], "{what} came after {before} calls");
        assert!(failure.message.len() <= 2048 && !failure.message.contains('\u{1b}'), "{failure:?}");
        failure
    }

    /// As [`Host::fault`], for a reason that its message explains.
    #[track_caller]
    pub(crate) fn faults_with(&mut self, what: &str, reason: Reason) -> String {
        let failure = self.fault(what);
        assert_eq!(failure.reason, reason, "{what}: {failure:?}");
        assert!(failure.message.contains(reason.hint()), "{what}: {}", failure.message);
        failure.message.replace(&format!("; {}", reason.hint()), "")
    }
}

pub(crate) fn entity() -> EntityRef {
    EntityRef { etype: "ip".parse().unwrap(), eid: "192.0.2.1".parse().unwrap() }
}

pub(crate) fn datapoint(text: &str) -> DataPoint {
    DataPoint {
        attr: "hostname".parse().unwrap(),
        value: Value::Scalar(Scalar::Text(text.into())),
        src: Some("test".into()),
        t1: Some(NOW),
        t2: Some(NOW.saturating_add(5)),
        confidence: Some(0.5),
    }
}

pub(crate) fn task(tag: &str) -> TaskBody {
    let mut task = TaskBody::new(entity());
    task.datapoints.push(datapoint("a.example"));
    task.ttl_tokens.push(("base".into(), Some(NOW)));
    task.tags.push(tag.into());
    task
}

/// The component of a guest of `tests/guests`, built once for all tests of this process.
pub(crate) fn guest(package: &'static str) -> std::path::PathBuf {
    static BUILT: std::sync::Mutex<std::collections::BTreeMap<&str, std::path::PathBuf>> =
        std::sync::Mutex::new(std::collections::BTreeMap::new());
    let mut built = BUILT.lock().unwrap();
    built.entry(package).or_insert_with(|| tenter_guest_build::at_test(package)).clone()
}
