//! Case hooks of real components, and hostile ones in each phase: requests are answered in time, other modules run, the
//! object is stored or refused as the policy says, and rows tell what happened.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenter_engine::case::{CaseContext, CaseError, CreateRequest, ManualRequest};
use tenter_model::ModuleName;
use tenter_model::case::{CaseObject, CaseUser, ObjectKind, ObjectRef, Trigger};
use tenter_model::config::{self, ConfigFile, SiteConfig};
use tenter_store::{Created, ErrorFilter, HookJob, JobFilter, JobState};

use super::Place;
use crate::modules::registrations::RegisterHook;

/// What both guests watch.
const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP, snapshot: true}
attribs:
  open_ports: {name: Ports, type: observations, data_type: int, multi_value: true, history_params: {post_validity: 1d}}
  hostname: {name: Hostname, type: observations, data_type: string, history_params: {post_validity: 1d}}
  label: {name: Label, type: plain, data_type: string}
  marks: {name: Marks, type: observations, data_type: string, multi_value: true, history_params: {post_validity: 1d}}
  activity:
    name: Activity
    type: timeseries
    timeseries_type: irregular
    timeseries_params: {max_age: null}
    series: {bytes: {data_type: int}}
  traffic:
    name: Traffic
    type: timeseries
    timeseries_type: irregular
    timeseries_params: {max_age: null}
    series: {bytes: {data_type: int}}
";

fn site(tenter: &str) -> SiteConfig {
    let file = |path: &str, text: &str| ConfigFile { path: path.to_owned(), text: text.to_owned() };
    let core = "worker_processes: 1\nmodules_dir: modules\nenabled_modules: [rogue, every-kind]\n";
    let files = [
        file("db_entities/ip.yml", IP),
        file("processing_core.yml", core),
        file("modules/every-kind.yml", "object: asset\nmarks: marks\n"),
        file("modules/rogue.yml", "{}\n"),
        file("snapshots.yml", "creation_rate: {year: \"9998\"}\n"),
        file("tenter.yml", tenter),
    ];
    let loaded = config::load(&files);
    loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.errors))
}

impl Place {
    fn context(&self) -> CaseContext {
        let user = CaseUser { id: 1, login: "administrator".into(), name: "Administrator".into() };
        CaseContext {
            actor: "user:administrator".into(),
            user,
            from_api: true,
            trigger: Trigger::Api,
            now: self.app.now(),
        }
    }

    pub(super) fn asset(&self, name: &str, description: &str) -> Result<Created, CaseError> {
        let body = json!({"asset_name": name, "asset_type_id": 9, "asset_description": description});
        let body = body.as_object().unwrap().clone();
        let (kind, context) = (ObjectKind::Asset, self.context());
        self.app.0.cases.create(CreateRequest { kind, case_id: Some(1), about: None, body, context })
    }

    pub(super) fn click(&self, target: ObjectRef, module: &str) {
        let request = ManualRequest {
            hook: "on_manual_trigger_asset".into(),
            module: Some(module.into()),
            entry: None,
            targets: vec![target],
            case_id: Some(1),
            context: self.context(),
        };
        assert_eq!(self.app.0.cases.manual(request).unwrap().jobs.len(), 1);
    }

    /// Waits until no job waits or runs.
    pub(super) fn jobs(&self) -> Vec<HookJob> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let filter = JobFilter::default();
            let jobs = self.app.0.cases.read(None, None, |world| world.jobs(&filter, 1_000)).unwrap();
            if jobs.iter().all(|job| !matches!(job.state, JobState::Queued | JobState::Running)) {
                return jobs;
            }
            assert!(Instant::now() < until, "jobs do not come to an end: {jobs:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn object(&self, target: ObjectRef) -> CaseObject {
        self.app.0.cases.read(None, None, |world| world.object_in(target, None)).unwrap().unwrap()
    }

    /// Calls of a kind that a guest has counted in its state.
    pub(super) fn counted(&self, module: &str, kind: &str) -> bool {
        let module = ModuleName::new(module).unwrap();
        let reader = self.app.reader().unwrap();
        reader.state_get(&module, &format!("calls/{kind}"), self.app.now()).unwrap().is_some()
    }
}

/// Fuel that is used up long before the time, so that a loop ends for the same reason on every machine.
const PATIENT: &str = "modules:\n  rogue: {quarantine: off, limits: {fuel: 100000000}, grants: [{capability: case-write, scope: \"*\"}]}\n";

