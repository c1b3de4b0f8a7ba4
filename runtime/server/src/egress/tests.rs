//! The way out, against peers in this process: what is reached, and what is refused before anything is connected.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

use tenter_model::Timestamp;
use tenter_model::egress::{Network, Sensitive, Url};
use tenter_model::limits::MAX_HTTP_RESPONSE_BYTES;

use super::names::Unfound;
use super::*;

/// Long enough for anything in one process.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that answers every connection with the same bytes and keeps what it was asked.
struct Peer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    fn new(answer: impl Into<Vec<u8>>) -> Self {
        Self::with(answer, false)
    }

    /// `hangs`: the connection stays open after the answer.
    fn with(answer: impl Into<Vec<u8>>, hangs: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked, answer) =
            (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default(), answer.into());
        let kept = asked.clone();
        // Ends with the process.
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                while !is_whole(&request) {
                    match stream.read(&mut buffer) {
                        Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
                        _ => break,
                    }
                }
                kept.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let _gone = stream.write_all(&answer);
                if hangs {
                    open.push(stream);
                }
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// Names that mean something else each time they are asked for.
#[derive(Default)]
struct Scripted {
    addresses: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names for Scripted {
    fn addresses(&self, host: &str, _: Duration) -> Result<Vec<IpAddr>, Unfound> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut all = self.addresses.lock().unwrap();
        let turns = all.get_mut(host).ok_or(Unfound::NoSuchHost)?;
        Ok(if turns.len() > 1 { turns.remove(0) } else { turns[0].clone() })
    }
}

struct World {
    egress: Egress,
    names: Arc<Scripted>,
    module: ModuleName,
    internal: Vec<Network>,
    time: Duration,
    _dir: tempfile::TempDir,
}

impl World {
    fn new(internal: &[&str]) -> Self {
        Self::with(&Settings::default(), internal)
    }

    fn with(settings: &Settings, internal: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(dir.path()).unwrap();
        let names = Arc::new(Scripted::default());
        let egress = Egress { names: names.clone(), ..Egress::open(settings, secrets).unwrap() };
        let internal = internal.iter().map(|n| n.parse().unwrap()).collect();
        Self { egress, names, module: ModuleName::new("hook").unwrap(), internal, time: PATIENCE, _dir: dir }
    }

    fn name(&self, host: &str, turns: &[&[&str]]) {
        let turns = turns.iter().map(|turn| turn.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        self.names.addresses.lock().unwrap().insert(host.to_owned(), turns);
    }

    fn secret(&self, name: &str, text: &str, hosts: &[&str]) {
        let hosts = hosts.iter().map(|h| (*h).to_owned()).collect();
        self.egress.secrets.set(&self.module, name, Zeroizing::new(text.to_owned()), hosts, Timestamp(0)).unwrap();
    }

    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let asking = Asking { module: &self.module, time: self.time, internal: &self.internal };
        self.egress.send(&asking, request)
    }

    fn get(&self, url: &str) -> Result<HttpResponse, HttpError> {
        self.send(&request("GET", url))
    }
}

fn request(method: &str, url: &str) -> HttpRequest {
    HttpRequest { method: method.into(), url: Url::parse(url).unwrap(), query: vec![], headers: vec![], body: None }
}

