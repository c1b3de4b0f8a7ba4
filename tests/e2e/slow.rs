//! Clients that take their time: they harm nobody, and after a while they are cut.
//!
//! 200 of them, with `TENTER_EXTENT=full` 1 000. Without time-outs they stay, which shows that it is the time-outs that cut.

#![allow(clippy::disallowed_methods, reason = "the extent of a test comes from the environment")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server, Site, wait_for};
use crate::transport::{connect, raw, read_answer};

/// How long anybody else may wait for an answer while the slow ones hang on; a machine that builds is slow itself.
const PROMPT: Duration = Duration::from_secs(5);
/// Datapoints of the log that slow readers ask for, and characters of each: more than systems hold on the way.
const LOGGED: usize = 10_000;
const CHARACTERS: usize = 1_000;

/// How many there are, and after how many seconds they are cut: not before all of them are there.
fn clients() -> (usize, u64) {
    match std::env::var("TENTER_EXTENT").as_deref() {
        Ok("full") => (1_000, 15),
        _ => (200, 3),
    }
}

/// The test holds as many connections as the server.
fn may_open_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// How many connections were ended for a reason.
fn ended(server: &Server, reason: &str) -> usize {
    metric(server, &format!("tenter_http_connections_ended_total{{reason=\"{reason}\"}}"))
}

fn metric(server: &Server, name: &str) -> usize {
    // On a connection of its own, since one that is kept may be asked to make room.
    let (_, text) = raw(server, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let text = String::from_utf8(text).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
    value.trim().parse().unwrap()
}

/// Slow clients of each kind.
struct Slow {
    /// They send a head byte by byte.
    heads: Vec<TcpStream>,
    /// They send a body byte by byte.
    bodies: Vec<TcpStream>,
    /// They ask for much and read nothing.
    readers: Vec<TcpStream>,
}

impl Slow {
    fn start(server: &Server, n: usize) -> Self {
        let sent = |request: &str| {
            let mut stream = connect(server);
            stream.write_all(request.as_bytes()).unwrap();
            stream
        };
        let body = "POST /datapoints HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n[";
        let reader = "GET /entity/ip/raw/get?limit=0 HTTP/1.1\r\nhost: localhost\r\n\r\n";
        Self {
            heads: (0..n * 22 / 25).map(|_| sent("GET / HTTP/1.1\r\nhost: localhost\r\nx-slow: ")).collect(),
            bodies: (0..n / 10).map(|_| sent(body)).collect(),
            readers: (0..n / 50).map(|_| sent(reader)).collect(),
        }
    }

    /// One byte more from each, as far as it is not cut.
    fn drip(&mut self) {
        for stream in self.heads.iter_mut().chain(&mut self.bodies) {
            let _cut = stream.write(b" ");
        }
    }
}

fn site(http: &str) -> Site {
    Site::new().tenter(&format!("http: {http}\n"))
}

fn fill(server: &Server) {
    let points = |from: usize| -> Value {
        let point = |i: usize| {
            let eid = format!("192.0.{}.{}", i / 250 % 250, i % 250);
            json!({"type": "ip", "id": eid, "attr": "note", "v": "x".repeat(CHARACTERS)})
        };
        (from..from + 2_500).map(point).collect()
    };
    for from in (0..LOGGED).step_by(2_500) {
        server.post_datapoints(&points(from));
    }
    server.settle();
}

#[test]
fn slow_clients_harm_nobody_and_are_cut() {
    may_open_many_files();
    let (n, seconds) = clients();
    let limits = format!("header_timeout: {seconds}, progress_timeout: {seconds}, max_connections: 4000");
    let mut server = Server::start(&site(&format!("{{{limits}}}")));
    fill(&server);
    let mut slow = Slow::start(&server, n);
    let all = slow.heads.len() + slow.bodies.len() + slow.readers.len();
    wait_for("the slow ones to be there", || metric(&server, "tenter_http_connections ") > all);
    assert_eq!(["head", "body", "unread"].map(|reason| ended(&server, reason)), [0; 3], "too early");

    // They drip until each is cut, and meanwhile others are answered.
    let (started, mut longest, mut answered) = (Instant::now(), Duration::ZERO, 0);
    let expected = [slow.heads.len(), slow.bodies.len(), slow.readers.len()];
    loop {
        slow.drip();
        let asked = Instant::now();
        assert_eq!(server.post_datapoints(&json!([])), ());
        assert_eq!(server.get("/").status, 200);
        longest = longest.max(asked.elapsed());
        answered += 2;
        let cut = ["head", "body", "unread"].map(|reason| ended(&server, reason));
        if cut == expected {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "cut {cut:?} of {expected:?}");
    }
    let after = started.elapsed();
    println!(
        "{all} slow clients were cut within {after:?}; {answered} others were answered, the slowest in {longest:?}"
    );
    assert!(longest < PROMPT, "somebody waited {longest:?}");

    // Whose body did not come is told; whose answer was not read has lost the rest of it.
    let (head, body) = read_answer(&mut slow.bodies[0]);
    assert!(head.starts_with("http/1.1 408"), "{head}");
    assert_eq!(
        String::from_utf8(body).unwrap(),
        format!(
            "{{\"detail\":\"the rest of the body did not come: some kilobytes of it must come in each {seconds} s \
             (http.progress_timeout of tenter.yml); nothing of this request was accepted\"}}"
        )
    );
    let got = read_to_the_end(&mut slow.readers[0]);
    assert!(got < LOGGED * CHARACTERS, "the whole answer of {got} bytes came");
    server.assert_well();
}

#[test]
fn without_time_outs_they_stay() {
    let mut server =
        Server::start(&site("{header_timeout: 0, progress_timeout: 0, idle_timeout: 0, request_timeout: 0}"));
    fill(&server);
    let mut slow = Slow::start(&server, 50);
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        slow.drip();
        assert_eq!(server.get("/").status, 200);
    }
    assert_eq!(["head", "idle", "body", "unread"].map(|reason| ended(&server, reason)), [0; 4]);
    // Each goes on where it was.
    for stream in &mut slow.heads {
        stream.write_all(b"\r\n\r\n").unwrap();
        assert!(read_answer(stream).0.starts_with("http/1.1 200"));
    }
    let (head, body) = read_answer(&mut slow.readers[0]);
    assert!(head.starts_with("http/1.1 200") && body.len() > LOGGED * CHARACTERS, "{head} {}", body.len());
    server.assert_well();
}

