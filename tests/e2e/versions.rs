//! Versions of modules: side by side, waiting, active, rolled back, signed.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Server, Site, example, tenter};

/// The component under another version. The SDK puts its version into the data as text of five bytes; names of
/// interfaces have theirs behind an `@`.
fn with_version(component: &[u8], version: &str) -> Vec<u8> {
    assert_eq!(version.len(), 5);
    let mut bytes = component.to_vec();
    let places: Vec<usize> =
        bytes.windows(6).enumerate().filter(|(_, w)| &w[1..] == b"0.1.0" && w[0] != b'@').map(|(i, _)| i + 1).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + 5].copy_from_slice(version.as_bytes());
    }
    bytes
}

fn versions(module: &Value) -> Vec<(&str, bool)> {
    let all = module["versions"].as_array().unwrap();
    all.iter().map(|v| (v["version"].as_str().unwrap(), v["active"] == true)).collect()
}

#[test]
fn versions_go_forward_and_back() {
    let mut server = Server::start(&Site::new());
    let label = example("label");
    for version in ["0.1.0", "0.2.0", "0.3.0"] {
        assert_eq!(server.install("label", &with_version(&label, version))["version"], version);
    }
    let act = |server: &Server, what: &str| server.post(&format!("/api/v1/modules/label/{what}"), &json!({}));
    assert_eq!(act(&server, "rollback").expect(200)["version"], "0.2.0");
    server.restart();
    let back = act(&server, "rollback").expect(200);
    assert_eq!(versions(&back), [("0.1.0", true), ("0.2.0", false), ("0.3.0", false)], "two steps are two versions");
    let refused = act(&server, "rollback");
    assert_eq!(refused.status, 409, "{}", refused.body);
    insta::assert_snapshot!(refused.json()["detail"].as_str().unwrap(), @"module label has no version that was active before 0.1.0; tenter module show label lists its versions");

    let activate = |version: &str| server.post("/api/v1/modules/label/activate", &json!({"version": version}));
    assert_eq!(activate("0.3.0").expect(200)["version"], "0.3.0");
    let digest = back["digest"].as_str().unwrap();
    assert_eq!(activate(&digest[..10]).expect(200)["version"], "0.1.0");
    assert_eq!(activate("9.9.9").status, 404);
    server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "a"}]));
    server.settle();
    assert_eq!(server.master("ip", "192.0.2.1")["label"]["v"], "documentation");

    // What is lower than something that was here comes in by the operator's word alone.
    let older = with_version(&label, "0.2.9");
    let refused = server.upload("label", &older);
    assert_eq!((refused.status, &refused.json()["code"]), (422, &json!("downgrade")));
    assert!(refused.body.contains("version 0.2.9 of module label is lower than 0.3.0"), "{}", refused.body);
    let path = "/api/v1/modules/label?allow_downgrade=true";
    assert_eq!(server.send("PUT", path, &older, &[]).expect(200)["module"]["version"], "0.2.9");
    // The same component again is no other version.
    let again = server.upload("label", &older).expect(200);
    assert_eq!(versions(&again["module"]).len(), 4, "{again}");
    server.assert_well();
}

#[test]
fn a_version_that_was_rolled_back_does_not_return_by_a_grant() {
    let server = Server::start(&Site::new());
    server.install("worker", &example("label"));
    let waits = server.upload("worker", &with_version(&example("services"), "0.2.0")).expect(200);
    let (module, wish) = (&waits["module"], json!([{"capability": "write-entities", "scope": "ip.services"}]));
    assert_eq!((&waits["state"], &module["version"]), (&json!("waiting"), &json!("0.1.0")), "{waits}");
    assert_eq!((&module["waiting"]["version"], &module["waiting"]["new"]), (&json!("0.2.0"), &wish), "{module}");
    // To activate it is not to grant what it asks for.
    let refused = server.post("/api/v1/modules/worker/activate", &json!({"version": "0.2.0"}));
    assert_eq!(refused.status, 409, "{}", refused.body);
    insta::assert_snapshot!(refused.json()["detail"].as_str().unwrap(), @"version 0.2.0 of module worker asks for what is not granted: write-entities ip.services; tenter grant worker CAPABILITY SCOPE grants it");
    let granted = server.post("/api/v1/modules/worker/grants", &wish[0]).expect(200);
    assert_eq!((&granted["version"], &granted["waiting"]), (&json!("0.2.0"), &Value::Null));
    server.post("/api/v1/modules/worker/rollback", &json!({})).expect(200);
    let after = server.post("/api/v1/modules/worker/grants", &json!({"capability": "state"})).expect(200);
    assert_eq!((&after["version"], &after["waiting"]), (&json!("0.1.0"), &Value::Null), "{after}");
}

