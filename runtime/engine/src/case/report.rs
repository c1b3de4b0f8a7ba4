//! The moments of a report: before it is made of a template, and once its document is there.

use tenter_store::AccessLevel;

use super::{CaseError, Cases, ReportMade, ReportRequest};

impl Cases {
    /// Asks whether a report may be made.
    ///
    /// # Errors
    /// [`CaseError::NoAccess`], [`CaseError::Denied`].
    pub fn before_report(&self, request: &ReportRequest) -> Result<(), CaseError> {
        self.enter(request.context.user.id, request.case_id, AccessLevel::Read)
    }

    /// Tells that a report was made. Gives the numbers of the jobs.
    ///
    /// # Errors
    /// [`CaseError::Store`].
    pub fn after_report(&self, made: &ReportMade) -> Result<Vec<u64>, CaseError> {
        let request = &made.request;
        self.enter(request.context.user.id, request.case_id, AccessLevel::Read)?;
        Ok(Vec::new())
    }
}
