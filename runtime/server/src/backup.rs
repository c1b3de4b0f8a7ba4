//! Where backups go and what they are called.

use std::path::PathBuf;

use tenter_model::Timestamp;
use tenter_store::{Store, StoreError};

/// Folder of backups in the data directory.
const FOLDER: &str = "backups";

/// Copies the database of a store to a new file in its own folder of backups.
///
/// # Errors
/// When there is one of this very second already, and what the disk may say.
pub(crate) fn create(store: &Store, actor: &str, now: Timestamp) -> Result<PathBuf, StoreError> {
    let folder = store.dir().join(FOLDER);
    std::fs::create_dir_all(&folder)
        .map_err(|e| StoreError::Invalid(format!("cannot make the folder {}: {e}", folder.display())))?;
    let time: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
    let file = folder.join(format!("tenter-{time}.db"));
    // Recorded before it is made, so that the copy tells of itself.
    store.acting(actor, now).record_audit("backup.create", &file.display().to_string(), serde_json::Value::Null)?;
    store.backup(&file)?;
    Ok(file)
}
