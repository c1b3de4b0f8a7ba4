//! Modules that reach out: to what is granted, with secrets that they never see, and nowhere else.
//!
//! The peers are in this process, so on the loopback: reaching them needs what any service of an operator's own network
//! needs, a grant that ends with `at NETWORK`.

use std::io::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{Peer, Server, Site, assert_reconciled, component, redacted};

fn server() -> Server {
    let site = Site::new().module("villain", &json!({"must": "be"})).tenter(
        "modules:\n  villain:\n    quarantine: off\n    recording: all\n    limits:\n      deadline_ms: 5000\n",
    );
    let server = Server::start(&site);
    server.install("villain", &component("tenter-villain"));
    server.post("/api/v1/hooks/villain/create/deregister", &json!({})).expect(200);
    server
}

fn grant(server: &Server, capability: &str, scope: &str) {
    server.post("/api/v1/modules/villain/grants", &json!({"capability": capability, "scope": scope})).expect(200);
}

/// Has the villain do something, and gives the record of the call.
fn act(server: &Server, act: &str) -> Value {
    server.post_datapoints(&json!([{"type": "ip", "id": "10.0.0.1", "attr": "hostname", "v": act, "src": "test"}]));
    assert_reconciled(&server.settle());
    let rows = server.read("/api/v1/invocations?module=villain&limit=20")["invocations"].clone();
    let of_attribute = rows.as_array().unwrap().iter().find(|row| row["hook"] == "on-new-attribute").unwrap().clone();
    server.read(&format!("/api/v1/invocations/{}", of_attribute["id"].as_str().unwrap_or_default()))
}

/// Z37, and what is beside it: without a grant nothing is reached, with one what it says, and inside only what the
/// operator opened.
#[test]
fn a_module_reaches_what_is_granted_and_nothing_else() {
    let (peer, _filters) = (Peer::saying("hello"), redacted());
    let (mut server, url) = (server(), format!("http://{}/in/x", peer.address));
    let refused = |server: &Server, act_: &str, reason: &str| {
        let call = act(server, act_);
        assert_eq!(call["reason"], reason, "{act_}: {call:#}");
        assert_eq!(peer.asked().len(), 0, "{act_}: something was connected");
        call["output"].as_str().unwrap_or_default().replace(&peer.address.port().to_string(), "[port]")
    };
    insta::assert_snapshot!(refused(&server, &format!("http GET {url}"), "not-granted"), @r#"the module says "HttpError::Denied(\"no grant of module villain lets GET http://127.0.0.1:[port]/in/x through; tenter grant villain http \\\"GET http://127.0.0.1:[port]/in/x\\\" gives one\")" after the host refused what needs the grant `http`; the module lacks a grant; `tenter grant` gives it"#);
    // Any address of the Internet is none of the loopback, and none of the metadata.
    grant(&server, "http", "* http://*:*");
    let words = refused(&server, &format!("http GET {url}"), "egress-denied");
    assert!(words.contains("egress-denied: 127.0.0.1 is at 127.0.0.1, which is loopback"), "{words}");
    assert!(words.contains("after the host refused to connect; the module wanted to reach"), "{words}");
    for inside in
        ["http://169.254.169.254/latest", "http://localhost:1/", "http://[::ffff:10.0.0.1]/", "http://0.0.0.0:1/"]
    {
        refused(&server, &format!("http GET {inside}"), "egress-denied");
    }
    for odd in ["http://2130706433/", "http://user@127.0.0.1/", "gopher://127.0.0.1/", "http://127.0.0.1/a/%2e%2e/b"] {
        refused(&server, &format!("http GET {odd}"), "failed");
    }
    // Method, path and network are what the grant says.
    let scope = format!("GET http://{}/in/* at 127.0.0.1/32", peer.address);
    grant(&server, "http", &scope);
    refused(&server, &format!("http POST {url}"), "egress-denied");
    refused(&server, &format!("http GET http://{}/out", peer.address), "egress-denied");
    let call = act(&server, &format!("http GET {url}"));
    assert_eq!(call["reason"], Value::Null, "{call:#}");
    let logs = call["logs"].to_string();
    assert!(logs.contains(&format!("http GET {url}: 200 after ")), "{call:#}");
    assert_eq!(peer.asked().len(), 1);
    // What is taken away is closed.
    let path = format!("/api/v1/modules/villain/grants?capability=http&scope={}", encoded(&scope));
    server.delete(&path).expect(200);
    let call = act(&server, &format!("http GET {url}"));
    assert_eq!(call["reason"], "egress-denied", "{call:#}");
    assert_eq!(peer.asked().len(), 1);
    server.assert_well();
}

/// A server of names that gives every name one address, and counts the questions.
fn names_server() -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            count.fetch_add(1, Ordering::SeqCst);
            let mut answer = buffer[..length].to_vec();
            // An answer, recursion available; one record: the name of the question, A, IN, 60 s, 4 bytes.
            answer[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1]);
            answer.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 7]);
            socket.send_to(&answer, from).unwrap();
        }
    });
    (address, asked)
}

