//! The moments of a report: before it is made of a template, and once its document is there.

use serde_json::json;
use tenter_model::case::{Body, CaseEvent, Phase};
use tenter_store::AccessLevel;

use super::before::{Asked, AskedOf};
use super::{CaseError, Cases, ReportKind, ReportMade, ReportRequest, data};

impl Cases {
    /// Asks whether a report may be made. Who may see the case may have one.
    ///
    /// # Errors
    /// [`CaseError::NoAccess`], [`CaseError::Denied`].
    pub fn before_report(&self, request: &ReportRequest) -> Result<(), CaseError> {
        let ReportRequest { kind, case_id, template_id, context } = request;
        self.enter(context.user.id, *case_id, AccessLevel::Read)?;
        let hook = CaseEvent::hook(Phase::Before, kind.object(), "create");
        let subject = AskedOf::Fixed(*template_id);
        let body = Body::from_iter([("report_id".to_owned(), json!(template_id))]);
        self.before(&Asked { hook, context, case_id: Some(*case_id), subject }, body).map(drop)
    }

    /// Tells that a report was made, and works off the hooks that the request waits for. Gives the numbers of the jobs.
    ///
    /// # Errors
    /// [`CaseError::NoAccess`], [`CaseError::Store`].
    pub fn after_report(&self, made: &ReportMade) -> Result<Vec<u64>, CaseError> {
        let ReportRequest { kind, case_id, template_id, context } = &made.request;
        self.enter(context.user.id, *case_id, AccessLevel::Read)?;
        let hook = CaseEvent::hook(Phase::After, kind.object(), "create");
        // As in IRIS the hook of activities gets the template alone.
        let report = match kind {
            ReportKind::Investigation => data::report(made),
            ReportKind::Activities => json!({"object": kind.object(), "body": {"report_id": template_id}}),
        };
        let (jobs, waits) = self.after(hook, context, &json!({ "report": report })).split();
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let numbers = self.0.store.queue_jobs(jobs, Vec::new(), Some(*case_id), context.by())?;
        self.wait_for(&waits, &numbers);
        Ok(numbers)
    }
}
