//! Hooks of several modules that wait for each other.

use serde_json::{Value, json};

use crate::harness::{Answer, Server, Site, component};

const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP address, snapshot: true}
attribs:
  note: {name: Note, type: plain, data_type: string}
  label: {name: Label, type: plain, data_type: string}
  open_ports: {name: Ports, type: observations, data_type: int, history_params: {}}
  activity: {name: A, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 1m}, series: {n: {data_type: int}}}
";

#[test]
fn modules_whose_hooks_wait_for_each_other_are_refused() {
    // Each reads in a snapshot what the other one sets.
    let one = json!({"depends_on": "note", "mark": "label"});
    let two = json!({"depends_on": "label", "mark": "note"});
    let site = Site::new().entity("ip", IP).module("one", &one).module("two", &two);
    let mut server = Server::start(&site);
    let bytes = component("test-every-kind");
    let upload = |server: &Server, name: &str| -> Answer {
        server.send("PUT", &format!("/api/v1/modules/{name}?grant_requested=true"), &bytes, &[])
    };
    let show = |server: &Server, name: &str| -> Value { server.read(&format!("/api/v1/modules/{name}")) };
    let switch = |server: &Server, name: &str, what: &str| -> Value {
        server.post(&format!("/api/v1/modules/{name}/{what}"), &json!({})).expect(200)
    };

    upload(&server, "one").expect(200);
    let refused = upload(&server, "two");
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("correlation")), "{}", refused.body);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("introduces a circular dependency: two/"), "{detail}");
    assert!(detail.contains("-> ip.note -> one/") && detail.contains("-> ip.label -> two/"), "{detail}");
    assert_eq!(server.get("/api/v1/modules/two").status, 404, "nothing of it is kept");
    assert_eq!((&show(&server, "one")["loaded"], &show(&server, "one")["problem"]), (&json!(true), &Value::Null));

    // One at a time they serve; the one in use stays, and the other one tells why it is left out.
    switch(&server, "one", "disable");
    upload(&server, "two").expect(200);
    let left_out = switch(&server, "one", "enable");
    assert_eq!(left_out["loaded"], false, "{left_out}");
    assert!(left_out["problem"].as_str().unwrap().contains("circular dependency"), "{left_out}");
    assert_eq!(show(&server, "two")["loaded"], true);
    // At start the calling order decides.
    server.restart();
    assert_eq!((&show(&server, "one")["loaded"], &show(&server, "two")["loaded"]), (&json!(true), &json!(false)));
    server.assert_well();
}
