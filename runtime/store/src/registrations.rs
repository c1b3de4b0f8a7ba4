//! Case hooks that the operator registered modules for, beside what the modules subscribed to themselves.

use serde_json::json;
use tenter_model::ModuleName;

use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;

/// A module that is to be called at a hook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    /// The module.
    pub module: ModuleName,
    /// The name of the hook in IRIS.
    pub hook: String,
    /// The title of the menu entry; empty for hooks of no menu.
    pub title: String,
    /// Whether requests do not wait for it.
    pub asynchronous: bool,
}

impl Store {
    /// Registers an installed module for a hook. Says whether that is new: one that is registered under that title stays as
    /// it is.
    ///
    /// # Errors
    /// When there is no such module, or what the disk may say.
    pub fn register_hook(&self, new: Registration) -> Result<bool, StoreError> {
        let subject = format!("{} {}", new.module, new.hook);
        let detail = json!({"title": new.title, "asynchronous": new.asynchronous});
        self.audited("hook.register", &subject, detail, move |tx| {
            let changed = tx.conn.execute(
                "INSERT INTO registration (module, hook, title, asynchronous) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT DO NOTHING",
                (new.module.as_str(), &new.hook, &new.title, new.asynchronous),
            )?;
            Ok(changed == 1)
        })
    }

    /// Takes back all registrations of a module for a hook. Gives their number; none is no error.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn deregister_hook(&self, module: &ModuleName, hook: &str) -> Result<usize, StoreError> {
        let (module, hook) = (module.clone(), hook.to_owned());
        let subject = format!("{module} {hook}");
        self.audited("hook.deregister", &subject, json!({}), move |tx| {
            let sql = "DELETE FROM registration WHERE module = ?1 AND hook = ?2";
            Ok(tx.conn.execute(sql, (module.as_str(), &hook))?)
        })
    }
}

impl Reader {
    /// All registrations, in the order in which they were made.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare("SELECT module, hook, title, asynchronous FROM registration ORDER BY id")?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let module = ModuleName::new(&name).map_err(|why| StoreError::Unreadable {
                what: format!("a registration of {name}"),
                why: why.to_string(),
            })?;
            out.push(Registration { module, hook: row.get(1)?, title: row.get(2)?, asynchronous: row.get(3)? });
        }
        Ok(out)
    }
}
