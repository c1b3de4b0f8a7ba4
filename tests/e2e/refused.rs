//! Uploads that must be refused. Each is answered with a code and words that say what to do, and what was running
//! before runs on, unchanged.

use serde_json::{Value, json};

use crate::harness::{Server, Site, component, example};

/// A component by its text.
fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A component that works, with a core module behind it whose start function never returns.
fn with_endless_start(component: &[u8]) -> Vec<u8> {
    let endless = wat("(module (func $f (loop (br 0))) (start $f))");
    // Sections are an id, a length and a body; section 1 is a core module.
    let (mut at, mut modules) = (8, 0u8);
    while at < component.len() {
        let id = component[at];
        modules += u8::from(id == 1);
        let (mut length, mut shift) = (0usize, 0);
        loop {
            at += 1;
            length |= usize::from(component[at] & 0x7f) << shift;
            shift += 7;
            if component[at] < 0x80 {
                break;
            }
        }
        at += 1 + length;
    }
    assert!(modules < 0x80 && endless.len() < 0x80, "numbers below 128 are one byte");
    let mut bytes = component.to_vec();
    bytes.extend([1, u8::try_from(endless.len()).unwrap()]);
    bytes.extend(endless);
    // Section 2 has one instance: of that module, with no arguments.
    bytes.extend([2, 4, 1, 0, modules, 0]);
    bytes
}

