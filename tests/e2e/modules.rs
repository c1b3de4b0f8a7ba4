//! Modules come, change and go while datapoints flow. No request fails, no task is lost, and what a module no longer
//! does, it does not do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::harness::{Client, Server, Site, assert_reconciled, example, wait_for};

/// Sends one datapoint after another, each about a new address, until it is told to stop.
struct Flow {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    thread: JoinHandle<Vec<String>>,
}

impl Flow {
    fn start(client: &Client) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (client, stopped, count) = (client.clone(), stop.clone(), sent.clone());
        let thread = std::thread::spawn(move || {
            let mut failed = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                let n = count.load(Ordering::SeqCst);
                let eid = std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string();
                let body = json!([
                    {"type": "ip", "id": eid, "attr": "hostname", "v": "a"},
                    {"type": "ip", "id": eid, "attr": "open_ports", "v": 22, "t1": "2024-01-01T00:00:00Z"},
                ]);
                let answer = client.post("/datapoints", &body);
                if answer.status != 200 {
                    failed.push(format!("{} {}", answer.status, answer.body));
                }
                count.fetch_add(1, Ordering::SeqCst);
            }
            failed
        });
        Self { stop, sent, thread }
    }

    /// Waits until some more datapoints were accepted: what happened before has met traffic.
    #[track_caller]
    fn let_pass(&self) {
        let goal = self.sent.load(Ordering::SeqCst) + 20;
        wait_for("datapoints to be accepted", || self.thread.is_finished() || self.sent.load(Ordering::SeqCst) >= goal);
        assert!(!self.thread.is_finished(), "the sender ended");
    }

    /// Ends it and gives the number of requests.
    #[track_caller]
    fn end(self) -> u32 {
        self.stop.store(true, Ordering::SeqCst);
        assert_eq!(self.thread.join().unwrap(), Vec::<String>::new(), "requests failed");
        self.sent.load(Ordering::SeqCst)
    }
}

/// Sends a datapoint about an address of its own and gives what became of it.
fn probe(server: &Server, number: u8) -> Value {
    let eid = format!("192.0.2.{number}");
    server.post_datapoints(&json!([
        {"type": "ip", "id": eid, "attr": "hostname", "v": "a"},
        {"type": "ip", "id": eid, "attr": "open_ports", "v": 22, "t1": "2024-01-01T00:00:00Z"},
    ]));
    server.settle();
    server.master("ip", &eid)
}

