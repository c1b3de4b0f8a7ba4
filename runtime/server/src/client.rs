//! The HTTP client of the commands: one agent, JSON in and out, and errors that say what to do.
//!
//! Redirects are not followed, so that a token never leaves for another host. A loopback server is called past any
//! proxy.

use std::time::Duration;

use serde_json::Value;

use crate::error::{CliError, Kind};
use crate::token_file;

mod local;
mod peer;
mod problem;

pub(crate) use peer::Peer;
pub(crate) use problem::problem;

/// Largest answer read, in bytes.
const MAX_ANSWER: u64 = 256 << 20;

/// Where no server is named.
const DEFAULT_URL: &str = "http://127.0.0.1:5000";

/// A server and how to speak to it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
}

/// An answer of any status.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// `Retry-After`, when it is a number of seconds.
    pub(crate) retry_after: Option<Duration>,
    /// The body; text that is not JSON is a string.
    pub(crate) body: Value,
}

/// A call without an answer.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// For the person.
    pub(crate) error: CliError,
    /// Whether the server may have got the request.
    pub(crate) reached: bool,
}

impl Client {
    /// A client for that URL. Without a token, the one that a server on this machine left is used.
    ///
    /// # Errors
    /// When the URL is not one of HTTP, or holds a query.
    pub(crate) fn new(url: &str, token: Option<String>, timeout: Duration) -> Result<Self, CliError> {
        let Self { agent, base, .. } = Self::anonymous(url, timeout)?;
        let token = token.filter(|t| !t.is_empty()).or_else(|| {
            let uri: ureq::http::Uri = base.parse().ok()?;
            let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
            token_file::find(uri.host()?, uri.port_u16().unwrap_or(usual))
        });
        Ok(Self { agent, base, token })
    }

    /// A client that has no token and looks for none.
    fn anonymous(url: &str, timeout: Duration) -> Result<Self, CliError> {
        let wrong = |why: &str| {
            CliError::new(Kind::Usage, format!("--url {url:?} is not usable: {why}"))
                .help(format!("give it as `--url {DEFAULT_URL}`"))
        };
        let uri: ureq::http::Uri = url.parse().map_err(|e| wrong(&format!("{e}")))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong("it must start with http:// or https://"));
        }
        let host = uri.host().filter(|h| !h.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        if uri.query().is_some() {
            return Err(wrong("it holds a query"));
        }
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("tenter/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(timeout));
        if is_loopback(host) {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), base: url.trim_end_matches('/').to_owned(), token: None })
    }

    /// Where the server is.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// Asks, and takes only success for an answer.
    ///
    /// # Errors
    /// When there is no server, or its answer is an error.
    pub(crate) fn get(&self, path: &str) -> Result<Value, CliError> {
        self.demand("GET", path, None)
    }

    /// Sends JSON with that method, and takes only success for an answer.
    ///
    /// # Errors
    /// When there is no server, or its answer is an error.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, CliError> {
        let bytes = body.map(|b| b.to_string().into_bytes());
        self.demand(method, path, bytes.as_deref().map(|b| ("application/json", b)))
    }

    /// Sends bytes of a type, and takes only success for an answer.
    ///
    /// # Errors
    /// When there is no server, or its answer is an error.
    pub(crate) fn demand(&self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Result<Value, CliError> {
        let answer = self.try_call(method, path, body).map_err(|b| b.error)?;
        self.settle(path, answer)
    }

    /// Calls, and gives the answer of whatever status.
    ///
    /// # Errors
    /// When there is no server, or it breaks off.
    pub(crate) fn try_call(&self, method: &str, path: &str, body: Option<(&str, &[u8])>) -> Result<Answer, Broken> {
        self.try_call_keyed(method, path, body, None)
    }

    /// The same with a key, under which the server does it once.
    ///
    /// # Errors
    /// When there is no server, or it breaks off.
    pub(crate) fn try_call_keyed(
        &self,
        method: &str,
        path: &str,
        body: Option<(&str, &[u8])>,
        key: Option<&str>,
    ) -> Result<Answer, Broken> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("accept", "application/json, application/problem+json");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some((kind, _)) = body {
            request = request.header("content-type", kind);
        }
        let built = |e: ureq::http::Error| Broken {
            error: CliError::new(Kind::Usage, format!("cannot make a request for {path:?}: {e}"))
                .help("check the token and the names for characters that do not belong there"),
            reached: false,
        };
        let result = match body {
            Some((_, bytes)) => self.agent.run(request.body(bytes).map_err(built)?),
            None => self.agent.run(request.body(()).map_err(built)?),
        };
        let mut response = result.map_err(|e| self.broken(&e))?;
        let retry_after = response.headers().get("retry-after").and_then(|v| v.to_str().ok()?.parse().ok());
        let text = response.body_mut().with_config().limit(MAX_ANSWER).lossy_utf8(true).read_to_string();
        let text = text.map_err(|e| self.broken(&e))?;
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.map(Duration::from_secs),
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        })
    }

    fn broken(&self, error: &ureq::Error) -> Broken {
        let refused = |e: &std::io::Error| e.kind() == std::io::ErrorKind::ConnectionRefused;
        let unreachable = match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve)
            | ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed => Some(error.to_string()),
            ureq::Error::Io(e) if refused(e) => Some("connection refused".to_owned()),
            _ => None,
        };
        if let Some(why) = unreachable {
            return Broken { error: self.unreachable(&why), reached: false };
        }
        let error = match error {
            ureq::Error::Timeout(_) => CliError::new(Kind::Timeout, format!("{} did not answer in time", self.base))
                .help("the server may be busy: `tenter status` tells; `--timeout SECONDS` waits longer"),
            other => CliError::new(Kind::Unreachable, format!("the connection to {} broke: {other}", self.base))
                .help("is it a Tenter server, and does it still run? `tenter status` tells"),
        };
        Broken { error, reached: true }
    }

    fn unreachable(&self, why: &str) -> CliError {
        CliError::new(Kind::Unreachable, format!("cannot reach {}: {why}", self.base))
            .help("is `tenter serve` running? `tenter serve DIR` starts a server; `--url` names another one")
    }
}

