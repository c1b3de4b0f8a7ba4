//! `call`: facts about the running call, and the wish to be called again.

use tenter_model::case::call::{Resumable, Resume};
use tenter_model::host::CallCause as Cause;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::call::{CallCause, Host};

/// How the running call stands to the one before and the one after it.
pub(crate) struct Resumption {
    resumable: Resumable,
    /// The last wish counts.
    asked: Option<Resume>,
}

impl Resumption {
    /// Nothing is asked for yet.
    pub(crate) fn new(resumable: Resumable) -> Self {
        Self { resumable, asked: None }
    }

    /// What the call asked for.
    pub(crate) fn finish(self) -> Option<Resume> {
        self.asked
    }

    fn ask(&mut self, seconds: u32, memo: String) -> bool {
        let wish = Resume { seconds, memo };
        let may = self.resumable.takes(&wish);
        if may {
            self.asked = Some(wish);
        }
        may
    }
}

impl Host for View<'_> {
    fn now(&mut self) -> Result<i64> {
        self.call.charge(0)?;
        Ok(self.call.time.0)
    }

    fn id(&mut self) -> Result<String> {
        self.call.charge(0)?;
        Ok(self.call.id.clone())
    }

    fn cause(&mut self) -> Result<CallCause> {
        self.call.charge(0)?;
        Ok(match self.call.cause {
            Cause::Normal => CallCause::Normal,
            Cause::Refresh => CallCause::Refresh,
            Cause::Retry => CallCause::Retry,
            Cause::Replay => CallCause::Replay,
        })
    }

    fn random(&mut self) -> Result<u64> {
        self.call.charge(0)?;
        Ok(self.call.random().next())
    }

    fn resume_after(&mut self, seconds: u32, memo: String) -> Result<bool> {
        self.call.charge(memo.len())?;
        Ok(self.call.offer.resumption.as_mut().is_some_and(|resumption| resumption.ask(seconds, memo)))
    }

    fn memo(&mut self) -> Result<Option<String>> {
        self.call.charge(0)?;
        Ok(self.call.offer.resumption.as_ref().and_then(|resumption| resumption.resumable.memo.clone()))
    }
}
