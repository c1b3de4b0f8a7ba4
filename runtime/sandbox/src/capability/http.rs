//! `http`: requests to outside services.
//!
//! Here is decided whether a request may leave at all: its form, the grants of the module, how many requests the call
//! has made, and how long it may wait. What is behind [`Outside`](tenter_model::egress::Outside) resolves the name,
//! holds every address against the guard, and puts secrets in; their text never comes here.

use tenter_model::egress::{self, Asking, METHODS, Sensitive, Url};
use tenter_model::host::LogLevel;
use tenter_model::limits::{MAX_HTTP_REQUEST_BYTES, MAX_HTTP_REQUESTS};
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::http::{self, Host, HttpError, Parameter, Request, Response};
use crate::guest::{CallState, Refusal, Stage};
use crate::text::{escape, message};

/// Headers that belong to the connection or to the host, and could make two readers see two requests.
const OURS: &[&str] =
    &["connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

impl Host for View<'_> {
    fn send(&mut self, request: Request) -> Result<std::result::Result<Response, HttpError>> {
        self.call.charge(bytes_of(&request))?;
        Ok(self.sent(request))
    }
}

impl View<'_> {
    fn sent(&mut self, request: Request) -> std::result::Result<Response, HttpError> {
        if self.call.stage == Stage::Start {
            return Err(HttpError::Denied("requests are for hooks, not for the start of an instance".into()));
        }
        let timeout = request.timeout_ms;
        let request = well_formed(request)?;
        let grants = &self.facts.settings.grants;
        let (method, url) = (request.method.as_str(), &request.url);
        let mut allowing = grants.iter().filter(|grant| grant.allows(method, url)).peekable();
        if allowing.peek().is_none() {
            self.call.refusal = Some(Refusal::NotGranted("http"));
            let text = format!(
                "no grant of module {0} lets {method} {url} through; tenter grant {0} http \"{method} {url}\" gives one",
                self.facts.name
            );
            return Err(HttpError::Denied(message(&text)));
        }
        let internal: Vec<_> = allowing.flat_map(|grant| grant.networks()).collect();
        for (_, value) in request.headers.iter().chain(&request.query) {
            if let Sensitive::Secret { name, .. } = value
                && !self.is_granted("secret", name)
            {
                let text = format!("module {} has no grant for the secret {}", self.facts.name, escape(name, 60));
                return Err(HttpError::Denied(message(&text)));
            }
        }
        self.call.requests = self.call.requests.saturating_add(1);
        if self.call.requests > MAX_HTTP_REQUESTS {
            return Err(HttpError::Denied(format!("a call makes {MAX_HTTP_REQUESTS} requests at most")));
        }
        let request = with_key(request, self.call);
        let time = self.call.may_wait(timeout);
        let asking = Asking { module: &self.facts.name, time, internal: &internal };
        let (answer, spent) = self.call.waited(|| self.facts.outside.send(&asking, &request));
        let outcome = match &answer {
            Ok(response) => response.status.to_string(),
            Err(error) => escape(&error.to_string(), 300),
        };
        let line = format!("http {} {}: {outcome} after {} ms", request.method, request.url, spent.as_millis());
        self.call.log(LogLevel::Debug, &line);
        match answer {
            Ok(response) => Ok(response_to_wit(response)),
            Err(error) => {
                if matches!(error, egress::HttpError::Denied(_)) {
                    self.call.refusal = Some(Refusal::Egress);
                }
                Err(error_to_wit(error))
            }
        }
    }
}

/// A request is sent again when its call is repeated after a crash or a failure; a service that knows this header does
/// then what it was asked for once.
fn with_key(mut request: egress::HttpRequest, call: &CallState) -> egress::HttpRequest {
    let changes = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE");
    if changes && !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")) {
        let key = call.key_of(&format!("http {}", call.requests));
        request.headers.push(("idempotency-key".into(), Sensitive::Clear(key)));
    }
    request
}

fn bytes_of(request: &Request) -> usize {
    let parameters = |list: &[Parameter]| -> usize {
        let value = |value: &http::Sensitive| match value {
            http::Sensitive::Clear(text) => text.len(),
            http::Sensitive::Secret(secret) => secret.prefix.len() + secret.name.len(),
        };
        list.iter().map(|p| p.name.len() + value(&p.value)).sum()
    };
    request.method.len()
        + request.url.len()
        + parameters(&request.query)
        + parameters(&request.headers)
        + request.body.as_ref().map_or(0, Vec::len)
}

fn well_formed(request: Request) -> std::result::Result<egress::HttpRequest, HttpError> {
    let Request { method, url, query, headers, body, timeout_ms: _ } = request;
    let invalid = |text: String| HttpError::Invalid(message(&text));
    let Some(method) = METHODS.iter().find(|known| **known == method) else {
        let text = format!("{:?} is no method; expected one of {}", escape(&method, 20), METHODS.join(", "));
        return Err(invalid(text));
    };
    let url = Url::parse(&url).map_err(invalid)?;
    if body.as_ref().is_some_and(|body| body.len() > MAX_HTTP_REQUEST_BYTES) {
        return Err(HttpError::TooLarge);
    }
    if body.is_some() && matches!(*method, "GET" | "HEAD") {
        return Err(invalid(format!("{method} has no body")));
    }
    for header in &headers {
        let name = header.name.to_ascii_lowercase();
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(token) {
            return Err(invalid(format!("{:?} is no name of a header", escape(&header.name, 60))));
        }
        if OURS.contains(&name.as_str()) || name.starts_with("proxy-") {
            return Err(invalid(format!("the header {name} is the host's own")));
        }
        let text = match &header.value {
            http::Sensitive::Clear(text) => text,
            http::Sensitive::Secret(secret) => &secret.prefix,
        };
        if !text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
            return Err(invalid(format!("the value of the header {name} is no visible ASCII text")));
        }
    }
    let list = |list: Vec<Parameter>| list.into_iter().map(|p| (p.name, sensitive(p.value))).collect();
    Ok(egress::HttpRequest { method: (*method).to_owned(), url, query: list(query), headers: list(headers), body })
}

fn sensitive(value: http::Sensitive) -> Sensitive {
    match value {
        http::Sensitive::Clear(text) => Sensitive::Clear(text),
        http::Sensitive::Secret(secret) => Sensitive::Secret { prefix: secret.prefix, name: secret.name },
    }
}

fn response_to_wit(response: egress::HttpResponse) -> Response {
    let headers = response.headers.into_iter().map(|(name, value)| http::Header { name, value }).collect();
    Response { status: response.status, headers, body: response.body }
}

fn error_to_wit(error: egress::HttpError) -> HttpError {
    match error {
        egress::HttpError::Denied(text) => HttpError::Denied(message(&text)),
        egress::HttpError::Invalid(text) => HttpError::Invalid(message(&text)),
        egress::HttpError::TimedOut => HttpError::TimedOut,
        egress::HttpError::TooLarge => HttpError::TooLarge,
        egress::HttpError::Unreachable(text) => HttpError::Unreachable(message(&text)),
        egress::HttpError::Other(text) => HttpError::Other(message(&text)),
    }
}
