//! Folders of the operator that a module may read: granted by name (`files NAME`), named with a path in the module's
//! settings, and found by the guest at `/files/NAME`.
//!
//! The guest reads the folder itself, through a WASI directory that is read-only and that no symbolic link leads out
//! of. An instance sees one state of its folders: they are looked at once a second at most, by the facts that the file
//! system keeps, and when one has changed the next call gets a new instance. So what a call could read is told by the
//! digest of the contents, which its log begins with. A folder that is too large, holds something else than files and
//! folders, or cannot be read is not there for the guest, and the log says why.

use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use tenter_model::module::ModuleSettings;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::cache::hex;

/// Bytes of all files of a folder.
const MAX_BYTES: u64 = 256 << 20;
/// Files, folders and links in a folder.
const MAX_ENTRIES: usize = 10_000;
/// Folders in folders.
const MAX_DEPTH: usize = 16;
/// How often changes are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The folders of a module.
#[derive(Debug, Default)]
pub(crate) struct Folders {
    granted: Vec<(String, PathBuf)>,
    last: Mutex<Option<(Instant, Arc<Seen>)>>,
}

/// One state of a module's folders.
#[derive(Debug)]
pub(crate) struct Seen {
    folders: Vec<(String, PathBuf, Result<Content, String>)>,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    /// Sorted.
    entries: Vec<Entry>,
    bytes: u64,
    /// Of names and contents, 64 hexadecimal digits.
    digest: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// From the folder, as the system encodes it.
    name: Vec<u8>,
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Folder,
    Link(Vec<u8>),
    /// Its size, and what changes when it is written.
    File(u64, [i128; 3]),
}

impl Folders {
    /// What is both named and granted.
    pub(crate) fn of(settings: &ModuleSettings) -> Self {
        let granted = settings.files.iter().filter(|(name, _)| settings.is_granted("files", name));
        let granted = granted.map(|(name, path)| (name.clone(), PathBuf::from(path))).collect();
        Self { granted, last: Mutex::default() }
    }

    /// Their state; the same one as before when nothing has changed. None: there are no folders.
    pub(crate) fn look(&self) -> Option<Arc<Seen>> {
        if self.granted.is_empty() {
            return None;
        }
        // Held while a change is read: the other lanes want the same.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match &*last {
            Some((at, seen)) if at.elapsed() < LOOK_EVERY => return Some(Arc::clone(seen)),
            Some((_, seen)) => Some(seen),
            None => None,
        };
        let known = |name: &str| {
            let found = before?.folders.iter().find(|(other, ..)| other == name)?;
            found.2.as_ref().ok()
        };
        let folder = |(name, path): &(String, PathBuf)| (name.clone(), path.clone(), content(path, known(name)));
        let folders: Vec<_> = self.granted.iter().map(folder).collect();
        let seen = match before {
            Some(seen) if seen.folders == folders => Arc::clone(seen),
            _ => Arc::new(Seen { folders }),
        };
        *last = Some((Instant::now(), Arc::clone(&seen)));
        Some(seen)
    }
}

impl Seen {
    /// Gives the folders to a guest.
    pub(crate) fn open(&self, wasi: &mut WasiCtxBuilder) -> Vec<String> {
        wasi.allow_blocking_current_thread(true);
        let open = |(name, path, content): &(String, PathBuf, Result<Content, String>)| match content {
            Err(why) => format!("the folder {name:?} is not there: {why}"),
            Ok(content) => match wasi.preopened_dir(path, format!("/files/{name}"), FsPerms::ReadOnly) {
                Err(error) => format!("the folder {name:?} is not there: cannot open it: {error}"),
                Ok(_) => {
                    let Content { entries, bytes, digest } = content;
                    format!("the folder {name:?} has {} entries of {bytes} bytes, sha256:{digest}", entries.len())
                }
            },
        };
        self.folders.iter().map(open).collect()
    }
}

/// Looks at a folder, and reads it when it is not as it was.
fn content(path: &Path, before: Option<&Content>) -> Result<Content, String> {
    let mut entries = Vec::new();
    walk(path, path, 0, &mut entries)?;
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let bytes = entries.iter().fold(0u64, |sum, entry| match entry.kind {
        Kind::File(size, _) => sum.saturating_add(size),
        Kind::Folder | Kind::Link(_) => sum,
    });
    if bytes > MAX_BYTES {
        return Err(format!("its files have {bytes} bytes, at most {MAX_BYTES} are allowed"));
    }
    if let Some(before) = before.filter(|before| before.entries == entries) {
        return Ok(before.clone());
    }
    let mut hash = Sha256::new();
    for entry in &entries {
        let mut part = |kind: u8, size: u64| {
            hash.update((entry.name.len() as u64).to_be_bytes());
            hash.update(&entry.name);
            hash.update([kind]);
            hash.update(size.to_be_bytes());
        };
        match &entry.kind {
            Kind::Folder => part(0, 0),
            Kind::Link(target) => {
                part(1, target.len() as u64);
                hash.update(target);
            }
            Kind::File(size, _) => {
                part(2, *size);
                read_into(&mut hash, &entry.path).map_err(|e| trouble(&entry.path, &e))?;
            }
        }
    }
    Ok(Content { entries, bytes, digest: hex(&hash.finalize()) })
}

/// No more than a folder may hold, in case the file grows meanwhile.
fn read_into(hash: &mut Sha256, path: &Path) -> std::io::Result<()> {
    let mut file = std::io::BufReader::with_capacity(64 << 10, std::fs::File::open(path)?.take(MAX_BYTES));
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        hash.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
}