fn clear(text: &str) -> Sensitive {
    Sensitive::Clear(text.into())
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-is: here\r\nconnection: close\r\n\r\nhi";

#[test]
fn a_request_goes_out_as_it_was_made() {
    let (peer, world) = (Peer::new(OK), World::new(&["127.0.0.0/8"]));
    let mut made = request("POST", &peer.url("/in/x?a=1"));
    made.query.push(("b c".into(), clear("d&e/é")));
    made.headers.push(("X-Kind".into(), clear("test")));
    made.body = Some(b"{\"a\":1}".to_vec());
    let answer = world.send(&made).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hi"[..]));
    assert!(answer.headers.contains(&("x-is".into(), "here".into())), "{answer:?}");
    let asked = peer.asked().remove(0);
    assert!(asked.starts_with("POST /in/x?a=1&b%20c=d%26e%2F%C3%A9 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.to_lowercase().contains("x-kind: test\r\n") && asked.ends_with("{\"a\":1}"), "{asked}");
    assert!(asked.contains("(module hook)") && !asked.to_lowercase().contains("accept-encoding"), "{asked}");
    for method in tenter_model::egress::METHODS {
        world.send(&request(method, &peer.url("/"))).unwrap_or_else(|e| panic!("{method}: {e}"));
        assert!(peer.asked().last().unwrap().starts_with(&format!("{method} / ")), "{:?}", peer.asked());
    }
    // An answer of any status is an answer.
    let gone = Peer::new("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(world.get(&gone.url("/")).unwrap().status, 410);
}

/// Z37: the loopback, private networks and the metadata of clouds, however they are written.
#[test]
fn an_address_that_is_not_of_the_internet_is_refused_before_anything_is_connected() {
    let peer = Peer::new(OK);
    let port = peer.address.port();
    let world = World::new(&[]);
    world.name("inside.example", &[&["127.0.0.1"]]);
    world.name("metadata.example", &[&["169.254.169.254"]]);
    world.name("six.example", &[&["::1", "::ffff:127.0.0.1", "fd00::1", "64:ff9b::7f00:1"]]);
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "[fe80::1]",
        "inside.example",
        "metadata.example",
        "six.example",
    ] {
        let error = world.get(&format!("http://{host}:{port}/")).unwrap_err();
        assert!(matches!(&error, HttpError::Denied(text) if text.starts_with("egress-denied: ")), "{host}: {error:?}");
    }
    insta::assert_snapshot!(world.get(&format!("http://metadata.example:{port}/x")).unwrap_err(), @r#"denied: egress-denied: metadata.example is at 169.254.169.254, which is link-local, where clouds have their metadata; if module hook may reach it, grant http with a scope that ends with "at 169.254.169.254""#);
    assert_eq!(peer.asked(), [""; 0]);
    // The same addresses are reached where the operator opened them, so it is the guard that refuses.
    let open = World::new(&["127.0.0.0/8"]);
    open.name("inside.example", &[&["127.0.0.1"]]);
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]", "inside.example"] {
        assert_eq!(open.get(&format!("http://{host}:{port}/")).map(|a| a.status), Ok(200), "{host}");
    }
    assert_eq!(peer.asked().len(), 3);
    // And no others with them.
    assert!(matches!(open.get(&format!("http://10.0.0.1:{port}/")), Err(HttpError::Denied(_))));
}

/// Z39: what a name means is asked once; what it means a moment later does not matter.
#[test]
fn a_name_is_resolved_once_and_the_connection_goes_to_what_passed() {
    let peer = Peer::new(OK);
    let port = peer.address.port();
    let world = World::new(&["127.0.0.1/32"]);
    // First what passes, then what would not.
    world.name("rebinds.example", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let url = format!("http://rebinds.example:{port}/");
    assert_eq!(world.get(&url).map(|answer| answer.status), Ok(200));
    assert_eq!(*world.names.asked.lock().unwrap(), ["rebinds.example"]);
    // The peer is told the name, as virtual hosts need it.
    assert!(
        peer.asked()[0].to_lowercase().contains(&format!("host: rebinds.example:{port}\r\n")),
        "{:?}",
        peer.asked()
    );
    // The next request asks anew, and is judged anew.
    assert!(matches!(world.get(&url), Err(HttpError::Denied(_))));
    // Among several addresses those that do not pass are left out.
    world.name("mixed.example", &[&["10.0.0.1", "127.0.0.1", "169.254.169.254"]]);
    assert_eq!(world.get(&format!("http://mixed.example:{port}/")).map(|a| a.status), Ok(200));
    assert_eq!(peer.asked().len(), 2);
    assert_eq!(
        world.get(&format!("http://nobody.example:{port}/")),
        Err(HttpError::Unreachable("there is no such host".into()))
    );
}

/// Z38: where an answer points to is for the module to ask for, and for its grants to allow.
#[test]
fn a_redirect_is_not_followed() {
    let inside = Peer::new(OK);
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", inside.url("/admin"));
    let (peer, world) = (Peer::new(redirect), World::new(&["127.0.0.0/8"]));
    let answer = world.get(&peer.url("/")).unwrap();
    assert_eq!(answer.status, 302);
    assert!(answer.headers.contains(&("location".into(), inside.url("/admin"))), "{answer:?}");
    assert_eq!(inside.asked(), [""; 0]);
    assert_eq!(world.get(&inside.url("/admin")).unwrap().status, 200);
}

#[test]
fn an_answer_without_end_and_one_that_drips_are_given_up() {
    let mut world = World::new(&["127.0.0.0/8"]);
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_HTTP_RESPONSE_BYTES + 1);
    assert_eq!(world.get(&Peer::with(announced, true).url("/")), Err(HttpError::TooLarge));
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(MAX_HTTP_RESPONSE_BYTES + 4096, b'x');
    assert_eq!(world.get(&Peer::with(endless, true).url("/")), Err(HttpError::TooLarge));
    let mut fits = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    fits.resize(fits.len() + MAX_HTTP_RESPONSE_BYTES, b'x');
    assert_eq!(world.get(&Peer::new(fits).url("/")).map(|a| a.body.len()), Ok(MAX_HTTP_RESPONSE_BYTES));
    let headers = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(64 << 10));
    assert_eq!(world.get(&Peer::with(headers, true).url("/")), Err(HttpError::TooLarge));
    assert!(matches!(
        world.get(&Peer::new("SSH-2.0-x\r\n").url("/")),
        Err(HttpError::Other(_) | HttpError::Unreachable(_))
    ));
    // A part of an answer, and then nothing.
    world.time = Duration::from_millis(300);
    let begun = std::time::Instant::now();
    for part in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
        assert_eq!(world.get(&Peer::with(part, true).url("/")), Err(HttpError::TimedOut), "{part:?}");
    }
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

