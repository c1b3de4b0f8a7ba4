//! Merging and cleaning histories.

use serde::Serialize;
use tenter_model::schema::{AttributeKind, EntitySpec};
use tenter_model::upkeep::{histories, lifetime};
use tenter_model::{EntityRef, MasterRecord};
use tenter_store::{Reader, Rewrite, Share, StoreError};

use super::{UpkeepError, go_on};
use crate::Engine;
use crate::schedule::JobContext;

/// Records read and written at once.
const BATCH: u32 = 100;
/// How often a record that changed meanwhile is read again, before it is left to the next run.
const RETRIES: u32 = 3;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct HistoryReport {
    /// Entities looked at.
    pub entities: u64,
    /// Of these, the ones whose records were rewritten.
    pub updated: u64,
    /// Records that had changed since they were read.
    pub revision_conflicts: u64,
    /// Times that one was read again.
    pub retries: u64,
    /// Records that kept changing and are left to the next run.
    pub retry_exhausted: u64,
    /// Records that cannot be read.
    pub unreadable: u64,
}

impl Engine {
    /// Merges equal neighbours in the histories of all observations with `aggregate: true`. Expired entities are passed
    /// over, since they are about to go.
    ///
    /// # Errors
    /// [`UpkeepError`]; what was merged by then stays merged.
    pub fn aggregate_histories(&self, context: &JobContext) -> Result<HistoryReport, UpkeepError> {
        let now = context.now();
        self.rewrite_all(context, &|spec, record| {
            !lifetime::is_expired(record, now) && histories::aggregate(spec, record)
        })
    }

    /// Removes what is older than `max_age` and what is more than `max_items` from all histories.
    ///
    /// # Errors
    /// [`UpkeepError`]; what was removed by then stays removed.
    pub fn clean_histories(&self, context: &JobContext) -> Result<HistoryReport, UpkeepError> {
        let now = context.now();
        self.rewrite_all(context, &|spec, record| histories::clean(spec, record, now))
    }

    /// Goes through all records; `change` says whether it changed one.
    fn rewrite_all(
        &self,
        context: &JobContext,
        change: &dyn Fn(&EntitySpec, &mut MasterRecord) -> bool,
    ) -> Result<HistoryReport, UpkeepError> {
        let reader = self.store.reader()?;
        let mut report = HistoryReport::default();
        let with_history =
            |spec: &&EntitySpec| spec.attributes().iter().any(|a| !matches!(a.kind, AttributeKind::Plain { .. }));
        for spec in self.schema.entities().iter().filter(with_history) {
            let mut after = None;
            loop {
                go_on(context)?;
                let page = reader.records(&spec.id, Share::ALL, after.as_ref(), BATCH)?;
                report.unreadable += page.unreadable.len() as u64;
                let mut rewrites = Vec::new();
                for (eid, mut record) in page.items {
                    report.entities += 1;
                    if change(spec, &mut record) {
                        rewrites.push(Rewrite::new(EntityRef { etype: spec.id.clone(), eid }, &record)?);
                    }
                }
                self.rewrite(spec, &reader, rewrites, change, &mut report)?;
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        Ok(report)
    }

    fn rewrite(
        &self,
        spec: &EntitySpec,
        reader: &Reader,
        mut rewrites: Vec<Rewrite>,
        change: &dyn Fn(&EntitySpec, &mut MasterRecord) -> bool,
        report: &mut HistoryReport,
    ) -> Result<(), StoreError> {
        for round in 0..=RETRIES {
            if rewrites.is_empty() {
                return Ok(());
            }
            let entities: Vec<EntityRef> = rewrites.iter().map(|rewrite| rewrite.entity().clone()).collect();
            let written = self.store.rewrite_records_blocking(rewrites)?;
            rewrites = Vec::new();
            for (entity, written) in entities.into_iter().zip(written) {
                if written {
                    report.updated += 1;
                    continue;
                }
                report.revision_conflicts += 1;
                if round == RETRIES {
                    report.retry_exhausted += 1;
                    continue;
                }
                report.retries += 1;
                if let Some(mut record) = reader.record(&entity)?
                    && change(spec, &mut record)
                {
                    rewrites.push(Rewrite::new(entity, &record)?);
                }
            }
        }
        Ok(())
    }
}
