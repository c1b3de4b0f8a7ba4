//! Installed modules: components, versions, grants, and whether they are on.
//!
//! An upload is one transaction: the component, the version, the module's row and the first grants are there together
//! or not at all. Removing a module removes its versions, grants, configuration and private state; its error rows,
//! its dead letters and the provenance of what it wrote stay, since they tell what happened.

use rusqlite::{Connection, OptionalExtension, Row};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenter_model::capability::Grant;
use tenter_model::hook::Subscription;
use tenter_model::module::Descriptor;
use tenter_model::{Family, ModuleName, Timestamp};

use crate::error::StoreError;
use crate::store::Store;
use crate::tx::Tx;

/// A component that passed admission, to be installed.
#[derive(Debug, Clone, PartialEq)]
pub struct InstallModule {
    /// What it is uploaded as; an installed module of this name gets a new version.
    pub name: ModuleName,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub digest: String,
    /// The component.
    pub bytes: Vec<u8>,
    /// Static facts.
    pub descriptor: Descriptor,
    /// What it asks for.
    pub requests: Vec<Grant>,
    /// Families it exports.
    pub families: Vec<Family>,
    /// What it subscribed to.
    pub subscriptions: Vec<Subscription>,
    /// Grants to be given with the upload; those given before stay.
    pub grants: Vec<Grant>,
    /// Whether this version becomes the active one. The first version of a module always does.
    pub activate: bool,
    /// Whether a new module is switched on; an installed one keeps its switch.
    pub enable: bool,
    /// When.
    pub at: Timestamp,
}

/// A version of a module.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// The version that the component gives itself.
    pub version: String,
    /// SHA-256 of the component, 64 hexadecimal digits.
    pub digest: String,
    /// Bytes of the component.
    pub size: u64,
    /// When it was uploaded.
    pub uploaded_at: Timestamp,
    /// Static facts.
    pub descriptor: Descriptor,
    /// What it asks for.
    pub requests: Vec<Grant>,
    /// Families it exports.
    pub families: Vec<Family>,
    /// What it subscribed to at the time of upload.
    pub subscriptions: Vec<Subscription>,
}

/// An installed module.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleRow {
    /// What it was uploaded as.
    pub name: ModuleName,
    /// Order of first upload.
    pub position: u64,
    /// Whether it is called at all.
    pub enabled: bool,
    /// The version in use.
    pub active: VersionRow,
    /// All versions, in order of upload.
    pub versions: Vec<VersionRow>,
    /// Granted capabilities, sorted.
    pub grants: Vec<Grant>,
    /// Configuration that replaces the one of the configuration directory, if set.
    pub config: Option<serde_json::Value>,
}