/// What is packed stays packed: a small answer cannot become a large one here.
#[test]
fn nothing_is_unpacked() {
    let packed = b"\x1f\x8b\x08\x00 whatever";
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n".to_vec();
    answer.extend_from_slice(packed);
    let answer = World::new(&["127.0.0.0/8"]).get(&Peer::new(answer).url("/")).unwrap();
    assert_eq!(answer.body, packed);
    assert!(answer.headers.contains(&("content-encoding".into(), "gzip".into())));
}

#[test]
fn secrets_go_out_and_do_not_come_back() {
    let echo = "HTTP/1.1 200 OK\r\nx-echo: Bearer opensesame1\r\nconnection: close\r\n\r\nyou said opensesame1, opensesame1 and s3cr&t/key";
    let (peer, world) = (Peer::new(echo), World::new(&["127.0.0.0/8"]));
    world.secret("token", "opensesame1", &[]);
    world.secret("key", "s3cr&t/key", &["127.0.0.1"]);
    world.secret("elsewhere", "for-others-alone", &["*.example.org"]);
    let secret = |prefix: &str, name: &str| Sensitive::Secret { prefix: prefix.into(), name: name.into() };
    let mut made = request("GET", &peer.url("/"));
    made.headers.push(("Authorization".into(), secret("Bearer ", "token")));
    made.query.push(("key".into(), secret("", "key")));
    let answer = world.send(&made).unwrap();
    let asked = peer.asked().remove(0);
    assert!(asked.starts_with("GET /?key=s3cr%26t%2Fkey "), "{asked}");
    assert!(asked.to_lowercase().contains("authorization: bearer opensesame1\r\n"), "{asked}");
    assert_eq!(String::from_utf8(answer.body).unwrap(), "you said ***, *** and ***");
    assert!(answer.headers.contains(&("x-echo".into(), "Bearer ***".into())), "{:?}", answer.headers);
    // A secret is for its hosts, and one that is not set is named.
    made.headers[0].1 = secret("", "elsewhere");
    insta::assert_snapshot!(world.send(&made).unwrap_err(), @"denied: the secret elsewhere of module hook is not for 127.0.0.1, but for *.example.org");
    made.headers[0].1 = secret("", "none");
    insta::assert_snapshot!(world.send(&made).unwrap_err(), @"invalid: the secret none is not set; tenter secret set hook none sets it");
    assert_eq!(peer.asked().len(), 1);
    // Errors do not tell the query.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut made = request("GET", &format!("http://{gone}/"));
    made.query.push(("key".into(), secret("", "key")));
    let error = world.send(&made).unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)) && !error.to_string().contains("s3cr"), "{error:?}");
}

