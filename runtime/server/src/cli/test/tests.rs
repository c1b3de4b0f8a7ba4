use super::*;

/// Runs cases over an example and gives what people see.
fn tested(package: &str, cases: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = file::parse("tests/cases.yml", cases, dir).unwrap();
    let bytes = std::fs::read(tenter_guest_build::at_test(package)).unwrap();
    let outside = Arc::new(Scripted::default());
    let bench = Workbench::reaching(outside.clone(), None).unwrap();
    let name = tenter_model::ModuleName::new(package).unwrap();
    let subject = Subject { bench: &bench, outside: &outside, name: &name, bytes: &bytes };
    cases.iter().map(|case| human(case, &subject.run(case))).collect()
}

#[test]
fn cases_pass_and_fail_with_what_differs() {
    let text = tested(
        "test-every-kind",
        r#"
- name: counts its calls in one instance
  calls:
    - {hook: on-task-start, input: {task: {etype: ip, eid: 192.0.2.1}}, expect: {state: {calls/on-task-start: "1"}}}
    - {hook: on-task-start, input: {task: {etype: ip, eid: 192.0.2.1}}, expect: {state: {calls/on-task-start: "2"}}}
- name: begins with the state of the case
  state: {calls/on-task-start: "41"}
  hook: on-task-start
  input: {task: {etype: ip, eid: 192.0.2.1}}
  expect: {state: {calls/on-task-start: "42"}, log: [{level: info, message: on-task-start}]}
- name: without a grant
  grants: [write-entities ip.label]
  hook: update-entity
  input: {entity: {etype: ip, eid: 192.0.2.1}}
  expect: {state: {}, tasks: [{data_points: [{attr: label, v: update-entity}]}]}
- name: differs
  calls:
    - hook: update-entity
      input: {entity: {etype: ip, eid: 192.0.2.1}}
      expect: {tasks: [{data_points: [{attr: label, v: other}]}], verdict: {allow: true}}
    - {hook: cron, input: {}, expect: {result: failed}}
- name: runs out of fuel
  limits: {fuel: 100}
  hook: update-entity
  input: {entity: {etype: ip, eid: 192.0.2.1}}
- name: has no such subscription
  hook: update-entity
  input: {entity: {etype: domain, eid: a.example}}
- name: has an input of another kind
  hook: update-entity
  input: {task: {etype: ip, eid: 192.0.2.1}}
- name: is refused
  config: {etype: 5}
  hook: update-entity
  input: {entity: {etype: ip, eid: 192.0.2.1}}
- name: is refused as expected
  config: {etype: 5}
  hook: update-entity
  input: {entity: {etype: ip, eid: 192.0.2.1}}
  expect: {result: refused, message: {$contains: etype}}
"#,
    );
    insta::with_settings!({filters => vec![(r"used \d+ of", "used N of"), (r"after \d+ ms", "after N ms")]}, {
        insta::assert_snapshot!(text, @r#"
        ok      counts its calls in one instance
        ok      begins with the state of the case
        ok      without a grant
        FAILED  differs (tests/cases.yml:16)
            calls[0] update-entity: tasks[0].data_points[0].v
                expected "other"
                found    "update-entity"
            calls[0] update-entity: verdict
                expected {"allow":true}
                found    null
            calls[1] cron: result
                expected "failed"
                found    "ok"
            log
                info    update-entity
                debug   arguments {"n":1}
                info    cron
        FAILED  runs out of fuel (tests/cases.yml:22)
            result
                expected "ok"
                found    "out-of-fuel": used N of 100 fuel after N ms; the hook computes too long or loops; raise `limits.fuel` of the module if that is its nature
        FAILED  has no such subscription (tests/cases.yml:26)
            the module has no subscription to update-entity that fits the input (it has on-task-start (on-task-start), allow-entity-creation:ip (allow-entity-creation of ip), on-entity-creation:ip (on-entity-creation of ip), on-new-attribute:ip.open_ports (on-new-attribute of ip.open_ports), snapshot-init (snapshot-init), snapshot-finalize (snapshot-finalize), timeseries:ip.activity (timeseries of ip.activity), correlate:ip (correlate of ip), correlate-with-record:ip (correlate-with-record of ip), update-record:ip (update-record of ip), update-entity:ip (update-entity of ip), cron:mi.any.by.5 (cron), before:ioc.create (before), after:ioc.any (after), manual:ioc:mark-it (manual))
        FAILED  has an input of another kind (tests/cases.yml:29)
            the input is not one of update-entity: entity is missing (give {"entity": {"etype": "ip", "eid": "192.0.2.1"}})
        FAILED  is refused (tests/cases.yml:32)
            result
                expected "ok"
                found    "refused": the component is refused (config): modules/test-every-kind.yml: the parameter `etype` is an integer, expected string
        ok      is refused as expected
        "#);
    });
}

#[test]
fn the_world_of_a_case_is_what_it_says() {
    // Asks a peer and a secret; the answer of the peer is what is tested here.
    let text = tested(
        "example-webhook",
        r#"
- name: posts
  config: {url: "https://hooks.example.org/in", with_token: true}
  secrets: {token: "12345678"}
  http: [{method: POST, url: "https://hooks.example.org/in", status: 204}]
  hook: after
  input: {event: {object: ioc, action: create}, objects: [{new: {object: ioc, id: 7, body: {ioc_value: a.example}}}]}
  expect: {requests: [{method: POST, headers: {authorization: Bearer 12345678}, body: {$contains: a.example}}]}
- name: is not answered
  config: {url: "https://hooks.example.org/in"}
  hook: after
  input: {event: {object: ioc, action: create}, objects: [{new: {object: ioc, id: 7, body: {ioc_value: a.example}}}]}
"#,
    );
    insta::with_settings!({filters => vec![(r"after \d+ ms", "after N ms")]}, {
        insta::assert_snapshot!(text, @r#"
        ok      posts
        FAILED  is not answered (tests/cases.yml:9)
            result
                expected "ok"
                found    "unavailable": http: the test has no answer for POST https://hooks.example.org/in
            the case has no answer for: http POST https://hooks.example.org/in
            log
                debug   http POST https://hooks.example.org/in: unreachable: the test has no answer for POST https://hooks.example.org/in after N ms
        "#);
    });
}

#[test]
fn files_are_found_by_their_endings() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.yml", "a.json", "c.yaml", "d.rs", "e.yml.bak"] {
        std::fs::write(dir.path().join(name), "[]").unwrap();
    }
    let names: Vec<_> = file::files_in(dir.path()).unwrap().iter().map(|p| p.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.json", "b.yml", "c.yaml"]);
    assert_eq!(file::files_in(&dir.path().join("none")).unwrap_err().kind, Kind::NotFound);
    assert_eq!(nothing(&["tests".into()], Some("x")).message, "there is no case with \"x\" in its name in tests");
}
