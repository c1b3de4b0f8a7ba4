//! `log`: messages for the module's log.

use tenter_model::host::LogLevel;
use wasmtime::Result;

use super::View;
use crate::bindings::tenter::hooks::log::{Host, Level};

impl Host for View<'_> {
    fn write(&mut self, level: Level, message: String) -> Result<()> {
        self.call.charge(message.len())?;
        // What was printed before comes first.
        self.call.collect_printed(false);
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warning => LogLevel::Warning,
            Level::Error => LogLevel::Error,
        };
        self.call.log(level, &message);
        Ok(())
    }
}
