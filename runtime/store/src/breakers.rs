//! The state of breakers: which hooks of which modules are paused. What it means is the engine's.

use tenter_model::ModuleName;

use crate::error::StoreError;
use crate::outcome::Done;
use crate::reader::Reader;
use crate::store::{self, Store};

/// The state of one breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerRow {
    /// The module.
    pub module: ModuleName,
    /// The hook's stable name.
    pub hook: String,
    /// The state in JSON, in the engine's words.
    pub body: serde_json::Value,
}

impl Store {
    /// Sets the state of a breaker. It travels with other work of that moment and costs no flush of its own under load.
    pub fn put_breaker(&self, row: BreakerRow, done: Done<()>) {
        self.send(false, done, move |tx| {
            tx.conn
                .prepare_cached(
                    "INSERT INTO breaker (module, hook, body) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (module, hook) DO UPDATE SET body = excluded.body",
                )?
                .execute((row.module.as_str(), &row.hook, row.body.to_string()))?;
            Ok(())
        });
    }

    /// [`Store::put_breaker`], waiting for the answer.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn put_breaker_blocking(&self, row: BreakerRow) -> Result<(), StoreError> {
        store::wait(|done| self.put_breaker(row, done))
    }

    /// Forgets the state of a breaker, as an operator's act: it is closed again. Recorded in the audit log.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when nothing is known of it.
    pub fn release_breaker(&self, module: &ModuleName, hook: &str) -> Result<(), StoreError> {
        let (module, hook) = (module.clone(), hook.to_owned());
        let subject = format!("{module} {hook}");
        self.audited("breaker.release", &subject, serde_json::Value::Null, move |tx| {
            let gone =
                tx.conn.execute("DELETE FROM breaker WHERE module = ?1 AND hook = ?2", (module.as_str(), &hook))?;
            if gone == 0 { Err(StoreError::NotFound(format!("a breaker of {module} for {hook}"))) } else { Ok(()) }
        })
    }
}

impl Reader {
    /// All breakers whose state was ever set.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn breakers(&self) -> Result<Vec<BreakerRow>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare_cached("SELECT module, hook, body FROM breaker ORDER BY module, hook")?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let module: String = row.get(0)?;
            let unreadable = |why: String| StoreError::Unreadable { what: format!("breaker of {module}"), why };
            out.push(BreakerRow {
                hook: row.get(1)?,
                body: serde_json::from_str(&row.get::<_, String>(2)?).map_err(|e| unreadable(e.to_string()))?,
                module: ModuleName::new(&module).map_err(|e| unreadable(e.to_string()))?,
            });
        }
        Ok(out)
    }
}