fn site() -> Site {
    let config = |settings: &Value| {
        let mut config = json!({"must": "be"});
        for (key, value) in settings.as_object().unwrap() {
            config[key] = value.clone();
        }
        config
    };
    Site::new()
        .module("bare", &config(&json!({"must": 3})))
        .module("loops", &config(&json!({"configure": "loop"})))
        .module("fails", &config(&json!({"configure": "fail"})))
        .module("panics", &config(&json!({"configure": "panic"})))
        .module("misspelt", &config(&json!({"subscriptions": "unknown-attribute"})))
        .module("lost", &config(&json!({"subscriptions": "unknown-type"})))
        .module("twice", &config(&json!({"subscriptions": "twice"})))
        .module("silent", &config(&json!({"subscriptions": "none"})))
        .module("greedy", &config(&json!({"requests": ["root /"]})))
        .module("unscoped", &config(&json!({"requests": ["write-entities"]})))
        .module("services", &json!({"ports": {"ssh": "22"}}))
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut server = Server::start(&site());
    server.install("label", &example("label"));
    let before = server.running_set();
    let villain = component("tenter-villain");
    let label = example("label");
    let noise: Vec<u8> = (0u32..5000).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let noisy = [b"\0asm\x0d\0\x01\0".as_slice(), &noise].concat();
    // Name, code, words that say what to do, and the upload.
    let uploads: [(&str, &str, &str, Vec<u8>); 24] = [
        ("nothing", "form", "expected a WebAssembly component", vec![]),
        ("words", "form", "expected a WebAssembly component", b"hello".to_vec()),
        ("text", "form", "`wasm-tools parse`", b"(component)".to_vec()),
        ("noise", "form", "expected a WebAssembly component", noise),
        ("noisy", "compile", "`wasm-tools validate`", noisy),
        ("native", "form", "never accepted", b"\x7fELF\x02\x01\x01\0".to_vec()),
        ("core", "form", "wasm32-wasip2", wat("(module)")),
        ("half", "compile", "`wasm-tools validate`", label[..label.len() / 2].to_vec()),
        ("header", "export", "one of the Tenter SDKs", label[..8].to_vec()),
        (
            "other-world",
            "export",
            "one of the Tenter SDKs",
            wat(r#"(component (core module $m) (core instance (instantiate $m)))"#),
        ),
        (
            "web",
            "import",
            "go through tenter:hooks/http",
            wat(r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#),
        ),
        (
            "newer-wasi",
            "import",
            "build it for wasm32-wasip2",
            wat(r#"(component (import "wasi:cli/environment@0.3.0" (instance)))"#),
        ),
        (
            "newer",
            "import",
            "build it against version 0.1.0",
            wat(r#"(component (import "tenter:hooks/log@9.0.0" (instance)))"#),
        ),
        (
            "unheard-of",
            "import",
            "did you mean \"state\"?",
            wat(r#"(component (import "tenter:hooks/stat@0.1.0" (instance)))"#),
        ),
        ("bare", "config", "the parameter `must` is an integer, expected string", villain.to_vec()),
        ("loops", "configure", "loops", villain.to_vec()),
        ("fails", "configure", "correct modules/fails.yml", villain.to_vec()),
        ("panics", "configure", "no configuration for me", villain.to_vec()),
        ("misspelt", "subscription", "did you mean \"hostname\"?", villain.to_vec()),
        ("lost", "subscription", "did you mean \"ip\"?", villain.to_vec()),
        ("twice", "subscription", "ids are unique", villain.to_vec()),
        ("greedy", "capability", "`tenter grant --help`", villain.to_vec()),
        ("unscoped", "capability", "expected entity type", villain.to_vec()),
        ("services", "configure", "correct modules/services.yml", example("services").to_vec()),
    ];
    for (name, code, says, bytes) in uploads {
        let answer = server.upload(name, &bytes);
        assert_eq!(answer.status, 422, "{name}: {}", answer.body);
        assert_eq!(answer.content_type, "application/problem+json", "{name}");
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{name}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{name}: expected the words {says:?} in: {detail}");
        assert!(!detail.contains(char::is_control), "{name}: {detail:?}");
        assert_eq!(server.running_set(), before, "{name}");
        server.assert_well();
    }
    // A refused version of a module that runs leaves the module as it was.
    let answer = server.upload("label", &with_endless_start(&label));
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(answer.json()["code"], "describe", "{}", answer.body);
    assert!(answer.body.contains("the component cannot be instantiated (fuel)"), "{}", answer.body);
    assert_eq!(server.running_set(), before);
    server.post_datapoints(&json!([{"type": "ip", "id": "10.0.0.1", "attr": "hostname", "v": "a"}]));
    server.settle();
    assert_eq!(server.master("ip", "10.0.0.1")["label"]["v"], "private");
    server.restart();
    assert_eq!(server.running_set(), before);
}

#[test]
fn an_upload_that_is_too_large_is_refused() {
    let mut server = Server::start(&Site::new());
    let answer = server.upload("huge", &vec![0; (64 << 20) + 1]);
    assert_eq!(answer.status, 413, "{}", answer.body);
    insta::assert_snapshot!(answer.body, @r#"{"code":"too-large","detail":"the body is too large: at most 8 MiB are read, decompressed, of an uploaded component 64 MiB; send it in parts","status":413,"title":"Payload Too Large","type":"about:blank"}"#);
    assert_eq!(server.running_set(), json!({"modules": [], "hooks": []}));
    server.assert_well();
}

#[test]
fn uploading_needs_an_operator_at_this_machine() {
    let server = Server::start(&Site::new());
    let label = example("label");
    let put = |client: &crate::harness::Client, headers: &[(&str, &str)]| {
        let answer = client.send("PUT", "/api/v1/modules/label", &label, headers);
        format!("{} {}\n", answer.status, answer.json()["detail"].as_str().unwrap())
    };
    let analyst = server.post("/api/v1/tokens", &json!({"role": "analyst", "label": "test"})).expect(200);
    let mut lesser = server.anonymous();
    lesser.token = Some(analyst["token"].as_str().unwrap().to_owned());
    let mut stranger = server.anonymous();
    stranger.token = Some("tenter_0000".to_owned());
    let mut said = String::new();
    said += &put(&server.anonymous(), &[]);
    said += &put(&lesser, &[]);
    said += &put(&stranger, &[]);
    said += &put(&server, &[("host", "tenter.example")]);
    said += &put(&server, &[("origin", "http://evil.example")]);
    said += &put(&server, &[("sec-fetch-site", "cross-site")]);
    insta::assert_snapshot!(said, @r"
    403 this needs the role operator and was sent without a token, which may do what DP³ offers; pass a token that has it (an operator makes one: tenter token create --role operator)
    403 this needs the role operator and was sent with a token of the role analyst; pass a token that has it (an operator makes one: tenter token create --role operator)
    401 the token is not known to this server or has expired; tenter token create makes a new one
    421 this server listens on loopback only and answers to localhost, 127.0.0.1 and [::1]; to serve other names listen on another address
    403 a web page of another site sent this; list its origin in api.yml (cors.allow_origins) if it may
    403 a web page of another site sent this; list its origin in api.yml (cors.allow_origins) if it may
    ");
    assert_eq!(server.running_set(), json!({"modules": [], "hooks": []}));
    // A page of another site may not send datapoints either, and one that names another host may not even read.
    let post = |headers: &[(&str, &str)]| server.send("POST", "/datapoints", b"[]", headers).status;
    assert_eq!(post(&[("origin", "http://evil.example")]), 403);
    assert_eq!(post(&[("origin", &server.url)]), 200);
    assert_eq!(server.send("GET", "/entities", b"", &[("host", "tenter.example")]).status, 421);
    assert_eq!(server.send("GET", "/entities", b"", &[("origin", "http://evil.example")]).status, 200);
}
