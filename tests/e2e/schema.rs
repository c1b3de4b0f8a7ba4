//! A specification of entities that changes under stored data: refused at the start, carried out when asked for.

use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Server, Site, assert_reconciled};

const HOST: &str = "
entity: {id: host, id_data_type: string, name: Host, snapshot: true}
attribs:
  address: {name: Address, type: observations, data_type: link<ip>, multi_value: true, history_params: {post_validity: 36500d}}
  owner: {name: Owner, type: plain, data_type: string}
";

const HOST_ALONE: &str = "
entity: {id: host, id_data_type: string, name: Host, snapshot: true}
attribs:
  owner: {name: Owner, type: plain, data_type: string}
";

const BOX: &str = "
entity: {id: box, id_data_type: string, name: Box, snapshot: true}
attribs:
  host: {name: Host, type: plain, data_type: link<host>}
";

/// Addresses without `hostname`, with ports as text, and with something new.
const IP: &str = "
entity: {id: ip, id_data_type: ipv4, name: IP address, description: An address., snapshot: true}
attribs:
  note: {name: Note, description: A note., type: plain, data_type: string}
  label: {name: Label, description: Its network., type: plain, data_type: string}
  fresh: {name: Fresh, type: plain, data_type: string}
  open_ports:
    name: Open ports
    type: observations
    data_type: string
    multi_value: true
    history_params: &history {max_age: 36500d, pre_validity: 0s, post_validity: 36500d, aggregate: true}
  services: {name: Services, type: observations, data_type: string, multi_value: true, history_params: *history}
";

fn before() -> Site {
    Site::new().entity("host", HOST).entity("box", BOX)
}

fn filled(site: &Site) -> Server {
    let server = Server::start(site);
    let of = |etype: &str, id: &str, attr: &str, v: Value| {
        let mut point = json!({"type": etype, "id": id, "attr": attr, "v": v});
        if !["hostname", "note", "owner", "host"].contains(&attr) {
            point["t1"] = json!("2026-01-01T00:00:00Z");
        }
        point
    };
    server.post_datapoints(&json!([
        of("ip", "192.0.2.1", "hostname", json!("a")),
        of("ip", "192.0.2.1", "note", json!("keep")),
        of("ip", "192.0.2.1", "open_ports", json!(80)),
        of("ip", "192.0.2.1", "services", json!("web")),
        of("ip", "192.0.2.2", "hostname", json!("b")),
        of("host", "h1", "address", json!({"eid": "192.0.2.1"})),
        of("host", "h1", "owner", json!("ann")),
        of("box", "b1", "host", json!({"eid": "h1"})),
    ]));
    assert_reconciled(&server.settle());
    assert_eq!(server.post("/api/v1/snapshots", &json!({"wait": true})).status, 200);
    server.settle();
    server
}

