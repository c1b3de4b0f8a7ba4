//! HTTP below the routes: versions, compression, limits of a request, what browsers ask.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server, Site};

/// The head and the body of an answer to what is written on a connection of its own.
pub(crate) fn raw(server: &Server, request: &[u8]) -> (String, Vec<u8>) {
    let mut stream = connect(server);
    stream.write_all(request).unwrap();
    read_answer(&mut stream)
}

/// A connection with a deadline for reading.
pub(crate) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads one answer, whose length is told.
pub(crate) fn read_answer(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "it ended after {:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let mut body = Vec::new();
    if let Some(length) = header(&head, "content-length") {
        body.resize(length.parse().unwrap(), 0);
        stream.read_exact(&mut body).unwrap();
    } else if header(&head, "transfer-encoding").is_some() {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                stream.read_exact(&mut byte).unwrap();
                line.push(byte[0]);
            }
            let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk).unwrap();
            body.extend(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    (head, body)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").into_bytes()
}

fn datapoints(n: u32) -> Value {
    (0..n)
        .map(|i| json!({"type": "ip", "id": format!("192.0.2.{}", i % 250), "attr": "hostname", "v": "a.example"}))
        .collect()
}

#[test]
fn a_connection_is_kept_and_carries_many_requests() {
    let server = Server::start(&Site::new());
    let mut stream = connect(&server);
    for _ in 0..3 {
        stream.write_all(&get("/", "")).unwrap();
        let (head, body) = read_answer(&mut stream);
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(body, br#"{"detail":"It works!"}"#);
    }
    // Two at once, and none of both is lost.
    stream.write_all(&[get("/", ""), get("/livez", "connection: close\r\n")].concat()).unwrap();
    assert_eq!(read_answer(&mut stream).1, br#"{"detail":"It works!"}"#);
    assert_eq!(read_answer(&mut stream).1, b"ok\n");
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "it was to be closed");
}

#[test]
fn http_2_is_spoken_with_who_begins_so() {
    let server = Server::start(&Site::new());
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
        let carried = tokio::spawn(connection);
        let mut answers = Vec::new();
        for (method, host, body) in [("GET", "localhost", ""), ("POST", "localhost", "[]"), ("GET", "evil.example", "")]
        {
            let path = if method == "POST" { "/datapoints" } else { "/" };
            let request = ureq::http::Request::builder().method(method).uri(format!("http://{host}{path}"));
            sender = sender.ready().await.unwrap();
            let (answer, mut stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
            stream.send_data(bytes(body), true).unwrap();
            answers.push(answer);
        }
        let mut said = Vec::new();
        for answer in answers {
            let answer = answer.await.unwrap();
            let status = answer.status().as_u16();
            let mut body = answer.into_body();
            let mut text = Vec::new();
            while let Some(data) = body.data().await {
                text.extend(data.unwrap());
            }
            said.push((status, String::from_utf8(text).unwrap()));
        }
        assert_eq!(said[0], (200, r#"{"detail":"It works!"}"#.to_owned()));
        assert_eq!(said[1], (200, r#"{"detail":"OK"}"#.to_owned()));
        // The name is in the address here, and is looked at as `Host` is.
        assert_eq!(said[2].0, 421, "{}", said[2].1);
        drop(sender);
        carried.await.unwrap().unwrap();
    });
}

fn bytes(text: &str) -> axum::body::Bytes {
    axum::body::Bytes::copy_from_slice(text.as_bytes())
}

fn gzip(content: impl std::io::Read) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut content = content;
    let mut encoder = flate2::write::GzEncoder::new(&mut packed, flate2::Compression::fast());
    std::io::copy(&mut content, &mut encoder).unwrap();
    encoder.finish().unwrap();
    packed
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A zstd frame of such blocks: stored ones, or one byte that repeats so many times.
fn zstd(blocks: &[(&[u8], Option<u32>)]) -> Vec<u8> {
    // The window is 8 MiB, the largest that readers must support.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3];
    for (i, (content, times)) in blocks.iter().enumerate() {
        let last = u32::from(i + 1 == blocks.len());
        let (kind, size) = times.map_or((0, u32::try_from(content.len()).unwrap()), |times| (1, times));
        frame.extend(&(last | kind << 1 | size << 3).to_le_bytes()[..3]);
        frame.extend(*content);
    }
    frame
}

#[test]
fn compressed_requests_are_read() {
    let server = Server::start(&Site::new());
    let plain = datapoints(3).to_string().into_bytes();
    let packed = [
        ("GZip", gzip(&*plain)),
        ("deflate", deflate(&plain)),
        ("zstd", zstd(&[(&plain, None)])),
        ("identity", plain.clone()),
    ];
    for (encoding, body) in &packed {
        let answer = server.send("POST", "/datapoints", body, &[("content-encoding", encoding)]);
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"detail":"OK"}"#), "{encoding}");
    }
    assert_eq!(server.settle()["datapoints"]["received"], 12);
    let mut said = String::new();
    for (encoding, body) in [("br", &plain), ("gzip, zstd", &plain), ("gzip", &plain), ("zstd", &plain)] {
        let answer = server.send("POST", "/datapoints", body, &[("content-encoding", encoding)]);
        said.push_str(&format!("{encoding}: {} {}\n", answer.status, answer.body));
    }
    let cut = &packed[0].1[..packed[0].1.len() - 9];
    let answer = server.send("POST", "/datapoints", cut, &[("content-encoding", "gzip")]);
    said.push_str(&format!("cut off: {} {}\n", answer.status, answer.body));
    insta::assert_snapshot!(said, @r#"
    br: 415 {"detail":"this Content-Encoding is not read; gzip, deflate and zstd are, one at a time"}
    gzip, zstd: 415 {"detail":"this Content-Encoding is not read; gzip, deflate and zstd are, one at a time"}
    gzip: 400 {"detail":"the body cannot be read: it ended early, or is not compressed as Content-Encoding says"}
    zstd: 400 {"detail":"the body cannot be read: it ended early, or is not compressed as Content-Encoding says"}
    cut off: 400 {"detail":"the body cannot be read: it ended early, or is not compressed as Content-Encoding says"}
    "#);
    assert_eq!(server.settle()["datapoints"]["received"], 12);
}

#[test]
fn a_small_body_does_not_become_a_large_one() {
    let mut server = Server::start(&Site::new().tenter("http: {max_body_mib: 1}\n"));
    // 12 GiB in 400 KB: whoever unpacked it all would not answer for long.
    let bomb = vec![(&b" "[..], Some(128 << 10)); 100_000];
    let spaces = std::io::repeat(b' ').take(64 << 20);
    for (encoding, body) in [("zstd", zstd(&bomb)), ("gzip", gzip(spaces))] {
        assert!(body.len() < 1 << 20, "{encoding}: {}", body.len());
        let answer = server.send("POST", "/datapoints", &body, &[("content-encoding", encoding)]);
        insta::allow_duplicates! {
            insta::assert_snapshot!(format!("{} {}", answer.status, answer.body), @r#"413 {"detail":"the body is too large: at most 1 MiB are read, decompressed, of an uploaded component 64 MiB; send it in parts"}"#);
        }
    }
    // At the limit it is read, and as many bytes more are not.
    let mut body = vec![b' '; (1 << 20) - 2];
    body.extend(b"[]");
    assert_eq!(server.send("POST", "/datapoints", &gzip(&*body), &[("content-encoding", "gzip")]).status, 200);
    body.push(b' ');
    assert_eq!(server.send("POST", "/datapoints", &gzip(&*body), &[("content-encoding", "gzip")]).status, 413);
    server.assert_well();
}

#[test]
fn answers_are_compressed_as_the_client_accepts() {
    let server = Server::start(&Site::new());
    server.post_datapoints(&datapoints(100));
    server.settle();
    let path = "/entity/ip/raw/get?limit=0";
    let plain = raw(&server, &get(path, "")).1;
    assert!(plain.len() > 5_000, "{}", plain.len());
    for encoding in ["gzip", "deflate", "zstd"] {
        let (head, body) = raw(&server, &get(path, &format!("accept-encoding: {encoding}\r\n")));
        assert_eq!(header(&head, "content-encoding"), Some(encoding), "{head}");
        assert!(header(&head, "vary").is_some_and(|vary| vary.contains("accept-encoding")), "{head}");
        assert!(body.len() * 4 < plain.len(), "{encoding}: {} of {}", body.len(), plain.len());
        let unpacked = match encoding {
            "gzip" => read_all(flate2::read::GzDecoder::new(&*body)),
            "deflate" => read_all(flate2::read::ZlibDecoder::new(&*body)),
            // Read back by the server itself: it is a valid body of a request, though no list of datapoints.
            _ => {
                let answer = server.send("POST", "/datapoints", &body, &[("content-encoding", "zstd")]);
                assert!(answer.body.contains("expected a list of datapoints"), "{}", answer.body);
                continue;
            }
        };
        assert_eq!(unpacked, plain, "{encoding}");
    }
    // Not what the client does not want, and not what gains nothing.
    for (path, accept) in [(path, "br"), (path, "identity"), (path, "gzip;q=0"), ("/", "gzip")] {
        let (head, _) = raw(&server, &get(path, &format!("accept-encoding: {accept}\r\n")));
        assert_eq!(header(&head, "content-encoding"), None, "{path} {accept}: {head}");
    }
}

fn read_all(mut from: impl std::io::Read) -> Vec<u8> {
    let mut all = Vec::new();
    from.read_to_end(&mut all).unwrap();
    all
}

#[test]
fn heads_have_limits_that_are_told() {
    let mut server =
        Server::start(&Site::new().tenter("http: {max_url_bytes: 300, max_header_bytes: 1024, max_headers: 16}\n"));
    let long = format!("/entity/ip/raw/get?eid={}", "x".repeat(400));
    let many: String = (0..20).map(|i| format!("x-{i}: a\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(1100));
    let mut said = String::new();
    for (what, request) in
        [("url", get(&long, "")), ("many", get("/", &many)), ("large", get("/api/v1/status", &large))]
    {
        let (head, body) = raw(&server, &request);
        let status = head.lines().next().unwrap();
        said.push_str(&format!("{what}: {status} {}\n", String::from_utf8(body).unwrap()));
    }
    // Far beyond, the parser itself refuses, in no words.
    let far = format!("x-far: {}\r\n", "x".repeat(100_000));
    said.push_str(raw(&server, &get("/", &far)).0.lines().next().unwrap());
    insta::assert_snapshot!(said, @r#"
    url: http/1.1 414 uri too long {"detail":"the address has 423 bytes, at most 300 are read (http.max_url_bytes of tenter.yml); ask for less at once"}
    many: http/1.1 431 request header fields too large {"detail":"21 headers of 103 bytes came, at most 16 of 1024 bytes together are read (http.max_headers, http.max_header_bytes of tenter.yml)"}
    large: http/1.1 431 request header fields too large {"code":"headers-too-large","detail":"2 headers of 1120 bytes came, at most 16 of 1024 bytes together are read (http.max_headers, http.max_header_bytes of tenter.yml)","status":431,"title":"Request Header Fields Too Large","type":"about:blank"}
    http/1.1 431 request header fields too large
    "#);
    let fits = format!("/entity/ip/raw/get?src={}", "x".repeat(250));
    assert_eq!(server.get(&fits).status, 200);
    server.assert_well();
}

#[test]
fn a_path_tells_its_methods() {
    let server = Server::start(&Site::new());
    let mut said = String::new();
    for (method, path) in [
        ("OPTIONS", "/datapoints"),
        ("OPTIONS", "/entities"),
        ("OPTIONS", "/none"),
        ("HEAD", "/entities"),
        ("HEAD", "/none"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).unwrap();
        let answer = String::from_utf8(read_all(stream)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        let status = head.lines().next().unwrap();
        said.push_str(&format!("{method} {path}: {status}; allow {}; {body}\n", header(&head, "allow").unwrap_or("-")));
    }
    insta::assert_snapshot!(said, @r#"
    OPTIONS /datapoints: http/1.1 200 ok; allow post; {"detail":"this path has the methods POST"}
    OPTIONS /entities: http/1.1 200 ok; allow get,head; {"detail":"this path has the methods GET,HEAD"}
    OPTIONS /none: http/1.1 404 not found; allow -; {"detail":"there is nothing at /none; docs/http.md lists the routes"}
    HEAD /entities: http/1.1 200 ok; allow -; 
    HEAD /none: http/1.1 404 not found; allow -; 
    "#);
}

#[test]
fn a_dashboard_of_another_origin_works_as_configured() {
    let listed = Site::new().file("api.yml", "cors: {allow_origins: ['https://board.example']}\n");
    for (site, named) in [(Site::new(), false), (listed, true)] {
        let server = Server::start(&site);
        let ask = |request: &str, origin: &str, more: &str| {
            let text = format!("{request} HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\n{more}\r\n");
            raw(&server, text.as_bytes()).0
        };
        let board = "https://board.example";
        let allowed = if named { board } else { "*" };
        // What a browser asks before it sends JSON with a token.
        let wish =
            "access-control-request-method: DELETE\r\naccess-control-request-headers: authorization,content-type\r\n";
        let head = ask("OPTIONS /entity/ip/192.0.2.1", board, wish);
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert_eq!(header(&head, "access-control-allow-origin"), Some(allowed));
        assert_eq!(header(&head, "access-control-allow-methods"), Some("delete"));
        assert_eq!(header(&head, "access-control-allow-headers"), Some("authorization,content-type"));
        assert_eq!(header(&head, "access-control-max-age"), Some("600"));
        // An answer, and a refusal: a page may read both.
        for path in ["/entities", "/api/v1/tokens", "/none"] {
            let head = ask(&format!("GET {path}"), board, "");
            assert_eq!(header(&head, "access-control-allow-origin"), Some(allowed), "{path}: {head}");
        }
        let head = ask("GET /entities", "https://other.example", "");
        assert_eq!(header(&head, "access-control-allow-origin"), if named { None } else { Some("*") }, "{head}");
        // Only who is listed by name may change something.
        let head = ask("POST /datapoints", board, "content-length: 2\r\n\r\n[]");
        assert!(head.starts_with(if named { "http/1.1 200" } else { "http/1.1 403" }), "{head}");
    }
}
