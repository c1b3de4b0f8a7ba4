//! Secrets of modules: kept in a file of their own beside the database, readable by its owner alone.
//!
//! They are not in the database on purpose: a backup, an archive or a copy of it holds none of them, and who may read
//! any of these may not read the secrets for that. Their text is in no answer, log, error or record of a call; it leaves
//! this process in requests of the module that they were set for, and for no other use.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tenter_model::egress::{Host, pattern};
use tenter_model::limits::{MAX_SECRET_BYTES, MIN_SECRET_BYTES};
use tenter_model::{ModuleName, Timestamp};
use zeroize::Zeroizing;

/// The file, in the folder of the data.
const FILE: &str = "secrets.json";
/// Form of the file.
const VERSION: u32 = 1;

/// All secrets of this server.
pub(crate) struct Secrets {
    path: PathBuf,
    kept: Mutex<Kept>,
}

type Kept = BTreeMap<ModuleName, BTreeMap<String, Secret>>;

/// One secret. It has no `Debug` and no `Display`.
#[derive(Clone)]
pub(crate) struct Secret(Arc<Inner>);

struct Inner {
    text: Zeroizing<String>,
    hosts: Vec<String>,
    set_at: Timestamp,
}

/// What may be told of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    /// Its name.
    pub(crate) name: String,
    /// Hosts that it may be sent to; empty: all that the module may reach.
    pub(crate) hosts: Vec<String>,
    /// When it was set.
    pub(crate) set_at: Timestamp,
}

impl Secret {
    pub(super) fn text(&self) -> &str {
        &self.0.text
    }

    pub(super) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    /// Whether it may be sent there.
    pub(super) fn is_for(&self, host: &Host) -> bool {
        self.0.hosts.is_empty() || self.0.hosts.iter().any(|known| pattern::host_matches(known, host))
    }
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    secrets: BTreeMap<ModuleName, BTreeMap<String, Stored>>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    text: String,
    #[serde(default)]
    hosts: Vec<String>,
    set_at: i64,
}

impl Drop for Stored {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.text);
    }
}

impl Secrets {
    /// Those of a folder of data; none when there is no file yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn open(data_dir: &Path) -> anyhow::Result<Arc<Self>> {
        let path = data_dir.join(FILE);
        let what = || format!("the secrets in {}", path.display());
        let kept = match std::fs::read(&path) {
            Ok(bytes) => {
                keep_private(&path).with_context(what)?;
                let bytes = Zeroizing::new(bytes);
                let file: File = serde_json::from_slice(&bytes).with_context(what)?;
                anyhow::ensure!(file.version == VERSION, "{} are of another version of tenter", what());
                file.secrets.into_iter().map(|(module, all)| (module, all.into_iter().map(taken).collect())).collect()
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Kept::new(),
            Err(error) => return Err(error).with_context(what),
        };
        Ok(Arc::new(Self { path, kept: Mutex::new(kept) }))
    }

    /// The secret of that name.
    pub(super) fn find(&self, module: &ModuleName, name: &str) -> Option<Secret> {
        self.lock().get(module)?.get(name).cloned()
    }

    /// Names of a module's secrets, in order.
    pub(crate) fn names(&self, module: &ModuleName) -> Vec<String> {
        self.lock().get(module).map(|all| all.keys().cloned().collect()).unwrap_or_default()
    }

    /// What may be told of a module's secrets.
    pub(crate) fn list(&self, module: &ModuleName) -> Vec<About> {
        let kept = self.lock();
        let all = kept.get(module).into_iter().flatten();
        all.map(|(name, s)| About { name: name.clone(), hosts: s.0.hosts.clone(), set_at: s.0.set_at }).collect()
    }

    /// Sets one, in place of what it was.
    ///
    /// # Errors
    /// When the disk refuses; nothing has changed then.
    pub(crate) fn set(
        &self,
        module: &ModuleName,
        name: &str,
        text: Zeroizing<String>,
        hosts: Vec<String>,
        now: Timestamp,
    ) -> std::io::Result<()> {
        let secret = Secret(Arc::new(Inner { text, hosts, set_at: now }));
        self.change(|kept| {
            kept.entry(module.clone()).or_default().insert(name.to_owned(), secret);
        })
    }

    /// Forgets one; whether there was one.
    ///
    /// # Errors
    /// When the disk refuses; nothing has changed then.
    pub(crate) fn remove(&self, module: &ModuleName, name: &str) -> std::io::Result<bool> {
        if self.find(module, name).is_none() {
            return Ok(false);
        }
        self.change(|kept| {
            if let Some(all) = kept.get_mut(module) {
                all.remove(name);
            }
        })?;
        Ok(true)
    }

