//! DP³'s groups of counted events, kept by the runtime itself: `te`, `tasks_by_src` and `secondary_hooks`.
//!
//! Everything is counted since the start anyhow, lane by lane. This names the counts as DP³ does, and keeps, for the
//! intervals that `event_logging.yml` asks for, what they were when an interval began: the *current* interval is what was
//! counted since then, the *last* one is the whole interval before it. Intervals lie at multiples of their length, like
//! DP³'s. A group that the file does not name has no intervals, and one without `auto_declare_events` has them for the events
//! that it lists alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tenter_engine::{Engine, SubscriptionStats};
use tenter_model::config::EventGroup;
use tenter_model::hook::{HookKind, Moment};
use tenter_model::schema::AttributeKind;
use tenter_model::{Schema, Timestamp};
use tenter_store::Counters;

/// The groups, by their names in DP³.
pub(crate) const GROUPS: [&str; 3] = ["te", "tasks_by_src", "secondary_hooks"];

/// Counts by the name of the event.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Counts of all groups, in the order of [`GROUPS`].
pub(crate) type Totals = [Counts; GROUPS.len()];

/// The intervals of all groups.
pub(crate) struct Events {
    windows: Mutex<Vec<Window>>,
    /// What the store had counted when this process started.
    base: Counters,
}

/// An interval of a group.
struct Window {
    group: usize,
    settings: EventGroup,
    name: String,
    length: i64,
    began: i64,
    at_begin: Counts,
    last: Counts,
}

impl Window {
    fn counts(&self, event: &str) -> bool {
        self.settings.auto_declare_events || self.settings.events.iter().any(|known| known == event)
    }

    fn current(&self, totals: &Totals) -> Counts {
        let Some(now) = totals.get(self.group) else { return Counts::new() };
        let since = |event: &str| self.at_begin.get(event).copied().unwrap_or(0);
        let counted = now.iter().filter(|(event, _)| self.counts(event));
        counted.map(|(event, n)| (event.clone(), n.saturating_sub(since(event)))).filter(|(_, n)| *n > 0).collect()
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.0 >= self.began.saturating_add(self.length)
    }

    fn roll(&mut self, totals: &Totals, now: Timestamp) {
        if !self.is_over(now) {
            return;
        }
        // After a pause of the machine the interval before this one may be another, in which nothing was counted.
        let next_to = now.0 < self.began.saturating_add(self.length.saturating_mul(2));
        self.last = if next_to { self.current(totals) } else { Counts::new() };
        self.at_begin = totals.get(self.group).cloned().unwrap_or_default();
        self.began = begin(now, self.length);
    }
}

fn begin(now: Timestamp, length: i64) -> i64 {
    now.0.saturating_sub(now.0.rem_euclid(length))
}

impl Events {
    /// Begins to count, from what the store has counted before.
    pub(crate) fn new(settings: &BTreeMap<String, EventGroup>, base: Counters, now: Timestamp) -> Self {
        let mut windows = Vec::new();
        for (group, name) in GROUPS.iter().enumerate() {
            let Some(settings) = settings.get(*name) else { continue };
            for (name, length) in settings.intervals.iter().filter(|(_, length)| *length > 0) {
                windows.push(Window {
                    group,
                    settings: settings.clone(),
                    name: name.clone(),
                    length: *length,
                    began: begin(now, *length),
                    at_begin: Counts::new(),
                    last: Counts::new(),
                });
            }
        }
        Self { windows: Mutex::new(windows), base }
    }

    /// What happened since the start.
    pub(crate) fn totals(&self, counters: &Counters, engine: &Engine, schema: &Schema) -> Totals {
        let failures: u64 = engine.stats().total().values().map(|stats| stats.faults + stats.errors).sum();
        let since = |count: fn(&Counters) -> u64| count(counters).saturating_sub(count(&self.base));
        let te = [
            ("task_processed", since(|c| c.applied + c.denied)),
            ("task_processing_error", since(|c| c.dead)),
            ("record_created", since(|c| c.created)),
            ("record_removed", since(|c| c.removed)),
            ("module_error", failures),
        ];
        let te = te.into_iter().map(|(event, n)| (event.to_owned(), n)).collect();
        [te, engine.stats().tasks_by_source(), secondary_hooks(engine, schema)]
    }