#[test]
fn a_signature_needs_its_secret() {
    let world = World::new(&[]);
    world.secret("key", "Jefe-and-more", &[]);
    let mac = |name: &str| world.egress.hmac_sha256(&world.module, name, b"what do ya want for nothing?");
    let hex: String = mac("key").unwrap().iter().map(|b| format!("{b:02x}")).collect();
    // As `openssl dgst -sha256 -hmac` has it.
    assert_eq!(hex, HMAC);
    assert_eq!(mac("other"), Err(SecretError::NotSet));
    assert_eq!(world.egress.secrets(&world.module), ["key"]);
    assert_eq!(world.egress.secrets(&ModuleName::new("another").unwrap()), [""; 0]);
}

const HMAC: &str = "b44d8336f5e63e27fd192ad60941025ac21bef4a166a06551dc4fc6c570e43ab";

/// Cases 1 to 4, 6 and 7 of RFC 4231.
#[test]
fn signatures_are_those_of_the_standard() {
    let hex = |mac: [u8; 32]| mac.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let counted: Vec<u8> = (1..=25).collect();
    let cases: [(&[u8], &[u8], &str); 6] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&counted, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ];
    for (key, message, mac) in cases {
        assert_eq!(hex(hmac(key, message)), mac);
    }
}

#[test]
fn requests_go_through_the_operators_proxy_but_for_internal_ones() {
    // It opens no tunnel, which is enough to see what it was asked.
    let proxy = Peer::new("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
    let settings = Settings { proxy: Some(format!("http://{}", proxy.address)), ..Settings::default() };
    let world = World::with(&settings, &[]);
    let error = world.get("http://api.example:8080/x").unwrap_err();
    assert!(matches!(&error, HttpError::Unreachable(text) if text.contains("proxy")), "{error:?}");
    assert!(proxy.asked()[0].starts_with("CONNECT api.example:8080 HTTP/1.1\r\n"), "{:?}", proxy.asked());
    // An address is judged as ever.
    assert!(matches!(world.get("http://169.254.169.254/"), Err(HttpError::Denied(_))));
    let (peer, world) = (Peer::new(OK), World::with(&settings, &["127.0.0.0/8"]));
    assert_eq!(world.get(&peer.url("/")).unwrap().status, 200);
    assert_eq!(proxy.asked().len(), 1);
}

#[test]
fn a_file_of_certificates_is_added_to_those_that_browsers_trust() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.pem");
    let open = || {
        let settings = Settings { ca_file: Some(path.display().to_string()), ..Settings::default() };
        Egress::open(&settings, Secrets::open(dir.path()).unwrap()).map(|egress| egress.roots)
    };
    assert!(format!("{:#}", open().unwrap_err()).contains("cannot be read"));
    std::fs::write(&path, "nothing").unwrap();
    assert!(format!("{:#}", open().unwrap_err()).contains("holds no certificate"));
    std::fs::write(&path, OWN).unwrap();
    let RootCerts::Specific(all) = open().unwrap() else { panic!("not these") };
    assert_eq!(all.len(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len() + 1);
}

/// Any certificate.
const OWN: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
