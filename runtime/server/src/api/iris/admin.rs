//! Administration of look-up tables: types of indicators and assets, classifications, customers and the like.
//!
//! All tables have one form, so that one set of handlers serves them; [`word`] has what differs.

use serde_json::{Value, json};
use tenter_model::case::moment::date;
use tenter_model::case::object::uuid;
use tenter_model::case::{Body, FieldErrors, LookUpKind, LookUpRow, Lookups as _};

use super::files::random;
use super::{Answer, Ask, Asking, Refusal, Success};

/// Adds a row.
pub(in crate::api) async fn add(kind: LookUpKind, ask: Ask) -> Answer {
    let name = name(kind, &ask.body)?.ok_or_else(|| required(kind))?;
    let mut columns = columns(kind, &ask.body);
    columns.extend(made(&ask, kind)?);
    let row = write(&ask, kind, None, name, columns).await?;
    Ok(Success::new(format!("{} added", word(kind)), row.render()))
}

/// Changes a row; what the request does not name stays.
pub(in crate::api) async fn update(kind: LookUpKind, ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    let before = row(&ask, kind, id).await?;
    let name = name(kind, &ask.body)?.unwrap_or(before.name);
    let mut body = before.body;
    body.extend(columns(kind, &ask.body));
    let row = write(&ask, kind, Some(id), name, body).await?;
    Ok(Success::new(format!("{} updated", word(kind)), row.render()))
}

/// Removes a row that nothing refers to.
pub(in crate::api) async fn delete(kind: LookUpKind, ask: Ask) -> Answer {
    let id = ask.id("row_id")?;
    ask.keep(kind.info().not_found, move |store, by| store.remove_look_up(kind, id, by)).await?;
    Ok(Success::done(format!("{} deleted", word(kind))))
}

/// The row of that number.
pub(super) async fn row(asking: &Asking, kind: LookUpKind, id: i64) -> Result<LookUpRow, Refusal> {
    asking.look(move |world| world.row(kind, id).ok_or_else(|| Refusal::bad(kind.info().not_found))).await
}

/// Writes a row, unless another one has its name.
pub(super) async fn write(
    asking: &Asking,
    kind: LookUpKind,
    id: Option<i64>,
    name: String,
    body: Body,
) -> Result<LookUpRow, Refusal> {
    let wanted = name.clone();
    let other = asking.look(move |world| Ok(world.row_by_name(kind, &wanted))).await?;
    if other.is_some_and(|other| Some(other.id) != id) {
        let taken = if kind == LookUpKind::Customer { "Customer" } else { &format!("{} name", word(kind)) };
        return Err(Refusal::fields(&FieldErrors::one(kind.info().label, format!("{taken} already exists"))));
    }
    asking.keep(kind.info().not_found, move |store, by| store.put_look_up(kind, id, &name, body, by)).await
}

/// What the server gives a new row, in those of these columns that its table has.
pub(super) fn made(asking: &Asking, kind: LookUpKind) -> Result<Body, Refusal> {
    let (uuid, today) = (json!(uuid(random()?)), json!(date(asking.app.now())));
    let all =
        [("customer_uuid", uuid.clone()), ("user_uuid", uuid.clone()), ("group_uuid", uuid), ("creation_date", today)];
    let has = |(column, _): &(&str, Value)| kind.info().columns.contains(column);
    Ok(all.into_iter().filter(has).map(|(column, value)| (column.to_owned(), value)).collect())
}

/// The name that a request gives a row.
pub(super) fn name(kind: LookUpKind, body: &Body) -> Result<Option<String>, Refusal> {
    match body.get(kind.info().label) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.trim().to_owned())),
        Some(_) => Err(Refusal::fields(&FieldErrors::one(kind.info().label, "Not a valid string."))),
    }
}

pub(super) fn required(kind: LookUpKind) -> Refusal {
    Refusal::fields(&FieldErrors::one(kind.info().label, "Missing data for required field."))
}

/// What a request says of columns that people give.
fn columns(kind: LookUpKind, body: &Body) -> Body {
    let given = |column: &&&str| !matches!(**column, "customer_uuid" | "creation_date");
    let columns = kind.info().columns.iter().filter(given);
    columns.filter_map(|column| Some(((*column).to_owned(), body.get(*column)?.clone()))).collect()
}

fn word(kind: LookUpKind) -> &'static str {
    match kind {
        LookUpKind::IocType => "IOC type",
        LookUpKind::AssetType => "Asset type",
        LookUpKind::Classification => "Case classification",
        LookUpKind::Customer => "Customer",
        LookUpKind::EvidenceType => "Evidence type",
        LookUpKind::CaseState => "Case state",
        LookUpKind::User => "User",
        LookUpKind::Group => "Group",
        _ => "Row",
    }
}
