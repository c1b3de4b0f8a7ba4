//! One kept connection, with no more than it takes to send requests and see that they went well: what the client costs is
//! taken from the same processors.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection to a server.
pub(super) struct Line {
    stream: BufReader<TcpStream>,
    text: String,
    body: Vec<u8>,
}

impl Line {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(super) fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), text: String::new(), body: Vec::new() })
    }

    /// Sends a request and reads its answer, which must be 200. Returns the body.
    ///
    /// # Errors
    /// When it is another.
    pub(super) fn ask(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        self.stream.get_mut().write_all(request)?;
        let mut length = None;
        let mut first = String::new();
        loop {
            self.text.clear();
            ensure!(self.stream.read_line(&mut self.text)? > 0, "the server closed the connection");
            let line = self.text.trim_end();
            if first.is_empty() {
                line.clone_into(&mut first);
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
        }
        self.body.resize(length.context("an answer without a length")?, 0);
        self.stream.read_exact(&mut self.body)?;
        ensure!(first.contains(" 200 "), "{first}: {}", String::from_utf8_lossy(&self.body));
        Ok(&self.body)
    }
}

/// A request with a body.
pub(super) fn request(method: &str, path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let token = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{token}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
