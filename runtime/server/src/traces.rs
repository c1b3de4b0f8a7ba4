//! Traces for a collector of OpenTelemetry: one span for each task and for each call of a hook, where the operator asks
//! for them.
//!
//! Spans are those that engine and sandbox make for the log anyway, at the level debug. A task and all that follows from
//! it is one trace, whose id is the id of the task that came from outside; a span of a task has the second half of its
//! task's id, so that what a hook returned hangs below the task whose processing returned it, also after a restart.
//!
//! They leave as OTLP over HTTP in JSON, through the client that is here anyway: the crates of OpenTelemetry would be a
//! third of what a build compiles. A collector that is slow or gone costs spans, which are counted, and nothing else.

mod send;

use std::fmt;
use std::time::Instant;

use tenter_model::time::Clock as _;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::clock::SystemClock;
pub(crate) use send::{Sender, Sending};

/// Where traces go, and how many of them.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Send a span for each task and call to this collector, by OTLP over HTTP, such as `http://localhost:4318`.
    #[arg(long, env = "TENTER_TRACES", value_name = "URL")]
    pub(crate) traces: Option<String>,
    /// The share of traces that is sent, from 0 to 1.
    #[arg(long, env = "TENTER_TRACE_RATIO", default_value_t = 1.0, value_name = "SHARE")]
    pub(crate) trace_ratio: f64,
}

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    name: &'static str,
    trace: u128,
    id: u64,
    parent: Option<u64>,
    /// Nanoseconds since 1970.
    start: u64,
    end: u64,
    fields: Vec<(&'static str, Content)>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Text(String),
    Number(i64),
}

/// Makes traces of the spans of tasks and calls.
pub(crate) struct Traces {
    sender: Sender,
    ratio: f64,
}

/// A span that has not ended.
struct Open {
    trace: u128,
    id: u64,
    parent: Option<u64>,
    /// Nanoseconds since 1970, and a clock that does not jump.
    start: (u64, Instant),
    /// None for a trace that is not sent.
    fields: Option<Fields>,
}

#[derive(Default)]
struct Fields(Vec<(&'static str, Content)>);

impl Traces {
    /// Spans go to the sender, of so many of the traces.
    pub(crate) fn new(sender: Sender, ratio: f64) -> Self {
        Self { sender, ratio }
    }

    /// The spans that are sent.
    pub(crate) fn wants(metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("tenter_") && ["task", "call"].contains(&metadata.name())
    }

    /// The same traces are sent by each server that sees them.
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more digits")]
    fn is_sent(&self, trace: u128) -> bool {
        second_half(trace) as f64 / u64::MAX as f64 <= self.ratio && self.ratio > 0.0
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Traces {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let above =
            span.parent().and_then(|parent| parent.extensions().get::<Open>().map(|open| (open.trace, open.id)));
        let (trace, own, parent) = match (fields.id("task"), fields.id("root"), above) {
            (Some(task), root, _) => (root.unwrap_or(task), second_half(task), fields.id("parent").map(second_half)),
            (None, _, Some((trace, above))) => (trace, random(), Some(above)),
            // A call for no task, such as one of a snapshot.
            (None, _, None) => (u128::from(random()) << 64 | u128::from(random()), random(), None),
        };
        let start = u64::try_from(SystemClock.now().0.saturating_mul(1000)).unwrap_or(0);
        let fields = self.is_sent(trace).then_some(fields);
        let open = Open { trace, id: own, parent, start: (start, Instant::now()), fields };
        span.extensions_mut().insert(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(fields) = extensions.get_mut::<Open>().and_then(|open| open.fields.as_mut()) {
            values.record(fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Open { trace, id, parent, start, fields: Some(fields) }) = span.extensions_mut().remove::<Open>()
        else {
            return;
        };
        let end = start.0.saturating_add(u64::try_from(start.1.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.sender.send(Ended { name: span.name(), trace, id, parent, start: start.0, end, fields: fields.0 });
    }
}

impl Fields {
    /// The id of a task that a field names.
    fn id(&self, name: &str) -> Option<u128> {
        self.0.iter().find_map(|(field, content)| match content {
            Content::Text(text) if *field == name => u128::from_str_radix(text, 16).ok(),
            _ => None,
        })
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), Content::Text(format!("{value:?}"))));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), Content::Text(value.to_owned())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.push((field.name(), Content::Number(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), Content::Number(i64::try_from(value).unwrap_or(i64::MAX))));
    }
}

fn second_half(id: u128) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = id.to_be_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Not zero, which would be no id.
fn random() -> u64 {
    getrandom::u64().unwrap_or(1).max(1)
}
