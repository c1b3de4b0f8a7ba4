//! Case hooks as clients of IRIS's API meet them: a module stands between a request and what is stored, and works on after
//! the answer.

use serde_json::{Value, json};

use crate::harness::{Server, Site, example, wait_for};

/// The id of a type of indicators.
fn type_of(server: &Server, name: &str) -> Value {
    let types = server.read("/manage/ioc-types/list")["data"].clone();
    let found = types.as_array().unwrap().iter().find(|row| row["type_name"] == name);
    found.unwrap_or_else(|| panic!("no type {name}"))["type_id"].clone()
}

#[test]
fn what_a_module_makes_of_a_request_is_what_is_checked_stored_and_answered() {
    let mut server = Server::start(&Site::new());
    server.install("defang", &example("defang"));
    let (url, address) = (type_of(&server, "url"), type_of(&server, "ip-dst"));
    let add = |value: &str, kind: &Value| {
        let body = json!({"ioc_value": value, "ioc_type_id": kind, "ioc_tlp_id": 2, "ioc_tags": "mail", "cid": 1});
        server.post("/case/ioc/add", &body)
    };
    assert_eq!(add("hxxps://evil[.]example/a", &url).expect(200)["data"]["ioc_value"], "https://evil.example/a");

    // The hook before it comes before the check against the type, the hook after it works once the answer was given.
    let made = add("10[.]1.2.3", &address).expect(200)["data"].clone();
    assert_eq!((&made["ioc_value"], &made["ioc_tags"]), (&json!("10.1.2.3"), &json!("mail")));
    let path = format!("/case/ioc/{}?cid=1", made["ioc_id"]);
    wait_for("the tag of the hook after it", || server.read(&path)["data"]["ioc_tags"] == "mail,private-address");
    let changes = server.read(&path)["data"]["modification_history"].as_object().unwrap().len();
    assert_eq!(changes, 2, "made by the user, tagged by the module");

    // Without the module the same is refused: it is no address.
    server.post("/api/v1/modules/defang/disable", &json!({})).expect(200);
    let refused = add("10[.]1.2.4", &address).expect(400);
    assert_eq!(refused["message"], "Data error");
    assert!(refused["data"]["ioc_value"].is_array(), "{refused}");
    server.assert_well();
}
