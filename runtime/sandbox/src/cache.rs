//! Compiled code on disk, since compiling takes from milliseconds to half a minute.
//!
//! Loading native code is as good as running it, so an entry counts only when its MAC is right. The key is made by
//! this host, readable by its user alone, and never leaves the folder. The name of an entry, which the MAC covers too,
//! says which component and which engine and settings it is of. A wrong, torn or foreign entry is compiled anew.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

const KEY_FILE: &str = "key";
const BLOCK: usize = 64;

/// A folder of compiled code.
pub(crate) struct Cache {
    dir: PathBuf,
    key: [u8; 32],
    engine: String,
    /// Bytes of all entries, where there is a bound.
    at_most: Option<u64>,
}

impl Cache {
    /// Opens the folder, and makes it and its key when they are not there.
    pub(crate) fn open(dir: &Path, engine: &Engine) -> io::Result<Self> {
        create_private(dir)?;
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine: String = hex(&hasher.0.finalize()).chars().take(16).collect();
        Ok(Self { dir: dir.to_path_buf(), key: key(dir)?, engine, at_most: None })
    }

    /// The same cache with a bound: when something is kept, entries that were written first go until all of them
    /// have no more bytes than that.
    pub(crate) fn at_most(self, bytes: u64) -> Self {
        Self { at_most: Some(bytes), ..self }
    }

    /// Whether there is an entry, good or not.
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.dir.join(self.name(digest)).is_file()
    }

    /// The compiled component, when there is a good entry.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let name = self.name(digest);
        let entry = fs::read(self.dir.join(&name)).ok()?;
        let (mac, code) = entry.split_at_checked(32)?;
        if !same(mac, &self.mac(&name, code)) {
            tracing::warn!(entry = name, "an entry of the code cache is damaged; the component is compiled anew");
            return None;
        }
        deserialize(engine, code).ok()
    }

    /// Keeps the code of a compiled component. What cannot be kept is compiled again next time.
    pub(crate) fn keep(&self, digest: &str, code: &[u8]) {
        let name = self.name(digest);
        let mut entry = self.mac(&name, code).to_vec();
        entry.extend_from_slice(code);
        if let Err(error) = write_whole(&self.dir, &name, &entry) {
            tracing::warn!(entry = name, %error, "cannot write to the code cache");
        }
        if let Some(bytes) = self.at_most {
            self.shrink(bytes, &name);
        }
    }

    /// Removes the oldest entries, but not `newest`. What another process removed meanwhile is gone all the same.
    fn shrink(&self, at_most: u64, newest: &str) {
        let Ok(dir) = fs::read_dir(&self.dir) else { return };
        let entries = dir.flatten().filter(|e| e.path().extension().is_some_and(|x| x == "code"));
        let mut entries: Vec<_> = entries
            .filter_map(|e| {
                let facts = e.metadata().ok()?;
                Some((facts.modified().ok()?, e.path(), facts.len()))
            })
            .collect();
        entries.sort();
        let mut bytes = entries.iter().fold(0u64, |sum, (_, _, len)| sum.saturating_add(*len));
        for (_, path, len) in entries.iter().filter(|(_, path, _)| !path.ends_with(newest)) {
            if bytes <= at_most {
                break;
            }
            drop(fs::remove_file(path));
            bytes = bytes.saturating_sub(*len);
        }
    }

    fn name(&self, digest: &str) -> String {
        format!("{digest}-{}.code", self.engine)
    }

    /// HMAC-SHA-256 of name and code.
    fn mac(&self, name: &str, code: &[u8]) -> [u8; 32] {
        hmac(&self.key, &[name.as_bytes(), &[0], code])
    }
}

#[allow(unsafe_code, reason = "wasmtime cannot check native code, so it asks its caller to vouch for it")]
pub(crate) fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: there are two callers. `Cache::load` has checked the MAC, made with a key that only this host's user can
    // read, so that this is what was given to `Cache::keep`. `form::compile` passes what the compiler wrote that this
    // host started itself, from its own program, to a pipe that nobody else holds. wasmtime itself refuses code of
    // another version or engine.
    unsafe { Component::deserialize(engine, code) }
}

