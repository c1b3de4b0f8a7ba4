//! Looks for a server on this machine when none is named, where DP³'s shell looks too.
//!
//! The search carries no token. A token that somebody gave is sent to no place that only answers like a server: with a
//! token and no address, the usual address is taken unasked.

use std::time::Duration;

use serde_json::Value;

use crate::error::{CliError, Kind};

use super::{Client, DEFAULT_URL};

/// How long one place may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Places in the order in which they are tried: ours first, then those of a DP³ behind a web server.
const PLACES: [&str; 8] = [
    DEFAULT_URL,
    "http://localhost:5000",
    "http://127.0.0.1:5000/api",
    "http://localhost:5000/api",
    "http://127.0.0.1:8081",
    "http://localhost:8081",
    "http://127.0.0.1:8081/api",
    "http://localhost:8081/api",
];

impl Client {
    /// A client for the server that is found on this machine; for the usual address when none is.
    ///
    /// # Errors
    /// When a token is given that cannot be one.
    pub(crate) fn local(token: Option<String>, timeout: Duration) -> Result<Self, CliError> {
        let found = if token.is_some() { None } else { search(&PLACES, PATIENCE) };
        Self::new(found.unwrap_or(DEFAULT_URL), token, timeout)
    }
}

/// The first place that answers like a server. One that takes too long ends the search: it may be the one that is meant,
/// and a change must not go to another for that.
fn search<'a>(places: &[&'a str], patience: Duration) -> Option<&'a str> {
    for url in places {
        match Client::anonymous(url, patience).ok()?.try_call("GET", "/", None) {
            Ok(answer) if greets(answer.status, &answer.body) => return Some(url),
            Err(broken) if broken.error.kind == Kind::Timeout => return None,
            Ok(_) | Err(_) => {}
        }
    }
    None
}

/// Whether this is how DP³ and Tenter answer to `GET /`.
pub(super) fn greets(status: u16, body: &Value) -> bool {
    status == 200 && body.get("detail").and_then(Value::as_str) == Some("It works!")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::serve;

    #[test]
    fn the_first_place_that_answers_like_a_server_is_taken() {
        let other = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        let works = "HTTP/1.1 200 OK\r\ncontent-length: 22\r\nconnection: close\r\n\r\n{\"detail\":\"It works!\"}";
        let nobody = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("http://{}", listener.local_addr().unwrap())
        };
        let (stranger, first) = serve(vec![other, other]);
        let (server, second) = serve(vec![works]);
        let behind = format!("{server}/api");
        assert_eq!(search(&[&nobody, &stranger, &behind], PATIENCE), Some(behind.as_str()));
        assert_eq!(search(&[&nobody, &stranger], PATIENCE), None);
        assert!(first.join().unwrap().iter().all(|asked| !asked.contains("authorization")));
        assert!(second.join().unwrap()[0].starts_with("get /api/ http/1.1"));
    }
    #[test]
    fn a_place_that_is_slow_is_not_passed_over() {
        // It takes the connection and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let slow = format!("http://{}", silent.local_addr().unwrap());
        let works = "HTTP/1.1 200 OK\r\ncontent-length: 22\r\nconnection: close\r\n\r\n{\"detail\":\"It works!\"}";
        let (server, _thread) = serve(vec![works]);
        assert_eq!(search(&[&slow, &server], Duration::from_millis(50)), None);
        assert_eq!(search(&[&server, &slow], PATIENCE), Some(server.as_str()));
    }
}
