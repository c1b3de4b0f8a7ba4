//! Bytes on the socket that are no request, or nearly one: the server answers 4xx or hangs up, and stays well.
//!
//! 150 connections, with `TENTER_EXTENT=full` 3 000; `TENTER_SEED=N` chooses others.

#![allow(clippy::disallowed_methods, reason = "extent and seed of a test come from the environment")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::Shutdown;

use crate::harness::{Server, Site};
use crate::transport::connect;

/// Beginnings from which requests are made.
const HEADS: &[&str] = &[
    "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "POST /datapoints HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n[]",
    "POST /datapoints HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
    "POST /datapoints HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
    "POST /datapoints HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n[] ",
    "POST /datapoints HTTP/1.1\r\nhost: localhost\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x0b\x08\x00",
    "GET http://localhost/entities?x=%zz HTTP/1.0\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "CONNECT localhost:80 HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01\x05\x00\x00\x00\x01\x02",
];
/// What is put somewhere.
const ODD: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\xff\xfe",
    b"%",
    b":",
    b"ffffffffffffffff\r\n",
    b"-1",
    b"99999999999999999999",
    b"HTTP/9.9",
    b"\r\n\r\n",
    b"host: evil.example\r\n",
    b"\x00\x00\x05\x09\x00\x00\x00\x00\x01",
];

/// Choices that a seed decides.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n.max(1) as u64).unwrap()
    }

    fn bytes(&mut self) -> Vec<u8> {
        if self.below(8) == 0 {
            let n = self.below(300);
            return (0..n).map(|_| u8::try_from(self.below(256)).unwrap()).collect();
        }
        let mut bytes = HEADS[self.below(HEADS.len())].as_bytes().to_vec();
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(4) {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.extend_from_within(at..),
                _ => drop(bytes.splice(at..at, ODD[self.below(ODD.len())].iter().copied())),
            }
        }
        bytes
    }
}

#[test]
fn garbage_on_the_socket_harms_nobody() {
    let asked = |name: &str| std::env::var(name).ok();
    let total = if asked("TENTER_EXTENT").is_some_and(|extent| extent == "full") { 3_000 } else { 150 };
    let seed = asked("TENTER_SEED").and_then(|seed| seed.parse().ok()).unwrap_or(1);
    println!("{total} connections of TENTER_SEED={seed}");
    let mut server = Server::start(&Site::new().tenter("http: {header_timeout: 2, progress_timeout: 2}\n"));
    let mut random = Random(seed);
    let mut answers = std::collections::BTreeMap::<String, usize>::new();
    for n in 0..total {
        let bytes = random.bytes();
        let shown = || format!("connection {n} of seed {seed}: {:?}", String::from_utf8_lossy(&bytes));
        let mut stream = connect(&server);
        // It may have hung up before all was sent.
        let _sent = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}: {}", shown());
        }
        let first = String::from_utf8_lossy(&answer).chars().take(12).collect::<String>();
        let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).map(|s| s.parse::<u16>().unwrap());
        assert!(status.is_none_or(|status| status < 500), "{first}: {}", shown());
        let kind =
            status.map_or_else(|| if answer.is_empty() { "nothing" } else { "frames" }.to_owned(), |s| s.to_string());
        *answers.entry(kind).or_default() += 1;
    }
    println!("answers {answers:?}");
    assert!(
        answers.contains_key("200") && answers.contains_key("400") && answers.contains_key("frames"),
        "{answers:?}"
    );
    server.assert_well();
    // Each request stands for itself: what one smuggles is no other's.
    assert_eq!(server.settle()["tasks"]["accepted"], 0);
}
