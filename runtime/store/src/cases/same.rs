//! What is the same thing: an indicator of a value and type is one in all, an asset of a name and type one in a case.

use serde_json::Value;
use tenter_model::case::{Body, FieldErrors, ObjectKind};

use crate::error::StoreError;

/// The key under which a second object of the kind is refused, if the kind has one.
pub(super) fn key(kind: ObjectKind, body: &Body) -> Option<String> {
    let number = |name: &str| body.get(name).and_then(Value::as_i64);
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    match kind {
        ObjectKind::Asset => Some(format!("{}:{}", number("asset_type_id")?, text("asset_name")?.to_lowercase())),
        ObjectKind::Ioc => Some(format!("{}:{}", number("ioc_type_id")?, text("ioc_value")?)),
        _ => None,
    }
}

/// What is said then.
pub(super) fn refusal(kind: ObjectKind) -> StoreError {
    StoreError::Fields(match kind {
        ObjectKind::Ioc => FieldErrors::one("ioc_value", "IOC with same value and type already exists"),
        _ => FieldErrors::one("asset_name", "Asset name already exists in this case"),
    })
}
