//! `tasks`: for `schedule.cron` alone; every other hook returns its tasks.

use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::tasks::{Host, SubmitError};
use crate::bindings::tenter::hooks::types::Task;

impl Host for View<'_> {
    fn submit(&mut self, _tasks: Vec<Task>) -> Result<std::result::Result<Vec<String>, SubmitError>> {
        self.call.charge(0)?;
        Ok(Err(SubmitError::Other(
            "denied: `tasks.submit` is for the hook `schedule.cron` alone; return the tasks from this hook instead"
                .into(),
        )))
    }
}