impl Store {
    /// Keeps a component, so that it can be installed later or shared by modules. Storing it again does nothing.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn put_component(&self, digest: &str, bytes: Vec<u8>, at: Timestamp) -> Result<(), StoreError> {
        let digest = digest.to_owned();
        self.call(move |tx| put_component(tx, &digest, &bytes, at))
    }

    /// Installs a version of a module. The same component again makes no second version.
    ///
    /// # Errors
    /// What the disk may say; nothing is installed then.
    pub fn install_module(&self, install: InstallModule) -> Result<(), StoreError> {
        let subject = install.name.to_string();
        let detail = json!({
            "version": install.descriptor.version, "digest": install.digest, "activate": install.activate,
            "enable": install.enable, "grants": texts(&install.grants),
        });
        self.audited("module.install", &subject, detail, move |tx| install_module(tx, &install))
    }

    /// Makes an installed version the active one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the module has no version of that digest.
    pub fn activate(&self, name: &ModuleName, digest: &str) -> Result<(), StoreError> {
        let (name, digest) = (name.clone(), digest.to_owned());
        let subject = name.to_string();
        self.audited("module.activate", &subject, json!({ "digest": digest }), move |tx| {
            let changed = tx.conn.execute(
                "UPDATE module SET active = v.id FROM module_version v \
                 WHERE name = ?1 AND v.module = ?1 AND v.digest = ?2",
                (name.as_str(), &digest),
            )?;
            found(changed, || format!("version {digest} of module {name}"))
        })
    }

    /// Switches a module on or off.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_enabled(&self, name: &ModuleName, enabled: bool) -> Result<(), StoreError> {
        let name = name.clone();
        let subject = name.to_string();
        self.audited("module.enable", &subject, json!({ "enabled": enabled }), move |tx| {
            let changed =
                tx.conn.execute("UPDATE module SET enabled = ?2 WHERE name = ?1", (name.as_str(), enabled))?;
            found(changed, || format!("module {name}"))
        })
    }

    /// Sets the configuration that replaces the directory's, or takes it away with `None`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_module_config(&self, name: &ModuleName, config: Option<serde_json::Value>) -> Result<(), StoreError> {
        let name = name.clone();
        let subject = name.to_string();
        // A configuration may hold secrets: its digest tells whether it is the same one, and no more.
        let detail = json!({ "sha256": config.as_ref().map(|c| hex_digest(c.to_string().as_bytes())) });
        self.audited("module.config", &subject, detail, move |tx| {
            let changed = tx.conn.execute(
                "UPDATE module SET config = ?2 WHERE name = ?1",
                (name.as_str(), config.as_ref().map(ToString::to_string)),
            )?;
            found(changed, || format!("module {name}"))
        })
    }

    /// Gives exactly these grants.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn set_grants(&self, name: &ModuleName, grants: Vec<Grant>) -> Result<(), StoreError> {
        let name = name.clone();
        let subject = name.to_string();
        self.audited("grant.set", &subject, json!({ "grants": texts(&grants) }), move |tx| {
            must_exist(tx.conn, &name)?;
            tx.conn.execute("DELETE FROM module_grant WHERE module = ?1", [name.as_str()])?;
            add_grants(tx.conn, &name, &grants)
        })
    }

    /// Adds a grant; giving it twice does nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn add_grant(&self, name: &ModuleName, grant: Grant) -> Result<(), StoreError> {
        let name = name.clone();
        let subject = name.to_string();
        self.audited("grant.add", &subject, json!({ "grant": grant.to_string() }), move |tx| {
            must_exist(tx.conn, &name)?;
            add_grants(tx.conn, &name, std::slice::from_ref(&grant))
        })
    }

    /// Takes a grant away.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it was not given.
    pub fn remove_grant(&self, name: &ModuleName, grant: Grant) -> Result<(), StoreError> {
        let name = name.clone();
        let subject = name.to_string();
        self.audited("grant.remove", &subject, json!({ "grant": grant.to_string() }), move |tx| {
            let changed = tx.conn.execute(
                "DELETE FROM module_grant WHERE module = ?1 AND capability = ?2 AND scope = ?3",
                (name.as_str(), &grant.capability, &grant.scope),
            )?;
            found(changed, || format!("grant {grant} of module {name}"))
        })
    }

    /// Removes a module with its versions, grants, configuration and private state. Error rows, dead letters and the
    /// provenance of datapoints stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub fn remove_module(&self, name: &ModuleName) -> Result<(), StoreError> {
        let name = name.clone();
        let subject = name.to_string();
        self.audited("module.remove", &subject, Value::Null, move |tx| {
            let name = name.as_str();
            tx.conn.execute("DELETE FROM breaker WHERE module = ?1", [name])?;
            for sql in ["DELETE FROM kv WHERE module = ?1", "DELETE FROM kv_size WHERE module = ?1"] {
                tx.conn.execute(sql, [name])?;
            }
            let digests: Vec<String> = tx
                .conn
                .prepare("SELECT digest FROM module_version WHERE module = ?1")?
                .query_map([name], |r| r.get(0))?
                .collect::<Result<_, _>>()?;
            let changed = tx.conn.execute("DELETE FROM module WHERE name = ?1", [name])?;
            for digest in digests {
                tx.conn.execute(
                    "DELETE FROM component WHERE digest = ?1 \
                     AND NOT EXISTS (SELECT 1 FROM module_version WHERE digest = ?1)",
                    [digest],
                )?;
            }
            found(changed, || format!("module {name}"))
        })
    }
}

fn texts(grants: &[Grant]) -> Vec<String> {
    grants.iter().map(ToString::to_string).collect()
}

