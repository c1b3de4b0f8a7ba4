//! Versions of a module: uploaded side by side, activated, rolled back.
//!
//! An upload becomes active unless it asks for more than is granted; then it waits and what was active serves on. A
//! version lower than one that is here is refused unless the operator allows it, so that nobody brings an old
//! weakness back by accident; going back on purpose is `rollback`, to a version that is here already.

use std::sync::Arc;

use semver::Version;
use sha2::{Digest, Sha256};
use tenter_model::ModuleName;
use tenter_store::{InstallModule, ModuleRow, VersionRow};

use super::grants::missing_grants;
use super::signature::{Signature, hex};
use super::{ModuleError, ModuleView, Modules};

/// An upload.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    /// Who uploads.
    pub(crate) actor: &'a str,
    /// What the module is called.
    pub(crate) name: &'a ModuleName,
    /// The component.
    pub(crate) bytes: &'a [u8],
    /// Whether all that it asks for is granted with it.
    pub(crate) grant_requested: bool,
    /// Whether it may be older than a version that is here.
    pub(crate) allow_downgrade: bool,
    /// Who vouches for it.
    pub(crate) signature: Option<&'a Signature>,
}

impl Modules {
    /// Admits a component under a name and installs it. It becomes active unless it asks for something that is not
    /// granted; with `grant_requested` all that it asks for is granted. The same component again changes nothing but
    /// grants.
    ///
    /// # Errors
    /// When the component is refused, nothing has changed.
    pub(crate) fn upload(&self, upload: &Upload<'_>) -> Result<ModuleView, ModuleError> {
        let &Upload { actor, name, bytes, .. } = upload;
        let digest = hex(&Sha256::digest(bytes));
        // Before anything is compiled: who is not trusted does not get that far.
        let signer = self.check_signature(name, &digest, upload.signature)?;
        let mut state = self.lock();
        let rows = self.reader.modules()?;
        let before = rows.iter().find(|row| row.name == *name);
        let stored_grants = before.map_or(&[][..], |row| row.grants.as_slice());
        let settings = self.settings(name, stored_grants, before.and_then(|row| row.config.clone()));
        let module = self.admit(name, bytes, settings)?;
        if let Some(signature) = upload.signature.filter(|_| signer.is_some()) {
            signature.covers(&module.descriptor.version, &module.requests).map_err(refused)?;
        }
        if let Some(row) = before
            && !upload.allow_downgrade
        {
            check_order(row, &module.digest, &module.descriptor.version)?;
        }
        self.check_together(&state, &rows, Some(&module), &state.off)?;
        let missing = missing_grants(&module.requests, &module.settings.grants);
        // What was admitted serves as it is, unless it gets more grants than it was admitted with.
        let serves = missing.is_empty() || (before.is_none() && !upload.grant_requested);
        let (grants, activate) =
            if upload.grant_requested { (missing, true) } else { (Vec::new(), missing.is_empty()) };
        let store = self.acting(actor);
        store.install_module(InstallModule {
            name: name.clone(),
            digest: module.digest.clone(),
            bytes: bytes.to_vec(),
            descriptor: module.descriptor.clone(),
            requests: module.requests.clone(),
            families: module.families.clone(),
            subscriptions: module.subscriptions.clone(),
            grants,
            activate,
            enable: true,
            at: self.clock.now(),
        })?;
        if let Some(signer) = signer {
            let detail = serde_json::json!({"digest": module.digest, "key": signer});
            store.record_audit("module.signature", name.as_str(), detail)?;
            state.history.signed(name, &module.digest, &signer);
        }
        if activate || before.is_none() {
            state.history.activated(name, &module.digest);
        }
        tracing::info!(module = %name, version = module.descriptor.version, digest = module.digest, "module uploaded");
        let rows = self.reader.modules()?;
        match rows.iter().find(|row| row.name == *name && row.active.digest == module.digest) {
            Some(row) if serves && self.vouched(&state, row).is_ok() => {
                state.loaded.insert(name.clone(), Ok(Arc::new(module)));
                self.publish(&mut state, &rows);
                Ok(self.view(&state, row))
            }
            _ => self.changed(&mut state, name),
        }
    }

