//! Example modules at the hooks of cases: what analysts do through IRIS's API is judged, noted and told of.

use serde_json::{Value, json};

use crate::harness::{Client, Peer, Server, Site, assert_reconciled, example, wait_for};

/// A client with a token of the first user.
fn analyst(server: &Server) -> Client {
    let made = server.post("/api/v1/tokens", &json!({"role": "analyst", "user": "administrator"})).expect(200);
    Client::new(&server.url, made["token"].as_str().map(str::to_owned))
}

fn case(name: &str, soc_id: &str) -> Value {
    json!({
        "case_name": name, "case_description": "A mail", "case_soc_id": soc_id, "case_customer": 1,
        "classification_id": 1, "custom_attributes": null,
    })
}

fn ioc(value: &str, case: &Value) -> Value {
    json!({"ioc_value": value, "ioc_type_id": 1, "ioc_tlp_id": 2, "ioc_description": "d", "ioc_tags": "mine", "cid": case})
}

/// A case that breaks the rules of the house is denied with the reason, and one that does not is made tidy.
#[test]
fn rules_of_the_house_hold_for_cases() {
    let server = Server::start(&Site::new().module("case-rules", &json!({"prefix": "IR "})));
    server.install("case-rules", &example("case-rules"));
    let analyst = analyst(&server);
    let denied = analyst.post("/manage/cases/add", &case("Phish", " "));
    assert!((400..500).contains(&denied.status), "{} {}", denied.status, denied.body);
    assert!(denied.body.contains("a case needs the number that the SOC gave it"), "{}", denied.body);
    let made = analyst.post("/manage/cases/add", &case(" Phish   mail", "S-1")).expect(200);
    assert!(made["data"]["case_name"].as_str().unwrap().ends_with("IR Phish mail"), "{made}");
}

/// An indicator is tagged with the reason, and each change is told to a service with a secret that no module saw. What a
/// module changes is told to nobody: hooks do not call hooks.
#[test]
fn indicators_are_noted_and_a_service_is_told() {
    let peer = Peer::saying("thanks");
    let url = format!("http://{}/cases", peer.address);
    let mut server = Server::start(&Site::new());
    let path = "/api/v1/modules/webhook?grant_requested=true";
    let uploaded = server.send("PUT", path, &example("webhook"), &[("content-type", "application/wasm")]).expect(200);
    assert_eq!(uploaded["state"], "unconfigured");
    let secret = json!({"value": "service-token-1"}).to_string();
    let to = "/api/v1/modules/webhook/secrets/token";
    server.send("PUT", to, secret.as_bytes(), &[("content-type", "application/json")]).expect(200);
    for (capability, scope) in [("http", format!("POST {url} at 127.0.0.1")), ("secret", "token".to_owned())] {
        let grant = json!({"capability": capability, "scope": scope});
        server.post("/api/v1/modules/webhook/grants", &grant).expect(200);
    }
    let config = json!({"url": url, "with_token": true}).to_string();
    let to = "/api/v1/modules/webhook/config";
    let configured = server.send("PATCH", to, config.as_bytes(), &[("content-type", "application/json")]).expect(200);
    assert_eq!((&configured["loaded"], &configured["missing_grants"]), (&json!(true), &json!([])), "{configured}");
    server.install("ioc-tags", &example("ioc-tags"));

    let analyst = analyst(&server);
    let case = analyst.post("/manage/cases/add", &case("Phish", "S-1")).expect(200)["data"]["case_id"].clone();
    let made = analyst.post("/case/ioc/add", &ioc("abc.onion", &case)).expect(200)["data"].clone();
    let told = |object: &str| {
        let asked = peer.asked();
        asked.into_iter().filter(|asked| asked.contains(&format!("\"object\":\"{object}\""))).collect::<Vec<_>>()
    };
    wait_for("the service to be told", || !told("case").is_empty() && !told("ioc").is_empty());
    let request = told("ioc").remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert!(head.starts_with("post /cases http/1.1\r\n") && head.contains("idempotency-key: "), "{head}");
    assert!(head.contains("authorization: bearer service-token-1"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["action"], &body["case"]["id"]), (&json!("create"), &case), "{body}");
    assert_eq!(body["changes"][0]["new"]["body"]["ioc_value"], "abc.onion", "{body}");

    let path = format!("/case/ioc/{}?cid={case}", made["ioc_id"]);
    let now = || analyst.get(&path).expect(200)["data"].clone();
    wait_for("the tag", || now()["ioc_tags"].as_str().unwrap_or_default().contains("tor"));
    let ioc = now();
    assert!(ioc["ioc_tags"].as_str().unwrap().contains("mine"), "{ioc}");
    assert!(ioc["ioc_description"].as_str().unwrap().contains("Tagged tor: a hidden service of Tor."), "{ioc}");
    assert!(ioc["custom_attributes"].to_string().contains(".onion"), "{ioc}");
    assert_reconciled(&server.settle());
    assert_eq!(told("ioc").len(), 1, "what a module changed was told");
    server.assert_well();
    assert!(!server.log().contains("service-token-1"));
}

