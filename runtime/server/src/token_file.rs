//! The operator token that a server leaves for the command line: one file per address, readable by its owner alone.
//!
//! `tenter serve` writes it at start and removes it at exit; the client commands read it when neither `--token` nor
//! `TENTER_TOKEN` is given. The file of one address is never sent to another.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 4096;

/// The file for the server at this address: `$XDG_STATE_HOME/tenter/servers/HOST_PORT.token`, with `~/.local/state`
/// when the variable is not set. `None` when there is no home folder.
pub(crate) fn path_for(host: &str, port: u16) -> Option<PathBuf> {
    let state = match std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|p| p.is_absolute()) {
        Some(state) => state,
        None => std::env::home_dir().filter(|h| h.is_absolute())?.join(".local/state"),
    };
    Some(path_in(&state, host, port))
}

/// Writes the token, in one step and for its owner alone. What stood there is replaced, not followed.
///
/// # Errors
/// When the folder or the file cannot be written.
pub(crate) fn write(path: &Path, token: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_private_dir(folder)?;
    let mut file = tempfile::Builder::new().prefix(".token").tempfile_in(folder)?;
    file.write_all(token.as_bytes())?;
    file.write_all(b"\n")?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Removes the file, if it still holds this token: a server that started later may have replaced it.
pub(crate) fn remove(path: &Path, token: &str) {
    if read(path).as_deref() == Some(token) {
        // The file is of no use without its server, and of no harm either.
        let _ = std::fs::remove_file(path);
    }
}

/// The token in the file, if there is one.
pub(crate) fn read(path: &Path) -> Option<String> {
    let file = std::fs::File::open(path).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    let token = text.trim();
    (!token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic())).then(|| token.to_owned())
}

/// The token for the server that a client calls `host`. A server names its file after the address it listens on, so
/// the names of the loopback stand for each other and for "every address".
pub(crate) fn find(host: &str, port: u16) -> Option<String> {
    const LOOPBACK: [&str; 5] = ["127.0.0.1", "localhost", "::1", "0.0.0.0", "::"];
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let own = std::iter::once(host);
    let others = LOOPBACK.into_iter().filter(|o| LOOPBACK.contains(&host) && *o != host);
    own.chain(others).find_map(|h| read(&path_for(h, port)?))
}

fn path_in(state: &Path, host: &str, port: u16) -> PathBuf {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() || ".-".contains(c) { c } else { '_' }).collect();
    state.join("tenter/servers").join(format!("{host}_{port}.token"))
}

#[cfg(unix)]
fn create_private_dir(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private_dir(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_folder() {
        let path = path_in(Path::new("/state"), "../../etc/x", 1);
        assert_eq!(path, Path::new("/state/tenter/servers/.._.._etc_x_1.token"));
        assert_eq!(path_in(Path::new("/s"), "[::1]", 5000), Path::new("/s/tenter/servers/__1_5000.token"));
    }

    #[test]
    fn a_token_is_for_its_owner_and_goes_with_its_server() {
        let dir = tempfile::tempdir().unwrap();
        let path = path_in(dir.path(), "127.0.0.1", 5000);
        assert_eq!(read(&path), None);
        write(&path, "tnt_first").unwrap();
        write(&path, "tnt_second").unwrap();
        assert_eq!(read(&path).as_deref(), Some("tnt_second"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        remove(&path, "tnt_first");
        assert!(path.exists());
        remove(&path, "tnt_second");
        assert!(!path.exists());
    }

    #[test]
    fn a_file_that_holds_something_else_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.token");
        std::fs::write(&path, "a\nb").unwrap();
        assert_eq!(read(&path), None);
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(read(&path), None);
    }
}