/// Makes a folder that its user alone can look into.
fn create_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Reads or makes the key.
fn key(dir: &Path) -> io::Result<[u8; 32]> {
    let path = dir.join(KEY_FILE);
    if !path.exists() {
        let mut fresh = [0u8; 32];
        getrandom::fill(&mut fresh).map_err(io::Error::other)?;
        // Two processes may come here at once: the first one's key stays, and both read it below.
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let own = format!("{KEY_FILE}.{}", hex(&random));
        write_whole(dir, &own, &fresh)?;
        let linked = fs::hard_link(dir.join(&own), &path);
        fs::remove_file(dir.join(&own))?;
        linked.or_else(|e| if e.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(e) })?;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
            let what = format!(
                "{} can be read by others, who could run code in this process: remove the folder {}, it is made anew",
                path.display(),
                dir.display()
            );
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
        }
    }
    let bytes = fs::read(&path)?;
    <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a key: remove it", path.display())))
}

/// Writes a file for the user alone, and gives it its name when it is complete.
fn write_whole(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let temporary = dir.join(format!(".{name}.{}", hex(&random)));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, dir.join(name))
    });
    if written.is_err() {
        drop(fs::remove_file(&temporary));
    }
    written
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; BLOCK];
        for (slot, byte) in block.iter_mut().zip(key) {
            *slot ^= byte;
        }
        block
    };
    let mut inner = Sha256::new_with_prefix(pad(0x36));
    for part in parts {
        inner.update(part);
    }
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 as a hasher: the standard one may differ between versions of Rust.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest.iter().take(8).fold(0, |n, byte| (n << 8) | u64::from(*byte))
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_hmac_sha256() {
        // RFC 4231, test case 1, whose key has 20 bytes; a shorter key is padded with zeros.
        let mut key = [0u8; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            hex(&hmac(&key, &[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn damaged_entries_are_not_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::start(1).unwrap();
        let cache = Cache::open(dir.path(), &engine).unwrap();
        let component = Component::new(&engine, wat::parse_str("(component)").unwrap()).unwrap();
        assert!(cache.load(&engine, "aa").is_none());
        cache.keep("aa", &component.serialize().unwrap());
        assert!(cache.load(&engine, "aa").is_some());

        let path = dir.path().join(cache.name("aa"));
        let good = fs::read(&path).unwrap();
        // Under the name of another component.
        fs::write(dir.path().join(cache.name("bb")), &good).unwrap();
        assert!(cache.load(&engine, "bb").is_none());
        // One bit, anywhere.
        for at in [0, 31, 32, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(cache.load(&engine, "aa").is_none(), "byte {at}");
        }
        for len in [0, 10, 32, good.len() - 1] {
            fs::write(&path, &good[..len]).unwrap();
            assert!(cache.load(&engine, "aa").is_none(), "{len} bytes");
        }
        // Made with another key.
        fs::write(&path, &good).unwrap();
        fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        assert!(Cache::open(dir.path(), &engine).unwrap().load(&engine, "aa").is_none());
    }

    #[test]
    fn a_bound_removes_what_was_written_first() {
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::start(1).unwrap();
        let cache = Cache::open(dir.path(), &engine).unwrap().at_most(1000);
        for (n, digest) in ["aa", "bb", "cc"].iter().enumerate() {
            cache.keep(digest, &[0; 300]);
            // Entries of one moment have an order all the same.
            let file = fs::File::options().write(true).open(dir.path().join(cache.name(digest))).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(n as u64)).unwrap();
        }
        assert!(["aa", "bb", "cc"].iter().all(|digest| cache.has(digest)));
        cache.keep("dd", &[0; 300]);
        assert!(!cache.has("aa") && cache.has("bb") && cache.has("cc") && cache.has("dd"));
        // What is larger than the bound is kept alone.
        cache.keep("ee", &[0; 2000]);
        assert!(cache.has("ee") && !["bb", "cc", "dd"].iter().any(|digest| cache.has(digest)));
        assert!(dir.path().join(KEY_FILE).is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let engine = crate::engine::start(1).unwrap();
        drop(Cache::open(dir.path(), &engine).unwrap());
        let key = dir.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Cache::open(dir.path(), &engine).err().unwrap();
        assert!(error.to_string().contains("can be read by others"), "{error}");
    }
}