    /// Makes a version that is here the active one. It is named by its version or by the first digits of its digest.
    ///
    /// # Errors
    /// When not exactly one is meant, when it asks for more than is granted, or what the store says.
    pub(crate) fn activate(&self, actor: &str, name: &ModuleName, wanted: &str) -> Result<ModuleView, ModuleError> {
        let row = self.row(name)?;
        let digest = find(&row, wanted)?.digest.clone();
        self.go_to(actor, &row, &digest)
    }

    /// Makes the version active that was active before.
    ///
    /// # Errors
    /// When there was none, when it asks for more than is granted by now, or what the store says.
    pub(crate) fn rollback(&self, actor: &str, name: &ModuleName) -> Result<ModuleView, ModuleError> {
        let row = self.row(name)?;
        let digest = self.lock().history.previous(&row).map(|version| version.digest.clone()).ok_or_else(|| {
            ModuleError::Conflict(format!(
                "module {name} has no version that was active before {}; tenter module show {name} lists its versions",
                row.active.version
            ))
        })?;
        self.go_to(actor, &row, &digest)
    }

    fn go_to(&self, actor: &str, row: &ModuleRow, digest: &str) -> Result<ModuleView, ModuleError> {
        let name = &row.name;
        let mut state = self.lock();
        self.vouched_for(&state, name, digest).map_err(ModuleError::Conflict)?;
        let settings = self.settings(name, &row.grants, row.config.clone());
        // What a version asks for depends on the configuration, which may have changed since it was uploaded.
        let module = self.admit(name, &self.reader.component(digest)?, settings)?;
        let missing = missing_grants(&module.requests, &module.settings.grants);
        if !missing.is_empty() {
            let all = missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(ModuleError::Conflict(format!(
                "version {} of module {name} asks for what is not granted: {all}; tenter grant {name} CAPABILITY SCOPE \
                 grants it",
                module.descriptor.version
            )));
        }
        if row.enabled {
            self.check_together(&state, &self.reader.modules()?, Some(&module), &state.off)?;
        }
        self.acting(actor).activate(name, digest)?;
        state.history.activated(name, digest);
        tracing::info!(module = %name, version = module.descriptor.version, digest, "version activated");
        self.changed(&mut state, name)
    }
}

fn refused(message: String) -> ModuleError {
    ModuleError::Refused { code: "signature", message }
}

/// Refuses a version that is lower than one that is here, unless it is that very component.
fn check_order(row: &ModuleRow, digest: &str, version: &str) -> Result<(), ModuleError> {
    if row.active.digest == digest {
        return Ok(());
    }
    let Ok(new) = Version::parse(version) else { return Ok(()) };
    let parsed = row.versions.iter().filter_map(|known| Some((Version::parse(&known.version).ok()?, known)));
    let Some((highest, known)) = parsed.max_by(|(a, _), (b, _)| a.cmp(b)) else { return Ok(()) };
    if new >= highest {
        return Ok(());
    }
    let name = &row.name;
    Err(ModuleError::Refused {
        code: "downgrade",
        message: format!(
            "version {new} of module {name} is lower than {}, which was uploaded {}; raise the version, go back with \
             `tenter module rollback {name}`, or upload it with --allow-downgrade",
            known.version, known.uploaded_at
        ),
    })
}

/// Fewest digits of a digest that name a version.
const FEWEST_DIGITS: usize = 6;

fn find<'a>(row: &'a ModuleRow, wanted: &str) -> Result<&'a VersionRow, ModuleError> {
    let digits = wanted.strip_prefix("sha256:").unwrap_or(wanted);
    let is_digest = digits.len() >= FEWEST_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let meant: Vec<&VersionRow> = row
        .versions
        .iter()
        .filter(|known| known.version == wanted || (is_digest && known.digest.starts_with(digits)))
        .collect();
    let all = || {
        let texts = row.versions.iter().map(|v| format!("{} ({})", v.version, v.digest.get(..12).unwrap_or(&v.digest)));
        texts.collect::<Vec<_>>().join(", ")
    };
    match meant.as_slice() {
        [one] => Ok(one),
        [] => Err(ModuleError::Unknown(format!("module {} has no version {wanted}; it has {}", row.name, all()))),
        _ => Err(ModuleError::Invalid(format!(
            "{wanted} names several versions of module {}; give the digest of one: {}",
            row.name,
            all()
        ))),
    }
}
