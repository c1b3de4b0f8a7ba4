//! Users: their groups and customers, and the tokens that stand for them.

use serde_json::json;
use tenter_model::case::{LookUpKind, Lookups, Relation};

use super::world::one;
use super::{CaseActor, CaseWorld, log, lookups, rows};
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// Replaces the groups of a user, or the customers that a user works for.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a user, a group or a customer that does not exist, [`StoreError::Invalid`] for
    /// another relation.
    pub fn set_memberships(
        &self,
        relation: Relation,
        user_id: i64,
        ids: Vec<i64>,
        by: CaseActor,
    ) -> Result<(), StoreError> {
        self.call(move |tx| {
            if !matches!(relation, Relation::UserGroup | Relation::UserCustomer) {
                return Err(StoreError::Invalid(format!("{} is no membership", relation.name())));
            }
            must_exist(tx.conn, user_id)?;
            let wrong = CaseWorld::answer(tx.conn, None, None, |world| {
                ids.iter().copied().find(|id| !world.linkable(relation, None, *id))
            })?;
            if let Some(id) = wrong {
                return Err(StoreError::NotFound(format!("{} {id}", relation.name())));
            }
            rows::relink(tx, relation, user_id, &ids)?;
            log::audit(tx, &by, "user.membership", &format!("user {user_id}"), &json!({relation.name(): ids}))
        })
    }

    /// Lets a token stand for a user from now on. The token's own rights are kept elsewhere.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a user that does not exist.
    pub fn bind_token(&self, digest: [u8; 32], user_id: i64, by: CaseActor) -> Result<(), StoreError> {
        self.call(move |tx| {
            must_exist(tx.conn, user_id)?;
            tx.conn.execute(
                "INSERT OR REPLACE INTO case_token (digest, user_id) VALUES (?1, ?2)",
                (&digest[..], user_id),
            )?;
            let token: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
            log::audit(tx, &by, "user.token", &format!("user {user_id}"), &json!({"token": token}))
        })
    }
}

fn must_exist(conn: &rusqlite::Connection, user_id: i64) -> Result<(), StoreError> {
    let found = lookups::find(conn, LookUpKind::User, user_id)?;
    found.map(drop).ok_or_else(|| StoreError::NotFound(format!("user {user_id}")))
}

impl CaseWorld<'_> {
    /// The user that a token stands for, who may be gone; no other user will have the id.
    #[must_use]
    pub fn user_of_token(&self, digest: &[u8; 32]) -> Option<i64> {
        self.ask(one(self.conn, "SELECT user_id FROM case_token WHERE digest = ?1", [&digest[..]]))
    }

    /// The users that are members of a group.
    #[must_use]
    pub fn members(&self, group_id: i64) -> Vec<i64> {
        self.ask(rows::ends(self.conn, Relation::UserGroup, group_id, false))
    }
}
