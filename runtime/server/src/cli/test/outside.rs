//! What is outside of a module in a test: what its case says, and nothing else.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};
use tenter_model::ModuleName;
use tenter_model::egress::{
    Asking, HttpError, HttpRequest, HttpResponse, Lookup, Outside, ResolveError, SecretError, Sensitive, Url,
};

use crate::egress::{encode, hmac};

/// The outside of one case.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    /// What peers answer. Several for one request answer in order, the last one from then on.
    pub(super) http: Vec<Answer>,
    /// What servers of names answer.
    pub(super) dns: Vec<Name>,
    /// Texts of secrets by name.
    pub(super) secrets: BTreeMap<String, String>,
}

/// An answer of a peer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) method: String,
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) fault: Option<Fault>,
}

/// An answer of a server of names.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) name: String,
    pub(super) kind: String,
    /// The server that is asked; absent: the host's own.
    pub(super) server: Option<SocketAddr>,
    pub(super) answers: Vec<String>,
    pub(super) fault: Option<Fault>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    TimedOut,
    TooLarge,
    Unreachable,
    NotFound,
}

impl Fault {
    /// The name in files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::TimedOut => "timed-out",
            Self::TooLarge => "too-large",
            Self::Unreachable => "unreachable",
            Self::NotFound => "not-found",
        }
    }
}

/// Plays scripts, one case after the other.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    playing: Mutex<Playing>,
}

#[derive(Debug, Default)]
struct Playing {
    script: Script,
    requests: Vec<Json>,
    unanswered: Vec<String>,
}

impl Scripted {
    /// Begins a case.
    pub(super) fn play(&self, script: Script) {
        *self.playing() = Playing { script, ..Playing::default() };
    }

    /// The requests of HTTP since this was asked last.
    pub(super) fn requests(&self) -> Vec<Json> {
        std::mem::take(&mut self.playing().requests)
    }

    /// What was asked for in this case, and is not in its script.
    pub(super) fn unanswered(&self) -> Vec<String> {
        self.playing().unanswered.clone()
    }

    fn playing(&self) -> std::sync::MutexGuard<'_, Playing> {
        self.playing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Playing {
    fn text(&self, value: &Sensitive) -> Result<String, HttpError> {
        match value {
            Sensitive::Clear(text) => Ok(text.clone()),
            Sensitive::Secret { prefix, name } => match self.script.secrets.get(name) {
                Some(secret) => Ok(format!("{prefix}{secret}")),
                None => Err(HttpError::Invalid(format!("the secret {name} is not set; `secrets` of the case sets it"))),
            },
        }
    }

    /// The address with its whole query.
    fn address(&self, request: &HttpRequest) -> Result<String, HttpError> {
        let mut text = with_query(&request.url);
        for (name, value) in &request.query {
            text.push(if text.contains('?') { '&' } else { '?' });
            encode(&mut text, name);
            text.push('=');
            encode(&mut text, &self.text(value)?);
        }
        Ok(text)
    }
}

/// An address in its one form.
fn with_query(url: &Url) -> String {
    url.query.as_ref().map_or_else(|| url.to_string(), |query| format!("{url}?{query}"))
}

impl Outside for Scripted {
    fn send(&self, _: &Asking<'_>, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut playing = self.playing();
        let address = playing.address(request)?;
        let headers = request.headers.iter().map(|(name, value)| Ok((name.to_ascii_lowercase(), playing.text(value)?)));
        let headers = headers.collect::<Result<BTreeMap<_, _>, HttpError>>()?;
        let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body));
        let sent = json!({"method": request.method, "url": address, "headers": headers, "body": body});
        playing.requests.push(sent);