fn hex_digest(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn found(changed: usize, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if changed == 0 { Err(StoreError::NotFound(what())) } else { Ok(()) }
}

fn must_exist(conn: &Connection, name: &ModuleName) -> Result<(), StoreError> {
    let exists = conn.prepare("SELECT 1 FROM module WHERE name = ?1")?.exists([name.as_str()])?;
    found(usize::from(exists), || format!("module {name}"))
}

fn add_grants(conn: &Connection, name: &ModuleName, grants: &[Grant]) -> Result<(), StoreError> {
    for grant in grants {
        conn.execute(
            "INSERT INTO module_grant (module, capability, scope) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (name.as_str(), &grant.capability, &grant.scope),
        )?;
    }
    Ok(())
}

fn put_component(tx: &Tx<'_>, digest: &str, bytes: &[u8], at: Timestamp) -> Result<(), StoreError> {
    let found = hex_digest(bytes);
    if found != digest {
        return Err(StoreError::Invalid(format!("the component's digest is {found}, not {digest} as stated")));
    }
    tx.conn.execute(
        "INSERT INTO component (digest, bytes, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        (digest, bytes, at.0),
    )?;
    Ok(())
}

fn install_module(tx: &Tx<'_>, install: &InstallModule) -> Result<(), StoreError> {
    let (conn, name) = (tx.conn, install.name.as_str());
    tx.crash.at("install-begin");
    put_component(tx, &install.digest, &install.bytes, install.at)?;
    tx.crash.at("install-component");
    let families: Vec<&str> = install.families.iter().map(|f| f.name()).collect();
    let version: i64 = conn.query_row(
        "INSERT INTO module_version \
         (module, version, digest, uploaded_at, descriptor, requests, families, subscriptions) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT (module, digest) DO UPDATE SET requests = excluded.requests, \
         families = excluded.families, subscriptions = excluded.subscriptions RETURNING id",
        (
            name,
            &install.descriptor.version,
            &install.digest,
            install.at.0,
            text_of(&install.descriptor)?,
            text_of(&install.requests)?,
            text_of(&families)?,
            text_of(&install.subscriptions)?,
        ),
        |r| r.get(0),
    )?;
    tx.crash.at("install-version");
    conn.execute(
        "INSERT INTO module (name, position, enabled, active) \
         VALUES (?1, (SELECT coalesce(max(position), 0) + 1 FROM module), ?2, ?3) \
         ON CONFLICT (name) DO UPDATE SET active = CASE WHEN ?4 THEN excluded.active ELSE active END",
        (name, install.enable, version, install.activate),
    )?;
    tx.crash.at("install-module");
    add_grants(conn, &install.name, &install.grants)?;
    tx.crash.at("install-end");
    Ok(())
}

fn text_of<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Invalid(format!("cannot store the value: {e}")))
}

/// All modules in the order of first upload.
pub(crate) fn modules(conn: &Connection) -> Result<Vec<ModuleRow>, StoreError> {
    let mut rows = Vec::new();
    let mut modules =
        conn.prepare_cached("SELECT name, position, enabled, active, config FROM module ORDER BY position")?;
    let mut found = modules.query([])?;
    while let Some(row) = found.next()? {
        let name: String = row.get(0)?;
        let active_id: i64 = row.get(3)?;
        let versions = versions(conn, &name)?;
        let active = versions.iter().find(|(id, _)| *id == active_id).map(|(_, v)| v.clone()).ok_or_else(|| {
            StoreError::Unreadable { what: format!("module {name}"), why: "its active version is missing".into() }
        })?;
        rows.push(ModuleRow {
            position: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0),
            enabled: row.get(2)?,
            active,
            versions: versions.into_iter().map(|(_, v)| v).collect(),
            grants: grants(conn, &name)?,
            config: match row.get::<_, Option<String>>(4)? {
                Some(text) => Some(parse(&text, "configuration", &name)?),
                None => None,
            },
            name: ModuleName::new(&name)
                .map_err(|e| StoreError::Unreadable { what: format!("module {name}"), why: e.to_string() })?,
        });
    }
    Ok(rows)
}

/// The bytes of a component.
pub(crate) fn component(conn: &Connection, digest: &str) -> Result<Vec<u8>, StoreError> {
    conn.prepare_cached("SELECT bytes FROM component WHERE digest = ?1")?
        .query_row([digest], |r| r.get(0))
        .optional()?
        .ok_or_else(|| StoreError::NotFound(format!("component {digest}")))
}

fn grants(conn: &Connection, name: &str) -> Result<Vec<Grant>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT capability, scope FROM module_grant WHERE module = ?1 ORDER BY capability, scope")?;
    let rows = statement.query_map([name], |r| Ok(Grant { capability: r.get(0)?, scope: r.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn versions(conn: &Connection, name: &str) -> Result<Vec<(i64, VersionRow)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT v.id, v.version, v.digest, length(c.bytes), v.uploaded_at, v.descriptor, v.requests, v.families, \
         v.subscriptions FROM module_version v JOIN component c ON c.digest = v.digest WHERE v.module = ?1 ORDER BY v.id",
    )?;
    let mut rows = statement.query([name])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push((row.get(0)?, version(row, name)?));
    }
    Ok(out)
}

fn version(row: &Row<'_>, name: &str) -> Result<VersionRow, StoreError> {
    let families: Vec<String> = parse(&row.get::<_, String>(7)?, "families", name)?;
    Ok(VersionRow {
        version: row.get(1)?,
        digest: row.get(2)?,
        size: u64::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
        uploaded_at: Timestamp(row.get(4)?),
        descriptor: parse(&row.get::<_, String>(5)?, "descriptor", name)?,
        requests: parse(&row.get::<_, String>(6)?, "requests", name)?,
        families: Family::ALL.into_iter().filter(|f| families.iter().any(|n| n == f.name())).collect(),
        subscriptions: parse(&row.get::<_, String>(8)?, "subscriptions", name)?,
    })
}

fn parse<T: DeserializeOwned>(text: &str, what: &str, module: &str) -> Result<T, StoreError> {
    serde_json::from_str(text)
        .map_err(|e| StoreError::Unreadable { what: format!("{what} of module {module}"), why: e.to_string() })
}