/// A module may ask the servers of names that the operator runs, and others only where a grant says which.
#[test]
fn a_server_of_names_is_asked_when_a_grant_opens_it() {
    let ((address, asked), server) = (names_server(), server());
    let (chosen, usual) = (format!("lookup A host.example at {address}"), "lookup A host.example at 127.0.0.1");
    assert_eq!(act(&server, &chosen)["reason"], "not-granted");
    // None of these holds it: the operator's servers, all of the Internet, another network.
    for scope in ["", "*", "10.0.0.0/8"] {
        grant(&server, "resolver", scope);
        let call = act(&server, &chosen);
        assert_eq!(call["reason"], "not-granted", "{scope:?}: {call:#}");
    }
    assert_eq!(act(&server, usual)["reason"], "not-granted");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    grant(&server, "resolver", "127.0.0.0/8");
    let call = act(&server, &chosen);
    assert_eq!(call["reason"], Value::Null, "{call:#}");
    assert!(call["logs"].to_string().contains("198.51.100.7"), "{call:#}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let call = act(&server, "lookup A host.example at dns.example");
    assert!(call["output"].to_string().contains("is no server; expected an address"), "{call:#}");
}

/// Z38: the module sees where it is sent, and what it asks for there is judged as ever.
#[test]
fn where_a_redirect_leads_is_granted_or_refused() {
    let inside = Peer::saying("treasure");
    let to = format!("http://{}/treasure", inside.address);
    let gate = Peer::new(format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"));
    let server = server();
    grant(&server, "http", &format!("GET http://{} at 127.0.0.1", gate.address));
    let call = act(&server, &format!("http GET http://{}/", gate.address));
    assert!(call["logs"].to_string().contains(": 302 after "), "{call:#}");
    assert_eq!((gate.asked().len(), inside.asked().len()), (1, 0));
    assert_eq!(act(&server, &format!("http GET {to}"))["reason"], "not-granted");
    assert_eq!(inside.asked().len(), 0);
    grant(&server, "http", &format!("GET {to} at 127.0.0.1"));
    assert_eq!(act(&server, &format!("http GET {to}"))["reason"], Value::Null);
    assert_eq!(inside.asked().len(), 1);
}

#[test]
fn a_call_makes_so_many_requests_and_no_more() {
    let (peer, server) = (Peer::saying("x"), server());
    grant(&server, "http", &format!("GET http://{} at 127.0.0.1", peer.address));
    let call = act(&server, &format!("http-many http://{}/", peer.address));
    assert!(call["logs"].to_string().contains("16 of 20 went out"), "{call:#}");
    assert!(peer.asked().len() <= 16, "{}", peer.asked().len());
    // The next call has as many again.
    let call = act(&server, &format!("http-many http://{}/", peer.address));
    assert!(call["logs"].to_string().contains("16 of 20 went out"), "{call:#}");
}

/// A text that must not be found anywhere.
const CANARY: &str = "canary-7d1f2b";

/// Everything that the server tells or keeps is looked through for the text of a secret.
#[test]
fn a_secret_is_used_and_never_told() {
    // It says what it was told, as some services do.
    let (peer, mut server) = (Peer::saying(&format!("you said {CANARY}")), server());
    let url = format!("http://{}/", peer.address);
    grant(&server, "http", &format!("* {url} at 127.0.0.1"));
    let mut set = server.command();
    set.args(["--url", &server.url, "--token", server.token.as_deref().unwrap(), "secret", "set", "villain", "key"]);
    let mut child = set.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{CANARY}\n").as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut told =
        vec![String::from_utf8_lossy(&done.stdout).into_owned(), String::from_utf8_lossy(&done.stderr).into_owned()];
    // Set is not granted.
    let before = act(&server, &format!("http GET {url} key"));
    assert_eq!(before["reason"], "not-granted", "{before:#}");
    assert_eq!(peer.asked().len(), 0);
    grant(&server, "secret", "key");
    let call = act(&server, &format!("http GET {url} key"));
    assert_eq!(call["reason"], Value::Null, "{call:#}");
    assert!(peer.asked()[0].to_lowercase().contains(&format!("authorization: bearer {CANARY}")), "{:?}", peer.asked());
    assert!(call.to_string().contains("you said ***"), "{call:#}");
    assert_eq!(act(&server, "secrets key")["reason"], Value::Null);
    for path in [
        "/api/v1/modules/villain/secrets",
        "/api/v1/modules/villain/config",
        "/api/v1/modules/villain",
        "/api/v1/invocations?limit=100",
        "/api/v1/errors",
        "/api/v1/audit",
        "/metrics",
    ] {
        told.push(server.get(path).body);
    }
    for row in server.read("/api/v1/invocations?limit=100")["invocations"].as_array().unwrap() {
        told.push(server.get(&format!("/api/v1/invocations/{}", row["id"].as_str().unwrap())).body);
    }
    told.push(server.log());
    let audit = server.read("/api/v1/audit?limit=1000").to_string();
    assert!(audit.contains("secret.set"), "{audit}");
    let listed = server.read("/api/v1/modules/villain/secrets")["secrets"][0].clone();
    assert_eq!((&listed["name"], &listed["set"], &listed["granted"]), (&json!("key"), &json!(true), &json!(true)));
    // Stopped, so that all of the database is in its files; and after a restart it is still there.
    server.stop();
    let data = server.site().parent().unwrap().join("data");
    for file in std::fs::read_dir(&data).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()).into_owned();
        let private = file.file_name() == "secrets.json";
        assert_eq!(text.contains(CANARY), private, "{}", file.path().display());
        #[cfg(unix)]
        if private {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    server.start_again();
    assert_eq!(act(&server, &format!("http GET {url} key"))["reason"], Value::Null);
    assert_eq!(peer.asked().len(), 2);
    server.delete("/api/v1/modules/villain/secrets/key").expect(200);
    assert_eq!(server.delete("/api/v1/modules/villain/secrets/key").status, 404);
    assert_eq!(act(&server, &format!("http GET {url} key"))["reason"], "failed");
    assert_eq!(peer.asked().len(), 2);
    told.push(server.log());
    for text in told {
        assert!(!text.contains(CANARY), "{text}");
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