#[test]
fn hostile_guests_harm_nobody_but_themselves() {
    let place = Place::new(site(PATIENT));
    place.upload("rogue", "tenter-rogue");
    place.upload("every-kind", "test-every-kind");
    // Warm: the first call of a module in a place makes its instance.
    let warm = place.asset("warm", "").unwrap().object.target;
    place.click(warm, "rogue");
    place.jobs();
    let mut seen = Vec::new();
    let acts = ["loop", "trap", "memory", "flood 5000000", "text 5000000", "effects 10001", "half x", "fail no"];
    for phase in ["asks", "at-once", "later", "click"] {
        for (n, act) in acts.iter().enumerate() {
            if phase == "asks" && matches!(*act, "text 5000000" | "effects 10001" | "half x") {
                continue;
            }
            if phase != "asks" && *act == "flood 5000000" {
                continue;
            }
            let before = place.app.reader().unwrap().errors(&ErrorFilter::default(), 1_000).unwrap().len();
            let begun = Instant::now();
            let asset = place.asset(&format!("{phase}-{n}"), &format!("act:{phase} {act}")).unwrap().object;
            let answered = begun.elapsed();
            assert!(answered < Duration::from_secs(6), "{phase} {act}: the request took {answered:?}");
            if phase == "click" {
                place.click(asset.target, "rogue");
            }
            let jobs = place.jobs();
            let stored = place.object(asset.target);
            assert_eq!(
                stored.text("asset_tags"),
                "after",
                "{phase} {act}: the other module runs, half an output counts not"
            );
            let errors = place.app.reader().unwrap().errors(&ErrorFilter::default(), 1_000).unwrap();
            let newest = errors.iter().find(|e| e.module.as_str() == "rogue").unwrap();
            let job = jobs.iter().find(|job| {
                job.module == "rogue" && job.spec.written[0].target == asset.target && job.spec.subscription == phase
            });
            let state = job.map_or("-".to_owned(), |job| format!("{} {}", job.state.name(), job.attempts));
            seen.push(format!("{phase} {act}: {} {} {state}", newest.hook, newest.reason));
            assert!(errors.len() > before, "{phase} {act} left no row");
        }
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    asks loop: before fuel -
    asks trap: before trap -
    asks memory: before memory -
    asks flood 5000000: before hostcall-fuel -
    asks fail no: before failed -
    at-once loop: after fuel dead 4
    at-once trap: after trap dead 4
    at-once memory: after memory dead 4
    at-once text 5000000: after hostcall-fuel dead 4
    at-once effects 10001: after output-count dead 1
    at-once half x: after invalid-output dead 1
    at-once fail no: after failed failed 1
    later loop: after fuel dead 4
    later trap: after trap dead 4
    later memory: after memory dead 4
    later text 5000000: after hostcall-fuel dead 4
    later effects 10001: after output-count dead 1
    later half x: after invalid-output dead 1
    later fail no: after failed failed 1
    click loop: manual fuel failed 1
    click trap: manual trap failed 1
    click memory: manual memory failed 1
    click text 5000000: manual hostcall-fuel failed 1
    click effects 10001: manual output-count failed 1
    click half x: manual invalid-output failed 1
    click fail no: manual failed failed 1
    ");
    assert!(place.counted("every-kind", "before"));
}

#[test]
fn a_fault_before_is_a_denial_where_the_operator_wants_that() {
    let place = Place::new(site("modules:\n  rogue: {on_before_fault: deny}\n"));
    place.upload("rogue", "tenter-rogue");
    place.asset("good", "").unwrap();
    for act in ["loop", "trap", "flood 5000000"] {
        let refused = place.asset("bad", &format!("act:asks {act}")).unwrap_err();
        let CaseError::Denied { module, reason } = &refused else { panic!("{refused}") };
        assert_eq!(module.as_str(), "rogue");
        assert!(reason.starts_with("it could not be asked ("), "{reason}");
    }
    let said = place.asset("bad", "act:asks deny no assets today").unwrap_err();
    assert_eq!(said.to_string(), "module rogue denies it: no assets today");
    let count = place.app.0.cases.read(None, None, |world| world.count(ObjectKind::Asset)).unwrap();
    assert_eq!(count, 1);
}

#[test]
fn the_example_makes_indicators_usable() {
    let place = Place::new(site(PATIENT));
    place.upload("defang", "example-defang");
    let kind = place
        .app
        .0
        .cases
        .read(None, None, |world| world.row_by_name(tenter_model::case::LookUpKind::IocType, "ip-dst").unwrap().id);
    let body = json!({"ioc_value": "10[.]1[.]2[.]3", "ioc_type_id": kind.unwrap()});
    let request = CreateRequest {
        kind: ObjectKind::Ioc,
        case_id: Some(1),
        about: None,
        body: body.as_object().unwrap().clone(),
        context: place.context(),
    };
    let ioc = place.app.0.cases.create(request).unwrap().object;
    assert_eq!(ioc.text("ioc_value"), "10.1.2.3");
    let request = ManualRequest {
        hook: "on_manual_trigger_ioc".into(),
        module: None,
        entry: Some("Explain".into()),
        targets: vec![ioc.target],
        case_id: Some(1),
        context: place.context(),
    };
    place.app.0.cases.manual(request).unwrap();
    let jobs = place.jobs();
    assert_eq!(place.object(ioc.target).text("ioc_tags"), "private-address");
    let clicked = jobs.iter().find(|job| job.hook == "on_manual_trigger_ioc").unwrap();
    let report: &Value = &clicked.result.as_ref().unwrap().data["report"];
    assert_eq!(report["content"], "* `10.1.2.3` is an address of a private network, which leads nowhere from outside.");
}

#[test]
fn an_operator_registers_a_module_as_iris_does() {
    let place = Place::new(site(""));
    place.upload("every-kind", "test-every-kind");
    place.upload("label", "example-label");
    let modules = place.app.modules();
    let name = |name: &str| ModuleName::new(name).unwrap();
    let register = |module: &str, hook: &str, title: Option<&str>, asynchronous| {
        let module = name(module);
        let wish = RegisterHook { actor: "test", module: &module, hook, title, asynchronous };
        modules.register_hook(&wish).unwrap_or_else(|error| error.to_string())
    };
    let (note, menu) = ("on_postload_note_directory_create", "on_manual_trigger_ioc");
    let said = [
        register("absent", menu, None, true),
        register("every-kind", note, None, true),
        register("label", menu, None, true),
        register("every-kind", menu, None, true),
        register("every-kind", menu, None, false),
        register("every-kind", menu, Some("Once more"), true),
        register("every-kind", "on_postload_asset_create", Some("left out"), false),
        register("every-kind", "on_postload_asset_create", None, true),
        register("every-kind", "on_preload_asset_create", None, true),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    there is no module absent; tenter module list shows what is there
    Hook on_postload_note_directory_create is unknown
    module label has no hooks for cases
    Hook on_manual_trigger_ioc registered
    Hook on_manual_trigger_ioc already registered
    Hook on_manual_trigger_ioc registered
    Hook on_postload_asset_create registered
    Hook on_postload_asset_create already registered
    Hook on_preload_asset_create already registered
    ");
    let menu_now = || {
        let entries = place.app.0.cases.menu("ioc");
        entries.iter().map(|entry| entry.title.clone()).collect::<Vec<_>>()
    };
    assert_eq!(menu_now(), ["every-kind::on_manual_trigger_ioc", "Once more"]);
    // A registered hook is called, with the module's handler of that phase; requests wait for a synchronous one.
    assert_eq!(place.asset("a", "").unwrap().object.text("asset_tags"), "after");
    // What is registered is kept, and goes with the module.
    let kept = || place.app.reader().unwrap().registrations().unwrap().len();
    assert_eq!(kept(), 3);
    let deregister = |hook: &str| modules.deregister_hook("test", &name("every-kind"), hook).unwrap();
    for hook in [menu, menu, "on_no_hook", "on_preload_asset_create"] {
        assert_eq!(deregister(hook), "Hook deregistered");
    }
    assert!(menu_now().is_empty());
    let off = modules.switched_off();
    assert!(
        off.iter().any(|(_, id)| id.as_str() == "before:asset.create"),
        "its own subscription is switched off: {off:?}"
    );
    assert_eq!(
        register("every-kind", "on_preload_asset_create", None, true),
        "Hook on_preload_asset_create registered"
    );
    assert!(modules.switched_off().is_empty());
    assert_eq!(kept(), 1);
    modules.remove("test", &name("every-kind")).unwrap();
    assert_eq!(kept(), 0);
}
