//! Subscriptions that the operator switched off, one by one.

use tenter_model::{ModuleName, SubscriptionId};

use crate::error::StoreError;
use crate::reader::Reader;
use crate::store::Store;

impl Store {
    /// Switches a subscription of an installed module on or off. Saying it twice does nothing; a switch outlives
    /// versions of the module and goes with the module.
    ///
    /// # Errors
    /// When there is no such module, or what the disk may say.
    pub fn switch_subscription(
        &self,
        module: &ModuleName,
        subscription: &SubscriptionId,
        on: bool,
    ) -> Result<(), StoreError> {
        let (module, subscription) = (module.clone(), subscription.clone());
        let subject = format!("{module} {subscription}");
        self.audited("subscription.switch", &subject, serde_json::json!({ "on": on }), move |tx| {
            let key = (module.as_str(), subscription.as_str());
            let sql = if on {
                "DELETE FROM subscription_off WHERE module = ?1 AND subscription = ?2"
            } else {
                "INSERT INTO subscription_off (module, subscription) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
            };
            tx.conn.execute(sql, key)?;
            Ok(())
        })
    }
}

impl Reader {
    /// All subscriptions that are switched off, with their modules.
    ///
    /// # Errors
    /// What the disk may say.
    pub fn switched_off(&self) -> Result<Vec<(ModuleName, SubscriptionId)>, StoreError> {
        let conn = self.connection();
        let mut statement = conn.prepare("SELECT module, subscription FROM subscription_off")?;
        let mut rows = statement.query([])?;
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            let (module, subscription): (String, String) = (row.get(0)?, row.get(1)?);
            let unreadable = |why: tenter_model::id::NameError| StoreError::Unreadable {
                what: format!("switch of {module}"),
                why: why.to_string(),
            };
            out.push((
                ModuleName::new(&module).map_err(unreadable)?,
                SubscriptionId::new(&subscription).map_err(unreadable)?,
            ));
        }
        Ok(out)
    }
}