/// A command's stdout; it succeeds.
fn run(home: &Path, args: &[&str]) -> String {
    let output = tenter(home).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn where_signatures_are_required_nothing_else_comes_in() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let key = run(home, &["key", "create", "mine.key"]).trim().to_owned();
    let other = run(home, &["key", "create", "other.key"]).trim().to_owned();
    assert_eq!(run(home, &["key", "show", "mine.key"]).trim(), key);
    let text = format!("signatures: required\nsigners:\n  \"*\": [\"{key}\"]\n  pinned: [\"{other}\"]\n");
    let mut server = Server::start(&Site::new().tenter(&text));
    let label = example("label");
    std::fs::write(home.join("label.wasm"), &*label).unwrap();
    std::fs::write(home.join("services.wasm"), &*example("services")).unwrap();
    let token = server.token.clone().unwrap();
    let upload = |args: &[&str]| {
        let all = [&["module", "upload", "--url", &server.url, "--token", &token], args].concat();
        let output = tenter(home).args(all).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let before = server.running_set();
    let (code, said) = upload(&["label.wasm"]);
    assert!(code == 6 && said.contains("signature)") && said.contains("label came without one"), "{code} {said}");

    run(home, &["module", "sign", "label.wasm", "--key", "other.key"]);
    let (code, said) = upload(&["label.wasm"]);
    assert!(code == 6 && said.contains("does not count for module label"), "{code} {said}");
    run(home, &["module", "sign", "label.wasm", "--key", "mine.key"]);
    let (code, said) = upload(&["label.wasm", "--name", "alias"]);
    assert!(code == 6 && said.contains("for a module called label, not alias"), "{code} {said}");
    let (code, said) = upload(&["services.wasm", "--name", "label", "--signature", "label.wasm.sig"]);
    assert!(code == 6 && said.contains("for another component"), "{code} {said}");
    // A key for all modules does not open one that has keys of its own.
    run(home, &["module", "sign", "label.wasm", "--key", "mine.key", "--name", "pinned"]);
    let (code, said) = upload(&["label.wasm", "--name", "pinned"]);
    assert!(code == 6 && said.contains("does not count for module pinned"), "{code} {said}");
    assert_eq!(server.running_set(), before);

    run(home, &["module", "sign", "label.wasm", "--key", "mine.key"]);
    let (code, said) = upload(&["label.wasm"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(server.running_set()["modules"][0]["name"], "label");
    server.assert_well();
}

#[test]
fn what_was_not_signed_does_not_serve_where_signatures_are_required() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let key = run(home, &["key", "create", "mine.key"]).trim().to_owned();
    let mut server = Server::start(&Site::new());
    let label = example("label");
    server.install("label", &label);
    let required = format!("signatures: required\nsigners: {{\"*\": [\"{key}\"]}}\n");
    server.restart_with(&Site::new().tenter(&required));
    let shown = server.read("/api/v1/modules/label");
    assert_eq!(shown["loaded"], false, "{shown}");
    let problem = shown["problem"].as_str().unwrap().to_owned();
    assert!(problem.contains("was uploaded without a signature"), "{problem}");
    assert!(server.log().contains("was uploaded without a signature"), "the log warns: {}", server.log());
    let digest = shown["digest"].as_str().unwrap();
    let refused = server.post("/api/v1/modules/label/activate", &json!({"version": digest}));
    assert_eq!(refused.status, 409, "{}", refused.body);

    // The same component with a signature serves at once and after a restart; without the key it does not.
    std::fs::write(home.join("label.wasm"), &*label).unwrap();
    run(home, &["module", "sign", "label.wasm", "--key", "mine.key"]);
    let token = server.token.clone().unwrap();
    run(home, &["module", "upload", "label.wasm", "--url", &server.url, "--token", &token]);
    assert_eq!(server.read("/api/v1/modules/label")["loaded"], true);
    server.restart();
    assert_eq!(server.read("/api/v1/modules/label")["loaded"], true);
    let other = run(home, &["key", "create", "other.key"]).trim().to_owned();
    let required = format!("signatures: required\nsigners: {{\"*\": [\"{other}\"]}}\n");
    server.restart_with(&Site::new().tenter(&required));
    let shown = server.read("/api/v1/modules/label");
    assert!(shown["problem"].as_str().unwrap().contains("does not count for it any more"), "{shown}");
    server.assert_well();
}