        let asked = |answer: &Answer| answer.method == request.method && with_query(&answer.url) == address;
        let mut fitting = playing.script.http.iter().enumerate().filter(|(_, answer)| asked(answer));
        let (Some((first, answer)), another) = (fitting.next(), fitting.next().is_some()) else {
            let what = format!("http {} {address}", request.method);
            playing.unanswered.push(what);
            return Err(HttpError::Unreachable(format!("the test has no answer for {} {address}", request.method)));
        };
        let Answer { status, headers, body, fault, .. } = answer.clone();
        if another {
            playing.script.http.remove(first);
        }
        match fault {
            None | Some(Fault::NotFound) => Ok(HttpResponse { status, headers, body }),
            Some(Fault::TimedOut) => Err(HttpError::TimedOut),
            Some(Fault::TooLarge) => Err(HttpError::TooLarge),
            Some(Fault::Unreachable) => Err(HttpError::Unreachable("as the test says".to_owned())),
        }
    }

    fn lookup(&self, _: &Asking<'_>, lookup: Lookup<'_>) -> Result<Vec<String>, ResolveError> {
        let Lookup { name, kind, server } = lookup;
        let mut playing = self.playing();
        let name = name.trim_end_matches('.');
        let asked = |known: &&Name| {
            let same = known.name.trim_end_matches('.').eq_ignore_ascii_case(name);
            same && known.kind == kind && known.server == server
        };
        let Some(known) = playing.script.dns.iter().find(asked) else {
            let at = server.map_or(String::new(), |server| format!(" at {server}"));
            playing.unanswered.push(format!("dns {name} {kind}{at}"));
            return Err(ResolveError::NotFound);
        };
        match known.fault {
            None if known.answers.is_empty() => Err(ResolveError::NotFound),
            None | Some(Fault::TooLarge | Fault::Unreachable) => Ok(known.answers.clone()),
            Some(Fault::TimedOut) => Err(ResolveError::TimedOut),
            Some(Fault::NotFound) => Err(ResolveError::NotFound),
        }
    }

    fn secrets(&self, _: &ModuleName) -> Vec<String> {
        self.playing().script.secrets.keys().cloned().collect()
    }

    fn hmac_sha256(&self, _: &ModuleName, name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        let playing = self.playing();
        let secret = playing.script.secrets.get(name).ok_or(SecretError::NotSet)?;
        Ok(hmac(secret.as_bytes(), message).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn request(method: &str, url: &str) -> HttpRequest {
        HttpRequest {
            method: method.into(),
            url: Url::parse(url).unwrap(),
            query: vec![("q".into(), Sensitive::Clear("a b&c".into()))],
            headers: vec![("X-Key".into(), Sensitive::Secret { prefix: "Bearer ".into(), name: "key".into() })],
            body: Some(b"hello".to_vec()),
        }
    }

    #[test]
    fn peers_answer_what_the_case_says() {
        let answer = |status, fault| Answer {
            method: "POST".into(),
            url: Url::parse("https://a.example/x?y=1&q=a%20b%26c").unwrap(),
            status,
            headers: Vec::new(),
            body: b"hi".to_vec(),
            fault,
        };
        let scripted = Scripted::default();
        let secrets: BTreeMap<_, _> = [("key".to_owned(), "12345678".to_owned())].into();
        let http = vec![answer(200, None), answer(404, None), answer(200, Some(Fault::TimedOut))];
        scripted.play(Script { http, secrets, ..Script::default() });
        let module = ModuleName::new("m").unwrap();
        let asking = Asking { module: &module, time: Duration::ZERO, internal: &[] };
        let send = |method: &str| scripted.send(&asking, &request(method, "https://a.example/x?y=1"));
        let statuses = [send("POST"), send("POST")].map(|answer| answer.unwrap().status);
        assert_eq!(
            (statuses, send("POST"), send("POST")),
            ([200, 404], Err(HttpError::TimedOut), Err(HttpError::TimedOut))
        );
        let error = send("GET").unwrap_err().to_string();
        assert_eq!(error, "unreachable: the test has no answer for GET https://a.example/x?y=1&q=a%20b%26c");
        let sent = json!({"method": "POST", "url": "https://a.example/x?y=1&q=a%20b%26c",
            "headers": {"x-key": "Bearer 12345678"}, "body": "hello"});
        let requests = scripted.requests();
        assert_eq!((requests.len(), &requests[0]), (5, &sent));
        assert_eq!(scripted.unanswered(), ["http GET https://a.example/x?y=1&q=a%20b%26c"]);
        scripted.play(Script::default());
        assert!(matches!(send("POST"), Err(HttpError::Invalid(text)) if text.contains("`secrets` of the case")));
    }

    #[test]
    fn names_are_those_of_the_case() {
        let name = |name: &str, server: Option<&str>, answer: &str| Name {
            name: name.into(),
            kind: "A".into(),
            server: server.map(|server| server.parse().unwrap()),
            answers: vec![answer.into()],
            fault: None,
        };
        let scripted = Scripted::default();
        let dns = vec![name("a.example", None, "192.0.2.1"), name("a.example", Some("192.0.2.53:53"), "192.0.2.2")];
        scripted.play(Script { dns, ..Script::default() });
        let module = ModuleName::new("m").unwrap();
        let asking = Asking { module: &module, time: Duration::ZERO, internal: &[] };
        let ask = |name: &str, kind: &str, server: Option<&str>| {
            let server = server.map(|server| server.parse().unwrap());
            scripted.lookup(&asking, Lookup { name, kind, server })
        };
        assert_eq!(ask("A.example.", "A", None), Ok(vec!["192.0.2.1".to_owned()]));
        assert_eq!(ask("a.example", "A", Some("192.0.2.53:53")), Ok(vec!["192.0.2.2".to_owned()]));
        assert_eq!(ask("a.example", "AAAA", Some("192.0.2.53:5353")), Err(ResolveError::NotFound));
        assert_eq!(scripted.unanswered(), ["dns a.example AAAA at 192.0.2.53:5353"]);
    }
}