    /// Whether an interval is over, so that [`Events::roll`] has something to do.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|window| window.is_over(now))
    }

    /// Begins the intervals anew that are over.
    pub(crate) fn roll(&self, totals: &Totals, now: Timestamp) {
        for window in self.windows.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            window.roll(totals, now);
        }
    }

    /// All groups with their intervals.
    pub(crate) fn json(&self, totals: &Totals, now: Timestamp) -> Value {
        self.roll(totals, now);
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = GROUPS.iter().zip(totals).enumerate().map(|(group, (name, counts))| {
            let intervals = windows.iter().filter(|window| window.group == group).map(|window| {
                let shown = json!({
                    "began": Timestamp(window.began).to_string(), "current": window.current(totals), "last": window.last,
                });
                (window.name.clone(), shown)
            });
            let intervals: serde_json::Map<_, _> = intervals.collect();
            ((*name).to_owned(), json!({"total": counts, "intervals": intervals}))
        });
        Value::Object(groups.collect())
    }
}

/// Rows of `tenter_events_total`, with labels.
pub(crate) fn rows(totals: &Totals) -> impl Iterator<Item = (String, u64)> + '_ {
    GROUPS.iter().zip(totals).flat_map(|(group, counts)| {
        counts.iter().map(move |(event, n)| (format!("{{group=\"{group}\",event=\"{}\"}}", label(event)), *n))
    })
}

