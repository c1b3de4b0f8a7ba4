//! Cases, indicators and menu entries from the command line, and the jobs of hooks.

use serde_json::{Value, json};

use crate::harness::{Server, Site, example, redacted, wait_for};

const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: Address, snapshot: false}
attribs:
  in_case: {name: In case, type: plain, data_type: string}
  threat_list: {name: Threat list, type: plain, data_type: string}
";

#[track_caller]
fn json_of(server: &Server, args: &[&str]) -> Value {
    let (said, err, code) = server.cli(&[args, &["-o", "json"]].concat());
    assert_eq!(code, 0, "{said}{err}");
    serde_json::from_str(&said).unwrap()
}

#[test]
fn an_analyst_gets_from_a_case_to_the_result_of_an_action() {
    let _redacted = redacted();
    let site = Site::new().entity("ip", IP).module("ioc-profile", &json!({}));
    let server = Server::start(&site);
    server.install("ioc-profile", &example("ioc-profile"));
    server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.7", "attr": "threat_list", "v": "a list"}]));
    server.settle();

    let case = json_of(
        &server,
        &["case", "create", "Beacons", "--description", "Beacons to a listed address", "--soc-id", "S-1"],
    );
    assert_eq!(case["case_name"], "#2 - Beacons");
    let args = ["ioc", "create", "192.0.2.7", "--case", "2", "--type", "ip-dst", "--tlp", "red", "--tags", "mine"];
    let ioc = json_of(&server, &args);
    assert_eq!((&ioc["ioc_id"], &ioc["ioc_tlp_id"]), (&json!(1), &json!(1)), "{ioc}");
    // The module was told, and acts on both sides.
    wait_for("the tag of the module", || {
        json_of(&server, &["ioc", "list", "--case", "2"])[0]["ioc_tags"] == "mine,in-threat-list"
    });
    server.settle();
    assert_eq!(server.master("ip", "192.0.2.7")["in_case"]["v"], "#2 - Beacons");

    insta::assert_snapshot!(server.cli(&["action", "list", "ioc"]).0, @"
    MODULE       TITLE    HOOK
    ioc-profile  Profile  on_manual_trigger_ioc
    ");
    let click = ["action", "run", "ioc", "1", "--entry", "Profile", "--case", "2", "--wait"];
    let (said, err, code) = server.cli(&click);
    assert_eq!(code, 0, "{said}{err}");
    assert!(said.contains("1 of 1 have a profile") && said.contains("threat_list = a list"), "{said}");
    let shown = server.cli(&["ioc", "show", "1", "--case", "2"]).0;
    assert!(shown.contains("Profile\n  ip 192.0.2.7: <ul>"), "{shown}");

    let jobs = json_of(&server, &["action", "jobs", "--case", "2"]);
    let told: Vec<_> = jobs.as_array().unwrap().iter().map(|j| (j["hook"].as_str(), j["state"].as_str())).collect();
    assert_eq!(told[0], (Some("on_manual_trigger_ioc"), Some("succeeded")));
    assert_eq!(told[1], (Some("on_postload_ioc_create"), Some("succeeded")));
    let job = json_of(&server, &["action", "show", jobs[0]["id"].as_str().unwrap()]);
    assert_eq!((&job["entry"], &job["objects"][0]["id"]), (&json!("Profile"), &json!(1)), "{job}");
    assert!(job["result"]["fuel"].as_u64() > Some(0), "{job}");
    assert_eq!(json_of(&server, &["case", "show", "2"])["counts"]["indicators"], 1);
    assert_eq!(json_of(&server, &["case", "close", "2"])["state_name"], "Closed");
}

#[test]
fn what_cannot_be_is_refused_with_what_to_do() {
    let _redacted = redacted();
    let server = Server::start(&Site::new());
    let said = |args: &[&str]| {
        let (out, err, code) = server.cli(args);
        format!("{out}{err}exit code {code}\n")
    };
    let all = [
        said(&["case", "show", "7"]),
        said(&["ioc", "create", "a", "--case", "1", "--type", "nothing"]),
        said(&["ioc", "create", "not an address", "--case", "1", "--type", "ip-dst"]),
        said(&["action", "list", "nothing"]),
        said(&["action", "run", "ioc", "4", "--entry", "Profile"]),
        said(&["action", "run", "case", "1", "--entry", "Profile"]),
        said(&["action", "show", "nothing"]),
        said(&["action", "jobs", "--state", "nothing"]),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn jobs_of_others_are_not_shown() {
    let site = Site::new().entity("ip", IP).module("ioc-profile", &json!({}));
    let server = Server::start(&site);
    server.install("ioc-profile", &example("ioc-profile"));
    json_of(&server, &["ioc", "create", "192.0.2.7", "--case", "1", "--type", "ip-dst"]);
    let jobs = json_of(&server, &["action", "jobs"]);
    let id = jobs[0]["id"].as_str().unwrap().to_owned();
    let body = json!({"user_name": "Guest", "user_login": "guest", "user_email": "g@a.example", "user_password": "Guest-1-guest!",
                      "user_active": true});
    let made = server.post("/manage/users/add", &body).expect(200);
    let guest = crate::harness::Client::new(&server.url, made["data"]["user_api_key"].as_str().map(str::to_owned));
    assert_eq!(guest.get("/api/v1/jobs").expect(200)["jobs"], json!([]));
    assert_eq!(guest.get(&format!("/api/v1/jobs/{id}")).status, 404);
    assert_eq!(guest.delete(&format!("/api/v1/jobs/{id}")).status, 404);
    // Who may read the case may look, and touch nothing.
    let user = made["data"]["user_id"].as_i64().or_else(|| made["data"]["id"].as_i64()).unwrap();
    let access = json!({"cases_list": [1], "access_level": 2});
    server.post(&format!("/manage/users/{user}/cases-access/update"), &access).expect(200);
    assert_eq!(guest.get(&format!("/api/v1/jobs/{id}")).expect(200)["id"], id);
    assert_eq!(guest.post(&format!("/api/v1/jobs/{id}/retry"), &Value::Null).status, 403);
    assert_eq!(guest.delete(&format!("/api/v1/jobs/{id}")).status, 403);
}