fn walk(root: &Path, dir: &Path, depth: usize, out: &mut Vec<Entry>) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("{} lies deeper than {MAX_DEPTH} folders", dir.display()));
    }
    for entry in std::fs::read_dir(dir).map_err(|e| trouble(dir, &e))? {
        let path = entry.map_err(|e| trouble(dir, &e))?.path();
        let facts = std::fs::symlink_metadata(&path).map_err(|e| trouble(&path, &e))?;
        let name = path.strip_prefix(root).unwrap_or(&path).as_os_str().as_encoded_bytes().to_vec();
        let is_folder = facts.is_dir();
        let kind = if is_folder {
            Kind::Folder
        } else if facts.is_symlink() {
            let target = std::fs::read_link(&path).map_err(|e| trouble(&path, &e))?;
            Kind::Link(target.as_os_str().as_encoded_bytes().to_vec())
        } else if facts.is_file() {
            Kind::File(facts.len(), marks(&facts))
        } else {
            // Opening a pipe waits for its other end.
            return Err(format!("{} is neither a file nor a folder", path.display()));
        };
        out.push(Entry { name, path: path.clone(), kind });
        if out.len() > MAX_ENTRIES {
            return Err(format!("it has more than {MAX_ENTRIES} entries"));
        }
        if is_folder {
            walk(root, &path, depth + 1, out)?;
        }
    }
    Ok(())
}

/// Differ after a write: when it was modified, and where there are such things its number and change time.
fn marks(facts: &std::fs::Metadata) -> [i128; 3] {
    let modified = facts.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|d| i128::try_from(d.as_nanos()).ok()).unwrap_or(0);
    #[cfg(unix)]
    let (number, changed) = {
        use std::os::unix::fs::MetadataExt;
        let changed = i128::from(facts.ctime()) * 1_000_000_000 + i128::from(facts.ctime_nsec());
        (i128::from(facts.ino()), changed)
    };
    #[cfg(not(unix))]
    let (number, changed) = (0, 0);
    [modified, number, changed]
}

fn trouble(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use tenter_model::capability::Grant;

    use super::*;

    fn folders(path: &Path, granted: &str) -> Folders {
        Folders::of(&ModuleSettings {
            files: [("lists".to_owned(), path.display().to_string())].into(),
            grants: vec![Grant { capability: "files".into(), scope: granted.into() }],
            ..ModuleSettings::default()
        })
    }

    fn later(folders: &Folders) -> Option<Arc<Seen>> {
        if let Some((at, _)) = &mut *folders.last.lock().unwrap() {
            *at = at.checked_sub(2 * LOOK_EVERY).unwrap();
        }
        folders.look()
    }

    fn digest(seen: &Seen) -> &str {
        &seen.folders[0].2.as_ref().unwrap().digest
    }

    #[test]
    fn a_change_is_seen_and_the_digest_is_that_of_the_contents() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "one").unwrap();
        let folders = folders(dir.path(), "lists");
        let first = folders.look().unwrap();
        assert!(Arc::ptr_eq(&first, &later(&folders).unwrap()));
        // Same size, same name, and the old time put back.
        let old = std::fs::metadata(dir.path().join("a")).unwrap().modified().unwrap();
        std::fs::write(dir.path().join("a"), "two").unwrap();
        std::fs::File::options().write(true).open(dir.path().join("a")).unwrap().set_modified(old).unwrap();
        assert!(Arc::ptr_eq(&first, &folders.look().unwrap()), "looked at more than once a second");
        let second = later(&folders).unwrap();
        assert_ne!(digest(&first), digest(&second));
        std::fs::write(dir.path().join("a"), "one").unwrap();
        let third = later(&folders).unwrap();
        assert_eq!(digest(&first), digest(&third));
        std::fs::create_dir(dir.path().join("b")).unwrap();
        std::fs::rename(dir.path().join("a"), dir.path().join("b/a")).unwrap();
        assert_ne!(digest(&third), digest(&later(&folders).unwrap()));
        std::fs::remove_dir_all(dir.path()).unwrap();
        let gone = later(&folders).unwrap();
        assert!(gone.folders[0].2.as_ref().unwrap_err().starts_with("cannot read "), "{gone:?}");
        assert!(super::Folders::of(&ModuleSettings::default()).look().is_none());
    }

    #[test]
    fn what_is_not_granted_is_not_looked_at() {
        assert!(folders(Path::new("/"), "other").look().is_none());
    }

    #[test]
    fn too_much_and_too_odd_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let refusal = || content(dir.path(), None).unwrap_err().replace(&dir.path().display().to_string(), "DIR");
        let big = std::fs::File::create(dir.path().join("big")).unwrap();
        big.set_len(MAX_BYTES + 1).unwrap();
        insta::assert_snapshot!(refusal(), @"its files have 268435457 bytes, at most 268435456 are allowed");
        big.set_len(0).unwrap();
        assert!(content(dir.path(), None).is_ok());
        let deep = dir.path().join(vec!["d"; MAX_DEPTH + 1].join("/"));
        std::fs::create_dir_all(&deep).unwrap();
        assert!(refusal().ends_with("lies deeper than 16 folders"), "{}", refusal());
        std::fs::remove_dir_all(dir.path().join("d")).unwrap();
        for n in 0..MAX_ENTRIES {
            std::fs::File::create(dir.path().join(n.to_string())).unwrap();
        }
        insta::assert_snapshot!(refusal(), @"it has more than 10000 entries");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("s")).unwrap();
        let error = content(dir.path(), None).unwrap_err();
        assert!(error.ends_with("/s is neither a file nor a folder"), "{error}");
    }
}
