//! How often the disk can be flushed: what bounds a store that loses nothing.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::meter::rounded;

/// Appends 4 KiB and flushes, so many times.
///
/// # Errors
/// What the disk says.
pub(super) fn flushes_per_second(dir: &Path, times: u32) -> anyhow::Result<Value> {
    let path = dir.join("flush");
    let mut file = std::fs::File::create(&path)?;
    let page = [0x5a; 4096];
    let began = Instant::now();
    for _ in 0..times {
        file.write_all(&page)?;
        file.sync_data()?;
    }
    let per_second = f64::from(times) / began.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(json!(rounded(per_second)))
}
