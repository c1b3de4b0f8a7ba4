//! Look-up tables: their rows, one of them, and people by their login.

use serde_json::{Value, json};
use tenter_model::case::{Body, LookUpKind, LookUpRow, Lookups as _};

use super::{Answer, Asking, Refusal, Success};

/// What everybody may know of a user.
const OF_USER: [&str; 4] = ["user_uuid", "user_name", "user_email", "user_active"];

/// All rows of a table.
pub(in crate::api) async fn list(kind: LookUpKind, asking: Asking) -> Answer {
    asking.look(move |world| Ok(Success::of(world.rows(kind).iter().map(LookUpRow::render).collect()))).await
}

/// One row.
pub(in crate::api) async fn show(kind: LookUpKind, asking: Asking) -> Answer {
    let id = asking.id("row_id")?;
    asking
        .look(move |world| {
            let row = world.row(kind, id).ok_or_else(|| Refusal::bad(kind.info().not_found))?;
            Ok(Success::of(row.render()))
        })
        .await
}

/// `GET /manage/users/lookup/login/{login}`
pub(in crate::api) async fn user_by_login(asking: Asking) -> Answer {
    let login = asking.text("login").to_owned();
    asking
        .look(move |world| {
            let row = world.row_by_name(LookUpKind::User, &login).ok_or_else(|| Refusal::bad("Invalid login"))?;
            Ok(Success::of(user(&row)))
        })
        .await
}

/// `GET /manage/users/lookup/id/{row_id}`
pub(in crate::api) async fn user_by_id(asking: Asking) -> Answer {
    let id = asking.id("row_id")?;
    asking
        .look(move |world| {
            let row = world.row(LookUpKind::User, id).ok_or_else(|| Refusal::bad("Invalid user ID"))?;
            Ok(Success::of(user(&row)))
        })
        .await
}

/// `GET /manage/users/restricted/list`: who works here, for those who may not administer them.
pub(in crate::api) async fn users(asking: Asking) -> Answer {
    asking.look(|world| Ok(Success::of(world.rows(LookUpKind::User).iter().map(user).collect()))).await
}

fn user(row: &LookUpRow) -> Value {
    let known = OF_USER.map(|column| (column.to_owned(), row.body.get(column).cloned().unwrap_or(Value::Null)));
    let mut out = Body::from_iter(known);
    out.insert("user_id".into(), json!(row.id));
    out.insert("user_login".into(), json!(row.name));
    Value::Object(out)
}