fn told(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn update(server: &Server, more: &[&str]) -> (String, String, Option<i32>) {
    let args = ["schema-update", "site", "--data", "data"];
    told(&server.command().args(args).args(more).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn what_would_lose_data_is_refused_then_done_on_demand() {
    let mut server = filled(&before());
    let (kept, host) = (server.master("ip", "192.0.2.1"), server.master("host", "h1"));

    // A server that runs keeps the command away.
    let (_, stderr, code) = update(&server, &["--yes"]);
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("a server has the data open; stop it first"), "{stderr}");

    server.rewrite(&Site::new().entity("ip", IP).entity("host", HOST_ALONE));
    server.forget("db_entities/box.yml");
    server.stop();
    let serve = ["serve", "site", "--data", "data", "--listen", "127.0.0.1:0", "--log", "error"];
    let (_, stderr, code) = told(&server.command().args(serve).output().unwrap());
    assert_eq!(code, Some(5), "{stderr}");
    insta::assert_snapshot!(stderr, @"
    error: the configuration does not fit the stored data; to serve it, data would be lost:
      - entity 'box' is gone: all its entities are deleted, with records, raw datapoints, snapshots and links
      - attribute 'host.address' is gone: its values are removed from all records
      - attribute 'ip.hostname' is gone: its values are removed from all records
      - attribute 'ip.open_ports' changes from observations of int to observations of string: its values are removed from all records
    help: take the change of db_entities/ back, or run `tenter schema-update site --data data` to see what goes and confirm it; `tenter backup create --data DIR` keeps a copy
    ");

    let look = update(&server, &["--dry-run"]);
    insta::assert_snapshot!(format!("{}--- {}", look.0, look.1), @"
    + attribute 'ip.fresh' is new
    - entity 'box' is gone: all its entities are deleted, with records, raw datapoints, snapshots and links
    - attribute 'host.address' is gone: its values are removed from all records
    - attribute 'ip.hostname' is gone: its values are removed from all records
    - attribute 'ip.open_ports' changes from observations of int to observations of string: its values are removed from all records
    --- nothing was done
    ");
    assert_eq!(look.2, Some(0));
    let (stdout, stderr, code) = update(&server, &[]);
    assert_eq!(code, Some(5), "{stdout}{stderr}");
    insta::assert_snapshot!(stderr, @"
    error: nothing was done: it loses data, and there is nobody to ask
    help: add --yes to do it, --dry-run to look; `tenter backup create --data DIR` keeps a copy of data
    ");
    // Nothing was done by either: under the old configuration all is there.
    server.rewrite(&before());
    server.start_again();
    assert_eq!((server.master("ip", "192.0.2.1"), server.master("host", "h1")), (kept.clone(), host.clone()));
    server.stop();

    // An update that dies leaves data that are still refused, and that the next one finishes.
    server.rewrite(&Site::new().entity("ip", IP).entity("host", HOST_ALONE));
    server.forget("db_entities/box.yml");
    for place in ["schema-entities", "schema-attribute", "schema-attribute#2", "schema-documents", "schema-stored"] {
        let (_, stderr, code) = update(&server, &["--yes", "--crash-at", place]);
        assert_eq!(code, None, "it dies at {place}: {stderr}");
        let (_, stderr, code) = told(&server.command().args(serve).output().unwrap());
        assert_eq!(code, Some(5), "after {place}: {stderr}");
    }
    let (stdout, stderr, code) = update(&server, &["--yes", "-o", "json"]);
    assert_eq!(code, Some(0), "{stderr}");
    insta::assert_snapshot!(stdout, @r#"
    {
      "additions": [
        {
          "attribute": "fresh",
          "change": "add-attribute",
          "entity": "ip",
          "text": "attribute 'ip.fresh' is new"
        }
      ],
      "bypassed": false,
      "destructive": [
        {
          "attribute": null,
          "change": "remove-entity",
          "entity": "box",
          "removed": 0,
          "text": "entity 'box' is gone: all its entities are deleted, with records, raw datapoints, snapshots and links"
        },
        {
          "attribute": "address",
          "change": "remove-attribute",
          "entity": "host",
          "removed": 0,
          "text": "attribute 'host.address' is gone: its values are removed from all records"
        },
        {
          "attribute": "hostname",
          "change": "remove-attribute",
          "entity": "ip",
          "removed": 0,
          "text": "attribute 'ip.hostname' is gone: its values are removed from all records"
        },
        {
          "attribute": "open_ports",
          "change": "change-attribute",
          "entity": "ip",
          "removed": 0,
          "text": "attribute 'ip.open_ports' changes from observations of int to observations of string: its values are removed from all records"
        }
      ],
      "done": true,
      "version": 2
    }
    "#);
    let (_, stderr, _) = update(&server, &["--yes"]);
    assert!(stderr.contains("there is nothing to do"), "{stderr}");

    server.start_again();
    let mut expected = kept;
    for attr in ["hostname", "open_ports"] {
        expected.as_object_mut().unwrap().remove(attr).unwrap();
    }
    assert_eq!(server.master("ip", "192.0.2.1"), expected, "the others are untouched");
    let mut expected = host;
    expected.as_object_mut().unwrap().remove("address").unwrap();
    assert_eq!(server.master("host", "h1"), expected);
    assert_eq!(server.get("/entity/box/b1/master").status, 422);
    // The new types hold, and nothing in the books or tables is left of what is gone.
    server.post_datapoints(
        &json!([{"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": "ssh", "t1": "2026-01-01T00:00:00Z"}]),
    );
    assert_reconciled(&server.settle());
    assert_eq!(server.master("ip", "192.0.2.1")["open_ports"][0]["v"], "ssh");
    assert_eq!(server.read("/api/v1/reconcile")["misfits"], json!([]));
    assert_eq!(server.post("/api/v1/snapshots", &json!({"wait": true})).status, 200);
    server.assert_well();
}

#[test]
fn additions_take_effect_by_themselves_and_a_bypass_only_records() {
    let mut server = filled(&before());
    let wider = HOST.to_owned() + "  fresh: {name: Fresh, type: plain, data_type: string}\n";
    server.restart_with(&before().entity("host", &wider));
    server.post_datapoints(&json!([{"type": "host", "id": "h1", "attr": "fresh", "v": "x"}]));
    server.settle();
    let kept = server.master("host", "h1");
    assert_eq!(kept["fresh"]["v"], "x");

    server.rewrite(&before());
    server.stop();
    let (stdout, stderr, code) = update(&server, &["--bypass", "--yes"]);
    assert_eq!(code, Some(0), "{stderr}");
    insta::assert_snapshot!(format!("{stdout}--- {stderr}"), @"
    - attribute 'host.fresh' is gone: its values are removed from all records
    --- the stored data fit site now, version 3
    next: tenter serve site
    ");
    server.rewrite(&before().entity("host", &wider));
    server.start_again();
    assert_eq!(server.master("host", "h1"), kept, "the value was left where it is");
}
