//! Breakers outlive the process.

use tenter_model::breaker::Breaker;
use tenter_model::{HookKind, ModuleName};
use tenter_store::{BreakerRow, Store, StoreError};

use super::Breakers;

/// The breakers as they were, stored again whenever one changes its state.
pub(crate) fn stored(store: &Store) -> Result<Breakers, StoreError> {
    let mut known = Vec::new();
    for row in store.reader()?.breakers()? {
        match (row.hook.parse::<HookKind>(), serde_json::from_value::<Breaker>(row.body)) {
            (Ok(kind), Ok(breaker)) => known.push(((row.module, kind), breaker)),
            _ => {
                tracing::warn!(module = %row.module, hook = row.hook, "a stored breaker cannot be read and is ignored");
            }
        }
    }
    let store = store.clone();
    let save = move |module: &ModuleName, kind: HookKind, breaker: &Breaker| {
        let body = serde_json::to_value(breaker).unwrap_or_default();
        let row = BreakerRow { module: module.clone(), hook: kind.name().to_owned(), body };
        let told = |result: Result<(), StoreError>| {
            if let Err(error) = result {
                tracing::error!("the state of a breaker is not stored: {error}");
            }
        };
        store.put_breaker(row, Box::new(told));
    };
    Ok(Breakers::new(known, Box::new(save)))
}
