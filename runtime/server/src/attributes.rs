//! How many entities have an attribute, and how much room it takes: one look at every record.
//!
//! DP³ asks its database anew for the one at each request and scans for the other daily. Here both come from one scan, whose
//! result is stored; `telemetry.yml` says when it is made by itself. Sizes are those of the attribute's history as JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tenter_engine::{Job, JobContext};
use tenter_model::cron::Cron;
use tenter_model::{Schema, Timestamp};
use tenter_store::{Reader, Share, Store, StoreError};

/// Name of the job, and of the report that it stores.
pub(crate) const JOB: &str = "attribute-sizes";

/// Records read at once.
const BATCH: u32 = 500;

#[derive(Default)]
struct Sizes {
    count: u64,
    min: u64,
    max: u64,
    total: u64,
}

impl Sizes {
    fn add(&mut self, bytes: u64) {
        self.min = if self.count == 0 { bytes } else { self.min.min(bytes) };
        self.max = self.max.max(bytes);
        self.total = self.total.saturating_add(bytes);
        self.count += 1;
    }

    /// The mean is a whole number of bytes.
    fn json(&self) -> Value {
        let mean = self.total.checked_div(self.count).unwrap_or(0);
        json!({"count": self.count, "min": self.min, "mean": mean, "max": self.max, "total": self.total})
    }
}

/// Looks at all records: `{etype: {calculated_at, duration_s, attributes: {attr: {count, min, mean, max, total}}}}`.
///
/// # Errors
/// What the store says.
pub(crate) fn measure(reader: &Reader, schema: &Schema, now: impl Fn() -> Timestamp) -> Result<Value, StoreError> {
    let mut report = serde_json::Map::new();
    for spec in schema.entities() {
        let began = now();
        let mut sizes: BTreeMap<&str, Sizes> =
            spec.attributes().iter().map(|attr| (attr.id.as_str(), Sizes::default())).collect();
        let mut after = None;
        loop {
            let page = reader.records(&spec.id, Share::ALL, after.as_ref(), BATCH)?;
            for (_, record) in &page.items {
                for (attr, history) in &record.attributes {
                    let Some(sizes) = sizes.get_mut(attr.as_str()) else { continue };
                    let text = serde_json::to_vec(history).map_err(|e| StoreError::Invalid(e.to_string()))?;
                    sizes.add(text.len() as u64);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let attributes: serde_json::Map<_, _> =
            sizes.iter().map(|(attr, sizes)| ((*attr).to_owned(), sizes.json())).collect();
        let shown = json!({
            "calculated_at": began.to_string(), "duration_s": seconds(now().since(began)), "attributes": attributes,
        });
        report.insert(spec.id.to_string(), shown);
    }
    Ok(Value::Object(report))
}

/// Measures and stores the report.
///
/// # Errors
/// What the store says.
pub(crate) fn renew(
    store: &Store,
    reader: &Reader,
    schema: &Schema,
    now: impl Fn() -> Timestamp,
) -> Result<Value, StoreError> {
    let report = measure(reader, schema, &now)?;
    let done = |stored: Result<(), StoreError>| {
        if let Err(error) = stored {
            tracing::warn!("the sizes of attributes are not stored: {error}");
        }
    };
    store.put_report(JOB, report.clone(), now(), Box::new(done));
    Ok(report)
}

/// The job that does it by the clock.
pub(crate) fn job(store: &Store, schema: &Arc<Schema>, cron: Cron) -> Job {
    let (store, schema) = (store.clone(), schema.clone());
    let run = move |context: &JobContext| -> Result<Value, String> {
        let reader = store.reader().map_err(|error| error.to_string())?;
        let report = renew(&store, &reader, &schema, || context.now()).map_err(|error| error.to_string())?;
        Ok(json!({"types": report.as_object().map_or(0, serde_json::Map::len)}))
    };
    Job { name: JOB.to_owned(), cron: Some(cron), after: None, run: Arc::new(run) }
}

/// Microseconds as seconds.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(crate) fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
