//! The least HTTP client that does: one connection, JSON in and out, and no retries, which would blur what was sent.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: SocketAddr,
    closes: bool,
}

impl Connection {
    /// Connects to a port of this machine.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let host = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&host, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host, closes: false })
    }

    /// Whether the server said that it closes the connection after its last answer.
    pub(crate) fn closes(&self) -> bool {
        self.closes
    }

    /// Sends a request and waits for its answer: the status and the body.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let authorization = token.map(|t| format!("authorization: Bearer {t}\r\n")).unwrap_or_default();
        let mut message = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n{authorization}\r\n",
            self.host,
            body.len()
        )
        .into_bytes();
        message.extend_from_slice(body);
        self.stream.get_mut().write_all(&message)?;

        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(format!("no status line: {status_line:?}")))?;
        let mut length = None;
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                None => break,
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse::<usize>().ok();
                }
                Some((name, value)) if name.eq_ignore_ascii_case("connection") => {
                    self.closes = value.trim().eq_ignore_ascii_case("close");
                }
                Some(_) => {}
            }
        }
        let mut body = vec![0; length.ok_or_else(|| io::Error::other("an answer without length"))?];
        self.stream.read_exact(&mut body)?;
        Ok((status, body))
    }

    /// Reads an object that must be there.
    pub(crate) fn get(&mut self, path: &str) -> serde_json::Value {
        let (status, body) = self.request("GET", path, None, b"").unwrap();
        assert_eq!(status, 200, "GET {path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
