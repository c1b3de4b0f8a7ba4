//! Removing entities at the end of their lifetime.

use serde::Serialize;
use tenter_model::schema::{EntitySpec, Lifetime};
use tenter_model::upkeep::lifetime::{Fate, fate};
use tenter_model::{EntityId, EntityRef};
use tenter_store::{Deleted, Deletion, Reader, Rewrite, Share};

use super::{UpkeepError, go_on};
use crate::Engine;
use crate::schedule::JobContext;

/// Entities looked at in one read.
const BATCH: u32 = 1000;
/// Entities removed in one transaction.
const REMOVED_AT_ONCE: usize = 200;

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct GarbageReport {
    /// Entities looked at.
    pub entities: u64,
    /// Entities removed since all their tokens are past.
    pub expired: u64,
    /// Entities of weak types removed since nothing links to them.
    pub unreferenced: u64,
    /// Entities that live on without tokens that are past.
    pub tokens_dropped: u64,
    /// Entities that changed while they were decided about; the next run looks again.
    pub changed: u64,
}

impl Engine {
    /// Removes entities whose tokens are all past, drops past tokens of the others, and removes entities of weak types
    /// that nothing links to. Of a chain of weak entities each run removes the last that is left.
    ///
    /// # Errors
    /// [`UpkeepError`]; what was removed by then stays removed.
    pub fn collect_garbage(&self, context: &JobContext) -> Result<GarbageReport, UpkeepError> {
        let reader = self.store.reader()?;
        let mut report = GarbageReport::default();
        for spec in self.schema.entities() {
            match spec.lifetime {
                Lifetime::Immortal => {}
                Lifetime::Ttl { .. } => self.collect_expired(spec, &reader, &mut report, context)?,
                Lifetime::Weak => self.collect_unreferenced(spec, &reader, &mut report, context)?,
            }
        }
        Ok(report)
    }

    fn collect_expired(
        &self,
        spec: &EntitySpec,
        reader: &Reader,
        report: &mut GarbageReport,
        context: &JobContext,
    ) -> Result<(), UpkeepError> {
        let mut after: Option<EntityId> = None;
        loop {
            go_on(context)?;
            let now = context.now();
            let page = reader.record_heads(&spec.id, Share::ALL, after.as_ref(), BATCH)?;
            let (mut deletions, mut rewrites) = (Vec::new(), Vec::new());
            for (eid, head) in page.items {
                report.entities += 1;
                let entity = EntityRef { etype: spec.id.clone(), eid };
                match fate(&spec.lifetime, &head, || true, now) {
                    Fate::Keep => {}
                    Fate::Delete => {
                        deletions.push(Deletion { entity, revision: head.revision, unless_linked: false });
                    }
                    Fate::DropTokens(tokens) => {
                        // Heads have no attributes: the whole record is needed to write it.
                        if let Some(mut record) = reader.record(&entity)?.filter(|r| r.revision == head.revision) {
                            record.ttl.retain(|name, _| !tokens.contains(name));
                            rewrites.push(Rewrite::new(entity, &record)?);
                        } else {
                            report.changed += 1;
                        }
                    }
                }
            }
            if !rewrites.is_empty() {
                for written in self.store.rewrite_records_blocking(rewrites)? {
                    *(if written { &mut report.tokens_dropped } else { &mut report.changed }) += 1;
                }
            }
            report.expired += self.remove(deletions, report, context)?;
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn collect_unreferenced(
        &self,
        spec: &EntitySpec,
        reader: &Reader,
        report: &mut GarbageReport,
        context: &JobContext,
    ) -> Result<(), UpkeepError> {
        // First all are found and then removed, so that a chain loses one link in a run and not as many as the order
        // of the ids happens to allow.
        let mut found = Vec::new();
        let mut after: Option<EntityId> = None;
        loop {
            go_on(context)?;
            let page = reader.without_links_to(&spec.id, context.now(), Share::ALL, after.as_ref(), BATCH)?;
            for (eid, revision) in page.items {
                let entity = EntityRef { etype: spec.id.clone(), eid };
                found.push(Deletion { entity, revision, unless_linked: true });
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        report.entities += found.len() as u64;
        report.unreferenced += self.remove(found, report, context)?;
        Ok(())
    }

    fn remove(
        &self,
        deletions: Vec<Deletion>,
        report: &mut GarbageReport,
        context: &JobContext,
    ) -> Result<u64, UpkeepError> {
        let mut removed = 0;
        for some in deletions.chunks(REMOVED_AT_ONCE) {
            go_on(context)?;
            for became in self.store.delete_entities_blocking(some.to_vec(), context.now())? {
                match became {
                    Deleted::Removed => removed += 1,
                    Deleted::Changed | Deleted::Linked => report.changed += 1,
                }
            }
        }
        Ok(removed)
    }
}
