//! A store with nothing in it.

use super::HostData;
use crate::id::{EntityRef, ModuleName};
use crate::record::MasterRecord;
use crate::time::Timestamp;

/// What modules read where there is no store: no entity is known and no state is kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoData;

impl HostData for NoData {
    fn read_record(&self, _: &EntityRef) -> Result<Option<MasterRecord>, String> {
        Ok(None)
    }
    fn is_known(&self, _: &EntityRef) -> Result<bool, String> {
        Ok(false)
    }
    fn state_get(&self, _: &ModuleName, _: &str, _: Timestamp) -> Result<Option<(Vec<u8>, u64)>, String> {
        Ok(None)
    }
    fn state_keys(
        &self,
        _: &ModuleName,
        _: &str,
        _: Option<&str>,
        _: u32,
        _: Timestamp,
    ) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
    fn state_bytes(&self, _: &ModuleName) -> Result<u64, String> {
        Ok(0)
    }
}
