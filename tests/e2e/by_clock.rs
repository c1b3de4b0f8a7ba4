//! What the server does by itself when its time has come.

use serde_json::json;

use crate::harness::{Server, Site, component, wait_for};

const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP address, snapshot: true}
attribs:
  label: {name: Label, type: plain, data_type: string}
  open_ports: {name: Ports, type: observations, data_type: int, history_params: {}}
  activity: {name: A, type: timeseries, timeseries_type: regular, timeseries_params: {time_step: 1m}, series: {n: {data_type: int}}}
";

#[test]
fn snapshots_sweeps_and_timers_come_by_the_clock() {
    let site = Site::new()
        .entity("ip", IP)
        .file("snapshots.yml", "creation_rate: {second: \"*\"}\n")
        .file("updater.yml", "update_batch_cron: {second: \"*\"}\nupdate_batch_period: 60s\n")
        .module("every", &json!({"second": "*"}));
    let mut server = Server::start(&site);
    server.send("PUT", "/api/v1/modules/every?grant_requested=true", &component("test-every-kind"), &[]).expect(200);
    server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.1", "attr": "label", "v": "x"}]));
    for hook in ["snapshot-init", "correlate", "snapshot-finalize", "update-record", "update-entity", "cron"] {
        wait_for(hook, || server.calls("every", hook) > 0);
    }
    assert_eq!(server.errors("every"), Vec::<serde_json::Value>::new());
    server.assert_well();
}

#[test]
fn a_sweep_more_often_than_batches_is_refused() {
    let site = Site::new()
        .entity("ip", IP)
        .file("updater.yml", "update_batch_cron: {minute: \"*/2\"}\nupdate_batch_period: 2m\n");
    let mut server = Server::start(&site);
    let bytes = component("test-every-kind");
    let refused = server.send("PUT", "/api/v1/modules/every?grant_requested=true", &bytes, &[]);
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("period")), "{}", refused.body);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("each 60 s, but batches are made each 120 s (`update_batch_period` in updater.yml)"),
        "{detail}"
    );
    server.assert_well();
}