fn read_to_the_end(stream: &mut TcpStream) -> usize {
    let (mut all, mut part) = (0, vec![0; 1 << 16]);
    loop {
        match stream.read(&mut part) {
            Ok(0) => return all,
            Ok(n) => all += n,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn who_waits_longest_makes_room_and_who_is_at_a_request_stays() {
    let mut server =
        Server::start(&site("{max_connections: 8, header_timeout: 0, idle_timeout: 0, progress_timeout: 0}"));
    // The client of this test keeps one connection; all others are of those who hold connections.
    let mut held: Vec<TcpStream> = (0..20).map(|_| connect(&server)).collect();
    wait_for("the oldest to make room", || ended(&server, "room") >= 12);
    assert_eq!(held[0].read(&mut [0]).unwrap_or(0), 0, "the oldest was to be closed");
    drop(held);
    // At requests: nobody is sent away for a new one.
    let head = "POST /datapoints HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    held = (0..8)
        .map(|_| {
            let mut stream = connect(&server);
            stream.write_all(head.as_bytes()).unwrap();
            // Said when the body is waited for.
            assert!(read_answer(&mut stream).0.starts_with("http/1.1 100"));
            stream
        })
        .collect();
    let mut late = connect(&server);
    late.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let (head, body) = read_answer(&mut late);
    assert!(head.starts_with("http/1.1 503"), "{head}");
    insta::assert_snapshot!(String::from_utf8(body).unwrap(), @r#"{"detail":"all connections of this server are in use; try again"}"#);
    for stream in &mut held {
        stream.write_all(b"[]").unwrap();
        assert!(read_answer(stream).0.starts_with("http/1.1 200"));
    }
    drop(held);
    server.assert_well();
}