/// Text as it may stand between the quotation marks of a label.
fn label(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `family/module.subscription/(context)/metric`; what is zero has no entry.
fn secondary_hooks(engine: &Engine, schema: &Schema) -> Counts {
    let registry = engine.registry().current();
    let mut counts = Counts::new();
    for ((module, kind, subscription), stats) in engine.stats().by_subscription() {
        let moment = registry
            .modules()
            .iter()
            .filter(|loaded| loaded.name == module)
            .flat_map(|loaded| &loaded.subscriptions)
            .find(|known| known.id == subscription && known.moment.kind() == kind)
            .map(|known| &known.moment);
        let Some(family) = family(kind, moment, schema) else { continue };
        let context = moment.map_or_else(String::new, |moment| match moment.subject() {
            (Some(etype), Some(attr)) => format!("{etype},{attr}"),
            (Some(etype), None) => etype.to_string(),
            _ => String::new(),
        });
        let hook = quoted(&format!("{module}.{subscription}"));
        for (metric, n) in metrics(kind, &stats) {
            if n > 0 {
                *counts.entry(format!("{family}/{hook}/({})/{metric}", quoted(&context))).or_default() += n;
            }
        }
    }
    counts
}

fn metrics(kind: HookKind, stats: &SubscriptionStats) -> [(&'static str, u64); 6] {
    let denied = stats.denials;
    let allowed = match kind {
        HookKind::AllowEntityCreation => stats.executions.saturating_sub(stats.failures + denied),
        _ => 0,
    };
    [
        ("executions", stats.executions),
        ("failures", stats.failures),
        ("duration_ns", stats.micros.saturating_mul(1000)),
        ("created_tasks", stats.tasks),
        ("decisions_allowed", allowed),
        ("decisions_denied", denied),
    ]
}

/// DP³'s word for a kind of hook; `None` where it counts none. A subscription that is gone has no attribute that tells
/// which of DP³'s three kinds it was.
fn family(kind: HookKind, moment: Option<&Moment>, schema: &Schema) -> Option<&'static str> {
    Some(match kind {
        HookKind::OnTaskStart => "on_task_start",
        HookKind::AllowEntityCreation => "allow_entity_creation",
        HookKind::OnEntityCreation => "on_entity_creation",
        HookKind::OnNewAttribute => {
            let (Some(etype), Some(attr)) = moment?.subject() else { return None };
            match &schema.entity(etype.as_str())?.attribute(attr.as_str())?.kind {
                AttributeKind::Plain { .. } => "on_new_plain",
                AttributeKind::Observations { .. } => "on_new_observation",
                AttributeKind::Timeseries { .. } => "on_new_ts_chunk",
            }
        }
        HookKind::Timeseries => "snapshot_timeseries",
        HookKind::Correlate | HookKind::CorrelateWithRecord => "snapshot_correlation",
        HookKind::SnapshotInit => "snapshot_run_init",
        HookKind::SnapshotFinalize => "snapshot_run_finalize",
        HookKind::UpdateRecord => "periodic_update",
        HookKind::UpdateEntity => "periodic_eid_update",
        HookKind::Cron | HookKind::Before | HookKind::After | HookKind::Manual => return None,
    })
}

/// As in a URL, except what DP³ leaves as it is.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-(),[]".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(n: u64) -> Totals {
        let te = [("task_processed", n), ("record_created", n / 2)];
        [te.into_iter().map(|(event, n)| (event.to_owned(), n)).collect(), Counts::new(), Counts::new()]
    }

    fn events(yaml_events: &[&str], auto: bool) -> Events {
        let group = EventGroup {
            events: yaml_events.iter().map(|e| (*e).to_owned()).collect(),
            auto_declare_events: auto,
            intervals: vec![("5m".to_owned(), 300_000_000)],
        };
        Events::new(&BTreeMap::from([("te".to_owned(), group)]), Counters::default(), Timestamp(310_000_000))
    }

    #[test]
    fn an_interval_ends_at_a_multiple_of_its_length() {
        let events = events(&["task_processed"], false);
        let at = |seconds: i64| Timestamp(seconds * 1_000_000);
        let shown = |n, now| {
            let shown = events.json(&totals(n), at(now));
            let interval = &shown["te"]["intervals"]["5m"];
            (interval["began"].to_string(), interval["current"].to_string(), interval["last"].to_string())
        };
        let of = |began: &str, current: &str, last: &str| {
            (format!("\"1970-01-01T00:{began}Z\""), current.to_owned(), last.to_owned())
        };
        assert_eq!(shown(4, 320), of("05:00", r#"{"task_processed":4}"#, "{}"));
        assert!(!events.is_due(at(599)) && events.is_due(at(600)));
        assert_eq!(shown(10, 600), of("10:00", "{}", r#"{"task_processed":10}"#));
        assert_eq!(shown(13, 700), of("10:00", r#"{"task_processed":3}"#, r#"{"task_processed":10}"#));
        // Two intervals later nothing is known of the one before.
        assert_eq!(shown(20, 1_300), of("20:00", "{}", "{}"));
    }

    #[test]
    fn events_that_are_not_listed_count_when_they_declare_themselves() {
        let current = |events: Events| {
            events.json(&totals(4), Timestamp(310_000_000))["te"]["intervals"]["5m"]["current"].to_string()
        };
        assert_eq!(current(events(&["task_processed"], true)), r#"{"record_created":2,"task_processed":4}"#);
        assert_eq!(current(events(&[], false)), "{}");
    }

    #[test]
    fn names_from_outside_cannot_leave_their_label() {
        let mut all = totals(1);
        all[1].insert("a\"} evil{x=\"\\\n\u{7}".to_owned(), 2);
        let rows: Vec<_> = rows(&all).map(|(labels, n)| format!("{labels} {n}")).collect();
        insta::assert_snapshot!(rows.join("\n"), @r#"
        {group="te",event="record_created"} 0
        {group="te",event="task_processed"} 1
        {group="tasks_by_src",event="a\"} evil{x=\"\\\n�"} 2
        "#);
        assert_eq!(quoted("m.on/new attr:ip(a,b)[x]%"), "m.on%2Fnew%20attr%3Aip(a,b)[x]%25");
    }
}