    /// Forgets all of a module that is gone.
    ///
    /// # Errors
    /// When the disk refuses; nothing has changed then.
    pub(crate) fn forget(&self, module: &ModuleName) -> std::io::Result<()> {
        if !self.lock().contains_key(module) {
            return Ok(());
        }
        self.change(|kept| {
            kept.remove(module);
        })
    }

    /// Writes the changed whole, then lets it count.
    fn change(&self, act: impl FnOnce(&mut Kept)) -> std::io::Result<()> {
        let mut kept = self.lock();
        let mut changed = kept.clone();
        act(&mut changed);
        changed.retain(|_, all| !all.is_empty());
        write(&self.path, &changed)?;
        *kept = changed;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn taken((name, mut stored): (String, Stored)) -> (String, Secret) {
    let text = Zeroizing::new(std::mem::take(&mut stored.text));
    let hosts = std::mem::take(&mut stored.hosts);
    (name, Secret(Arc::new(Inner { text, hosts, set_at: Timestamp(stored.set_at) })))
}

/// In one step, and for its owner alone: the temporary file is made so.
fn write(path: &Path, kept: &Kept) -> std::io::Result<()> {
    let stored = |s: &Secret| Stored { text: s.text().to_owned(), hosts: s.0.hosts.clone(), set_at: s.0.set_at.0 };
    let of_module = |all: &BTreeMap<String, Secret>| all.iter().map(|(name, s)| (name.clone(), stored(s))).collect();
    let secrets = kept.iter().map(|(module, all)| (module.clone(), of_module(all))).collect();
    let bytes = Zeroizing::new(serde_json::to_vec(&File { version: VERSION, secrets })?);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".secrets").tempfile_in(folder)?;
    file.write_all(&bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A copy of the data may have lost what the file was allowed.
#[cfg(unix)]
fn keep_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the secrets; they are for their owner alone again");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether a secret may have this name and text.
///
/// # Errors
/// What was expected; the text is not in it.
pub(crate) fn check(name: &str, text: &str, hosts: &[String]) -> Result<(), String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || name.len() > 63 || !name.bytes().all(good) {
        return Err(format!(
            "{name:?} is no name of a secret: expected a letter or _, then letters, digits, _, - or ."
        ));
    }
    if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&text.len()) {
        return Err(format!("the secret has {} bytes, expected {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}", text.len()));
    }
    hosts.iter().try_for_each(|host| pattern::check_host(host).map_err(|why| format!("{host:?}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ModuleName {
        ModuleName::new("hook").unwrap()
    }

    #[test]
    fn secrets_stay_over_a_restart_and_are_for_their_owner() {
        let dir = tempfile::tempdir().unwrap();
        let secrets = Secrets::open(dir.path()).unwrap();
        let text = || Zeroizing::new("long enough".to_owned());
        secrets.set(&name(), "token", text(), vec!["*.example.org".into()], Timestamp(7)).unwrap();
        secrets.set(&name(), "other", text(), vec![], Timestamp(8)).unwrap();
        assert!(secrets.remove(&name(), "other").unwrap());
        assert!(!secrets.remove(&name(), "other").unwrap());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = dir.path().join(FILE);
            let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(), 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            Secrets::open(dir.path()).unwrap();
            assert_eq!(mode(), 0o600);
        }
        let again = Secrets::open(dir.path()).unwrap();
        assert_eq!(again.names(&name()), ["token"]);
        let secret = again.find(&name(), "token").unwrap();
        assert_eq!((secret.text(), secret.0.set_at), ("long enough", Timestamp(7)));
        assert!(secret.is_for(&Host::Name("api.example.org".into())));
        assert!(!secret.is_for(&Host::Name("example.com".into())));
        again.forget(&name()).unwrap();
        assert_eq!(Secrets::open(dir.path()).unwrap().names(&name()), [""; 0]);
    }

    #[test]
    fn wrong_secrets_are_explained_without_their_text() {
        let long = "x".repeat(MAX_SECRET_BYTES + 1);
        assert_eq!(check("api_key", "12345678", &[]), Ok(()));
        insta::assert_snapshot!(check("../x", "12345678", &[]).unwrap_err(), @r#""../x" is no name of a secret: expected a letter or _, then letters, digits, _, - or ."#);
        insta::assert_snapshot!(check("k", "hush", &[]).unwrap_err(), @"the secret has 4 bytes, expected 8 to 16384");
        assert!(check("k", &long, &[]).is_err());
        insta::assert_snapshot!(check("k", "12345678", &["a b".into()]).unwrap_err(), @r#""a b": the host is no name; expected labels of letters, digits and -, with dots between (names of other scripts in their xn-- form)"#);
    }
}
