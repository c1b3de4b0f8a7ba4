//! Folders that the operator named for modules to read, such as one with lists that something else keeps up to date.
//! Each needs the capability `files` with its name as scope.
//!
//! A granted folder lies at `/files/NAME`, read-only, and is read with `std::fs`. What is not granted is not there:
//! reading it fails as for a file that does not exist.
//!
//! ```
//! use tenter_sdk::prelude::*;
//! fn names() -> Result<Vec<String>> {
//!     Ok(files::read_text("lists", "names.txt")?.lines().map(str::to_owned).collect())
//! }
//! ```

use std::io;
use std::path::PathBuf;

use crate::error::{HookError, Result};

/// Where a folder lies, for `std::fs`. In native tests it is the one that `testing::Host::folders` names.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    #[cfg(not(target_arch = "wasm32"))]
    if let Some(path) = crate::testing::host(|h| h.folders.get(name).cloned()) {
        return path;
    }
    PathBuf::from("/files").join(name)
}

/// The bytes of a file in a folder.
///
/// # Errors
/// [`HookError::Failed`] where there is no such file, or the folder is not granted; [`HookError::Unavailable`] when
/// reading fails otherwise.
pub fn read(folder: &str, file: &str) -> Result<Vec<u8>> {
    std::fs::read(self::folder(folder).join(file)).map_err(|e| failure(folder, file, &e))
}

/// The text of a file in a folder.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(folder: &str, file: &str) -> Result<String> {
    String::from_utf8(read(folder, file)?)
        .map_err(|_| HookError::invalid(format_args!("files: {file:?} in the folder {folder:?} is not UTF-8")))
}

fn failure(folder: &str, file: &str, error: &io::Error) -> HookError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => HookError::failed(format_args!(
            "files: there is no {file:?} in the folder {folder:?}, or the folder is not granted; ask with \
             `on.request(\"files\", {folder:?})`, and the operator grants it"
        )),
        _ => HookError::unavailable(format_args!("files: cannot read {file:?} in the folder {folder:?}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::host;

    #[test]
    fn a_folder_of_the_test_is_read() {
        let dir = std::env::temp_dir().join(format!("tenter-sdk-files-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("a.txt"), "one\n").unwrap();
        std::fs::write(dir.join("b.txt"), [0xff]).unwrap();
        host(|h| h.folders.insert("lists".into(), dir.clone()));
        assert_eq!(read_text("lists", "a.txt").as_deref(), Ok("one\n"));
        assert_eq!(
            read_text("lists", "b.txt"),
            Err(HookError::invalid("files: \"b.txt\" in the folder \"lists\" is not UTF-8"))
        );
        let missing = read("other", "a.txt").unwrap_err();
        assert!(missing.message().starts_with("files: there is no \"a.txt\" in the folder \"other\""), "{missing}");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