/// One part of a path, with everything escaped that is not a plain letter or digit.
pub(crate) fn part(text: &str) -> String {
    // A path part of dots alone would be taken for a step up.
    let dots = text.bytes().all(|b| b == b'.');
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_~".contains(&b) || (b == b'.' && !dots) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// A query of these pairs, those without a value left out; empty or with its question mark.
pub(crate) fn query(pairs: &[(&str, Option<String>)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if let Some(value) = value {
            out.push(if out.is_empty() { '?' } else { '&' });
            out.push_str(&format!("{name}={}", part(value)));
        }
    }
    out
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|a| a.is_loopback())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_stay_one_part() {
        assert_eq!(part("a/b?c d#é"), "a%2Fb%3Fc%20d%23%C3%A9");
        assert_eq!((part(".."), part("192.0.2.1")), ("%2E%2E".to_owned(), "192.0.2.1".to_owned()));
        assert_eq!(query(&[("a", None), ("b", Some("x&y".into())), ("c", Some("1".into()))]), "?b=x%26y&c=1");
    }

    #[test]
    fn a_url_that_cannot_work_is_a_usage_error() {
        let make = |url: &str| Client::new(url, Some("t".into()), Duration::from_secs(1)).map(|c| c.base);
        assert_eq!(make("http://localhost:5000/").unwrap(), "http://localhost:5000");
        for url in ["localhost:5000", "ftp://x", "/x", "http://x/?a=b"] {
            assert_eq!(make(url).unwrap_err().kind, Kind::Usage, "{url}");
        }
    }

    /// Answers each connection with the next text and gives the first lines and headers of what it was asked.
    pub(crate) fn serve(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        use std::io::{BufRead as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let answer = |text: &str| {
                let (stream, _) = listener.accept().unwrap();
                let lines = std::io::BufReader::new(&stream).lines().map(Result::unwrap);
                let head: Vec<_> = lines.take_while(|l| !l.is_empty()).map(|l| l.to_lowercase()).collect();
                (&stream).write_all(text.as_bytes()).unwrap();
                head.join("\n")
            };
            answers.into_iter().map(answer).collect()
        });
        (url, thread)
    }

    #[test]
    fn a_redirect_is_not_followed_and_the_token_stays() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/stolen\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (url, thread) = serve(vec![moved]);
        let client = Client::new(&url, Some("secret".into()), Duration::from_secs(5)).unwrap();
        let error = client.get("/api/v1/status").unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::Failed, "the server gave no reason (HTTP 302)"));
        let asked = thread.join().unwrap();
        assert!(asked[0].starts_with("get /api/v1/status http/1.1"), "{asked:?}");
        assert!(asked[0].contains("authorization: bearer secret"), "{asked:?}");
    }

    #[test]
    fn answers_that_break_off_may_have_been_heard() {
        let busy = "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (url, thread) = serve(vec![busy, "HTTP/1.1 200 OK\r\ncontent-length: 99\r\nconnection: close\r\n\r\n{"]);
        let client = Client::new(&url, None, Duration::from_secs(5)).unwrap();
        let answer = client.try_call("GET", "/", None).unwrap();
        assert_eq!((answer.status, answer.retry_after), (503, Some(Duration::from_secs(7))));
        let broken = client.try_call("GET", "/", None).unwrap_err();
        assert_eq!((broken.reached, broken.error.kind), (true, Kind::Unreachable));
        thread.join().unwrap();
        // Nobody listens there any more.
        let broken = client.try_call("GET", "/", None).unwrap_err();
        assert!(!broken.reached, "{}", broken.error);
    }
}
