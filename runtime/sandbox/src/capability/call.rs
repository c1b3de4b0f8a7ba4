//! `call`: facts about the running call.

use tenter_model::host::CallCause as Cause;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::call::{CallCause, Host};

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

    /// No kind of hook that is driven today can be resumed, and the contract says false there.
    fn resume_after(&mut self, _seconds: u32, memo: String) -> Result<bool> {
        self.call.charge(memo.len())?;
        Ok(false)
    }

    fn memo(&mut self) -> Result<Option<String>> {
        self.call.charge(0)?;
        Ok(None)
    }
}