fn names(server: &Server) -> Vec<String> {
    let modules = server.running_set()["modules"].clone();
    modules.as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn modules_change_under_traffic() {
    let mut server = Server::start(&Site::new());
    let flow = Flow::start(&server);
    let act = |path: &str| server.post(path, &json!({})).expect(200);

    flow.let_pass();
    server.install("label", &example("label"));
    flow.let_pass();
    assert_eq!(probe(&server, 1)["label"]["v"], "documentation");

    // Another component under the same name: what the first did stops, what the second does begins.
    let upgraded = server.install("label", &example("services"));
    assert_eq!(upgraded["versions"].as_array().unwrap().len(), 2, "{upgraded}");
    flow.let_pass();
    let after = probe(&server, 2);
    assert_eq!((&after["label"], &after["services"][0]["v"]), (&Value::Null, &json!("ssh")), "{after}");

    act("/api/v1/modules/label/disable");
    flow.let_pass();
    assert_eq!(probe(&server, 3)["services"], Value::Null);
    // The probe has settled after the switch, so no call is under way any more.
    let calls = server.calls("label", "on-new-attribute");
    flow.let_pass();
    assert_eq!(probe(&server, 6)["services"], Value::Null);
    assert_eq!(server.calls("label", "on-new-attribute"), calls, "a disabled module was called");

    act("/api/v1/modules/label/enable");
    flow.let_pass();
    assert_eq!(probe(&server, 4)["services"][0]["v"], "ssh");

    server.install("again", &example("label"));
    server.delete("/api/v1/modules/label").expect(200);
    flow.let_pass();
    let after = probe(&server, 5);
    assert_eq!((&after["label"]["v"], &after["services"]), (&json!("documentation"), &Value::Null), "{after}");
    assert_eq!(server.get("/api/v1/modules/label").status, 404);

    // Swapped to and fro as fast as it goes.
    for round in 0..10 {
        server.install("again", &example(if round % 2 == 0 { "services" } else { "label" }));
    }
    flow.let_pass();
    let sent = flow.end();
    let status = server.settle();
    assert_reconciled(&status);
    assert_eq!((&status["tasks"]["dead"], &status["tasks"]["denied"]), (&json!(0), &json!(0)), "{status}");
    // Two datapoints with each request, and as many with each probe.
    assert_eq!(status["datapoints"]["received"], 2 * (sent + 6), "{status}");
    assert_eq!(status["entities"]["ip"], sent + 6, "{status}");
    assert_eq!((server.errors("again"), server.errors("label")), (vec![], vec![]));
    server.assert_well();
}

#[test]
fn a_subscription_is_switched_off_and_on() {
    let mut server = Server::start(&Site::new());
    server.install("label", &example("label"));
    server.install("services", &example("services"));
    let hooks = server.read("/api/v1/hooks")["hooks"].clone();
    let hook = hooks.as_array().unwrap().iter().find(|h| h["module"] == "services").unwrap();
    assert_eq!(
        (&hook["kind"], &hook["etype"], &hook["attr"]),
        (&json!("on-new-attribute"), &json!("ip"), &json!("open_ports"))
    );
    let path = format!("/api/v1/hooks/services/{}", hook["subscription"].as_str().unwrap());
    let switch =
        |server: &Server, what: &str| server.post(&format!("{path}/{what}"), &json!({})).expect(200)["enabled"].clone();

    assert_eq!(switch(&server, "deregister"), false);
    assert_eq!(switch(&server, "deregister"), false, "twice is once");
    let without = probe(&server, 1);
    assert_eq!((&without["services"], &without["label"]["v"]), (&Value::Null, &json!("documentation")), "{without}");
    server.restart();
    assert_eq!(probe(&server, 2)["services"], Value::Null, "forgotten over a restart");
    let shown = server.read("/api/v1/hooks")["hooks"].clone();
    let shown: Vec<&Value> = shown.as_array().unwrap().iter().map(|h| &h["enabled"]).collect();
    assert_eq!(shown, [&json!(true), &json!(false)]);

    assert_eq!(switch(&server, "register"), true);
    assert_eq!(switch(&server, "register"), true);
    assert_eq!(probe(&server, 3)["services"][0]["v"], "ssh");
    server.restart();
    assert_eq!(probe(&server, 4)["services"][0]["v"], "ssh");

    let unknown = server.post("/api/v1/hooks/services/none/register", &json!({}));
    assert_eq!(unknown.status, 422, "{}", unknown.body);
    // As in the reference of hooks: to switch off what is not there is no error.
    assert_eq!(server.post("/api/v1/hooks/services/none/deregister", &json!({})).status, 200);
    assert_eq!(server.post("/api/v1/hooks/none/none/register", &json!({})).status, 404);
}

#[test]
fn a_module_waits_for_its_grants() {
    let mut server = Server::start(&Site::new());
    let answer = server.upload("count-tasks", &example("count-tasks")).expect(200);
    let missing = json!([{"capability": "state", "scope": ""}]);
    assert_eq!((&answer["state"], &answer["missing_grants"]), (&json!("waiting"), &missing), "{answer}");
    probe(&server, 1);
    assert_eq!(server.calls("count-tasks", "on-task-start"), 0);

    let refused = server.post("/api/v1/modules/count-tasks/grants", &json!({"capability": "stat"}));
    assert_eq!(refused.status, 422, "{}", refused.body);
    insta::assert_snapshot!(refused.json()["detail"].as_str().unwrap(), @r#""stat" is no capability, did you mean "state"?; tenter grant --help lists them"#);
    assert_eq!(server.anonymous().post("/api/v1/modules/count-tasks/grants", &missing[0]).status, 403);
    probe(&server, 2);
    assert_eq!(server.calls("count-tasks", "on-task-start"), 0);

    let granted = server.post("/api/v1/modules/count-tasks/grants", &missing[0]).expect(200);
    assert_eq!(granted["missing_grants"], json!([]), "{granted}");
    assert_eq!(granted["grants"], json!([{"capability": "state", "scope": "", "origin": "operator"}]));
    probe(&server, 3);
    assert_eq!(server.calls("count-tasks", "on-task-start"), 1);

    server.restart();
    probe(&server, 4);
    assert_eq!(server.calls("count-tasks", "on-task-start"), 1, "counted since the start");

    server.delete("/api/v1/modules/count-tasks/grants?capability=state&scope=").expect(200);
    probe(&server, 5);
    assert_eq!(server.calls("count-tasks", "on-task-start"), 1);
    let shown = server.read("/api/v1/modules/count-tasks");
    assert_eq!((&shown["enabled"], &shown["missing_grants"]), (&json!(true), &missing), "{shown}");
    assert_eq!(server.errors("count-tasks"), Vec::<Value>::new());
}

#[test]
fn a_version_that_asks_for_more_waits_while_the_old_one_serves() {
    let server = Server::start(&Site::new());
    server.install("worker", &example("label"));
    let answer = server.upload("worker", &example("services")).expect(200);
    assert_eq!(answer["state"], "waiting", "{answer}");
    assert_eq!(answer["missing_grants"], json!([{"capability": "write-entities", "scope": "ip.services"}]), "{answer}");
    let before = probe(&server, 1);
    assert_eq!((&before["label"]["v"], &before["services"]), (&json!("documentation"), &Value::Null), "{before}");
    server.post("/api/v1/modules/worker/grants", &answer["missing_grants"][0]).expect(200);
    let after = probe(&server, 2);
    assert_eq!((&after["label"], &after["services"][0]["v"]), (&Value::Null, &json!("ssh")), "{after}");
}

#[test]
fn grants_of_the_site_are_the_sites() {
    let site = Site::new().tenter("modules:\n  count-tasks:\n    grants:\n      - {capability: state}\n");
    let server = Server::start(&site);
    let answer = server.upload("count-tasks", &example("count-tasks")).expect(200);
    assert_eq!(answer["state"], "active", "{answer}");
    let revoked = server.delete("/api/v1/modules/count-tasks/grants?capability=state&scope=");
    assert_eq!(revoked.status, 422, "{}", revoked.body);
    insta::assert_snapshot!(revoked.json()["detail"].as_str().unwrap(), @"state is granted to count-tasks by tenter.yml; take it out there (modules.count-tasks.grants) and restart");
    probe(&server, 1);
    assert_eq!(server.calls("count-tasks", "on-task-start"), 1);
}

#[test]
fn order_and_switches_outlive_the_process() {
    let site = Site::new().enabled(&["services", "label"]);
    let mut server = Server::start(&site);
    for name in ["second", "first"] {
        server.install(name, &example("label"));
    }
    server.install("label", &example("label"));
    server.install("services", &example("services"));
    server.post("/api/v1/modules/first/disable", &json!({})).expect(200);
    // The modules that the site names, in its order; then the others, as they were uploaded.
    assert_eq!(names(&server), ["services", "label", "second", "first"]);
    let before = server.running_set();
    server.restart();
    assert_eq!(server.running_set(), before);
    server.crash_and_restart();
    assert_eq!(server.running_set(), before);
    let after = probe(&server, 1);
    assert_eq!((&after["label"]["v"], &after["services"][0]["v"]), (&json!("documentation"), &json!("ssh")), "{after}");
    assert_eq!(server.calls("first", "on-entity-creation"), 0);
    assert_eq!(server.calls("second", "on-entity-creation"), 1);
}