/// One module on both sides: an indicator makes a profile among the entities, and a profile that ingestion has marked
/// shows on an indicator.
#[test]
fn indicators_and_profiles_are_one_world() {
    let config = json!({"seen_attribute": "note", "threat_attribute": "label", "look_again": 1});
    let mut server = Server::start(&Site::new().module("ioc-profile", &config));
    server.install("ioc-profile", &example("ioc-profile"));
    let analyst = analyst(&server);
    let case = analyst.post("/manage/cases/add", &case("Phish", "S-1")).expect(200)["data"]["case_id"].clone();
    server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.8", "attr": "label", "v": "bots", "src": "list"}]));
    server.settle();
    let add = |value: &str| analyst.post("/case/ioc/add", &ioc(value, &case)).expect(200)["data"]["ioc_id"].clone();
    let (unknown, marked) = (add("192.0.2.9"), add("192.0.2.8"));
    let tags =
        |id: &Value| analyst.get(&format!("/case/ioc/{id}?cid={case}")).expect(200)["data"]["ioc_tags"].to_string();
    wait_for("the tag", || tags(&marked).contains("in-threat-list"));
    for eid in ["192.0.2.8", "192.0.2.9"] {
        let path = format!("/entity/ip/{eid}/master");
        wait_for("the profile", || server.get(&path).body.contains("Phish"));
    }
    assert!(!tags(&unknown).contains("in-threat-list"), "{}", tags(&unknown));
    add("192.0.2.10");
    let tree = || analyst.get(&format!("/case/notes/directories/filter?cid={case}")).expect(200)["data"].clone();
    assert_eq!(tree(), json!([]));
    // What ingestion marks later is a note in the case that has it, once, and in no other words than the profile's.
    server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.9", "attr": "label", "v": "worms", "src": "list"}]));
    wait_for("the note", || tree() != json!([]));
    let said = tree();
    assert_eq!((&said[0]["name"], &said[0]["note_count"]), (&json!("ioc-profile"), &json!(1)), "{said}");
    let note =
        analyst.get(&format!("/case/notes/{}?cid={case}", said[0]["notes"][0]["id"])).expect(200)["data"].clone();
    assert_eq!(note["note_title"], "192.0.2.9 is in a list of threats", "{note}");
    assert!(note["note_content"].as_str().unwrap().contains("* label = worms"), "{note}");
    assert!(tags(&unknown).contains("in-threat-list"), "{}", tags(&unknown));
    // One address is still looked at, the others are not; that ends with the case.
    let waiting = || {
        let jobs = analyst.get(&format!("/api/v1/jobs?case={case}&limit=1000")).expect(200)["jobs"].clone();
        let waits = |job: &&Value| ["queued", "running"].contains(&job["state"].as_str().unwrap());
        jobs.as_array().unwrap().iter().filter(waits).cloned().collect::<Vec<_>>()
    };
    let one = |waiting: &[Value]| {
        let [job] = waiting else { return false };
        job["resumed"]["number"].as_u64() > Some(0) && job["resumed"]["memo"].is_string()
    };
    wait_for("one job", || one(&waiting()));
    // Between two looks it runs, for a moment.
    let queued = || server.cli(&["action", "jobs", "--case", &case.to_string(), "--state", "queued"]).0;
    wait_for("its time", || queued().contains("due 20"));
    analyst.post(&format!("/manage/cases/close/{case}?cid={case}"), &json!({})).expect(200);
    wait_for("the end", || waiting().is_empty());
    let jobs = analyst.get(&format!("/api/v1/jobs?case={case}&limit=1000")).expect(200)["jobs"].clone();
    let jobs = jobs.as_array().unwrap();
    let over = jobs.iter().filter(|job| job["result"]["message"] == "not called again: the case is closed").count();
    assert_eq!((over, &tree()[0]["note_count"]), (1, &json!(1)), "{jobs:#?}");
    assert_reconciled(&server.settle());
    assert_eq!(server.errors("ioc-profile"), Vec::<Value>::new());
    server.assert_well();
}

/// A report that a module denies is not made, and who asked is told why. One that it lets pass leaves its stamp on the case.
#[test]
fn a_report_that_a_module_denies_is_not_made() {
    let server = Server::start(&Site::new().module("report-stamp", &json!({"templates": [2]})));
    server.install("report-stamp", &example("report-stamp"));
    let analyst = analyst(&server);
    let report = |template: u32| analyst.get(&format!("/case/report/generate-investigation/{template}?cid=1"));
    let case = || analyst.get("/manage/cases/1").expect(200)["data"].clone();
    let before = case();
    let denied = report(1);
    let told: Value = serde_json::from_str(&denied.body).unwrap();
    let why = "Denied by module report-stamp: this template is not to be used for reports";
    assert_eq!((denied.status, &told["status"], &told["message"]), (400, &json!("error"), &json!(why)));
    assert_eq!(case(), before);
    let jobs = || analyst.get("/api/v1/jobs?case=1").expect(200)["jobs"].clone();
    assert_eq!(jobs(), json!([]), "no hook is called after what was not made");
    let made = report(2);
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(made.body.contains("Initial Demo"), "{}", made.body);
    assert_eq!(case()["case_tags"], "reported");
    assert!(case()["case_description"].as_str().unwrap().contains("made"), "{}", case());
    assert_eq!(jobs()[0]["hook"], "on_postload_report_create");
    assert_eq!(server.errors("report-stamp"), Vec::<Value>::new());
}
