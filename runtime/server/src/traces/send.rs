//! Sends ended spans to a collector, many at once, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{Content, Ended};
use crate::error::{CliError, Kind};

/// Spans that wait for the collector; more are dropped.
const ROOM: usize = 8192;
/// Spans of one request, and how long the first of them waits for others.
const BATCH: usize = 512;
const GATHER: Duration = Duration::from_secs(1);
/// Longest wait for the collector, also at the end.
const PATIENCE: Duration = Duration::from_secs(5);
/// The log tells no more often that spans are lost.
const COMPLAIN: Duration = Duration::from_secs(60);

enum Message {
    Span(Box<Ended>),
    /// Send what is there, answer, and end.
    Stop(mpsc::Sender<()>),
}

/// Takes spans; never waits.
#[derive(Clone)]
pub(crate) struct Sender {
    queue: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Sender {
    pub(super) fn send(&self, span: Ended) {
        if self.queue.try_send(Message::Span(Box::new(span))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The thread that sends. Dropping it sends what waits.
pub(crate) struct Sending(Sender);

impl Sending {
    /// Starts it for the address of a collector.
    ///
    /// # Errors
    /// The address is none of HTTP.
    pub(crate) fn start(url: &str) -> anyhow::Result<Self> {
        let url = endpoint(url)?;
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0).proxy(None);
        let agent = ureq::Agent::new_with_config(config.build());
        let (queue, messages) = mpsc::sync_channel(ROOM);
        let sender = Sender { queue, lost: Arc::default() };
        let lost = sender.lost.clone();
        thread::Builder::new().name("traces".to_owned()).spawn(move || run(&agent, &url, &messages, &lost))?;
        Ok(Self(sender))
    }

    /// Where to give spans to.
    pub(crate) fn sender(&self) -> Sender {
        self.0.clone()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let (done, ended) = mpsc::channel();
        if self.0.queue.try_send(Message::Stop(done)).is_ok() {
            // A collector that does not answer in time gets no more spans; nobody is left to be told.
            ended.recv_timeout(PATIENCE).ok();
        }
    }
}

/// The address that takes traces: as given, or that of the specification where only a host is given.
fn endpoint(url: &str) -> anyhow::Result<String> {
    let wrong = || {
        CliError::new(Kind::Usage, format!("--traces {url:?} is no address of HTTP"))
            .help("try `--traces http://localhost:4318`")
    };
    let parsed: ureq::http::Uri = url.parse().map_err(|_| wrong())?;
    if !parsed.scheme_str().is_some_and(|scheme| ["http", "https"].contains(&scheme)) {
        return Err(wrong().into());
    }
    let bare = url.trim_end_matches('/');
    Ok(if parsed.path() == "/" { format!("{bare}/v1/traces") } else { url.to_owned() })
}

fn run(agent: &ureq::Agent, url: &str, messages: &Receiver<Message>, lost: &AtomicU64) {
    let mut complained: Option<Instant> = None;
    while let Ok(first) = messages.recv() {
        let (spans, stop) = gather(first, messages);
        if !spans.is_empty()
            && let Err(error) = agent.post(url).send_json(request(&spans))
        {
            lost.fetch_add(u64::try_from(spans.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
            tracing::debug!(%error, url, "the collector took no spans");
        }
        let count = lost.load(Ordering::Relaxed);
        if count > 0 && complained.is_none_or(|at| at.elapsed() > COMPLAIN) {
            lost.fetch_sub(count, Ordering::Relaxed);
            complained = Some(Instant::now());
            tracing::warn!(spans = count, url, "spans were lost: the collector does not take them, or not so many");
        }
        if let Some(done) = stop {
            // Whoever waits may have given up.
            done.send(()).ok();
            return;
        }
    }
}

/// The first, and what comes soon after it; whether to stop then.
fn gather(first: Message, messages: &Receiver<Message>) -> (Vec<Ended>, Option<mpsc::Sender<()>>) {
    let (mut spans, until) = (Vec::new(), Instant::now() + GATHER);
    let mut next = Ok(first);
    loop {
        match next {
            Ok(Message::Span(span)) => spans.push(*span),
            Ok(Message::Stop(done)) => return (spans, Some(done)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (spans, None),
        }
        if spans.len() >= BATCH {
            return (spans, None);
        }
        next = messages.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

/// `ExportTraceServiceRequest` in JSON: ids in hexadecimal, numbers of 64 bits as text.
fn request(spans: &[Ended]) -> Json {
    let service = json!([
        attribute("service.name", &Content::Text("tenter".into())),
        attribute("service.version", &Content::Text(env!("CARGO_PKG_VERSION").into()))
    ]);
    json!({"resourceSpans": [{
        "resource": {"attributes": service},
        "scopeSpans": [{"scope": {"name": "tenter"}, "spans": spans.iter().map(shown).collect::<Vec<_>>()}],
    }]})
}

fn shown(span: &Ended) -> Json {
    let attributes: Vec<Json> = span.fields.iter().map(|(name, content)| attribute(name, content)).collect();
    let mut out = json!({
        "traceId": format!("{:032x}", span.trace),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        // Internal: neither client nor server of a request.
        "kind": 1,
        "startTimeUnixNano": span.start.to_string(),
        "endTimeUnixNano": span.end.to_string(),
        "attributes": attributes,
        "status": status(span),
    });
    if let (Some(parent), Some(out)) = (span.parent, out.as_object_mut()) {
        out.insert("parentSpanId".to_owned(), json!(format!("{parent:016x}")));
    }
    out
}

/// A call that failed is an error; a task has an outcome and no status.
fn status(span: &Ended) -> Json {
    let outcome = span.fields.iter().find(|(name, _)| *name == "outcome").map(|(_, content)| content);
    match outcome {
        Some(Content::Text(outcome)) if span.name == "call" && outcome != "ok" => {
            json!({"code": 2, "message": outcome})
        }
        _ => json!({}),
    }
}

fn attribute(name: &str, content: &Content) -> Json {
    let value = match content {
        Content::Text(text) => json!({"stringValue": text}),
        Content::Number(number) => json!({"intValue": number.to_string()}),
    };
    json!({"key": name, "value": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_get_the_path_of_the_specification() {
        assert_eq!(endpoint("http://localhost:4318").unwrap(), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint("http://localhost:4318/").unwrap(), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint("https://a.example/otlp/v1/traces").unwrap(), "https://a.example/otlp/v1/traces");
        for wrong in ["localhost:4318", "ftp://a", "", "http://"] {
            let error = endpoint(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("--traces {wrong:?} is no address of HTTP"));
        }
    }
}
