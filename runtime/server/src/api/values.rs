//! One attribute of an entity: what it is, what it was, and setting it.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use tenter_model::TaskBody;
use tenter_model::schema::AttributeKind;

use crate::app::App;

use super::datapoints::admit;
use super::error::{ApiError, Dp3Error};
use super::params::Params;
use super::peer::Peer;
use super::target::{OfAttribute, WithBody};

/// `GET /entity/{etype}/{eid}/get/{attr}`: current value and history of one attribute. Current is what the record holds
/// of a plain attribute, and what the latest snapshot holds of all else.
pub(super) async fn get(
    State(app): State<App>,
    OfAttribute(entity, spec): OfAttribute,
    mut params: Params,
) -> Result<Json<Value>, Dp3Error> {
    let range = params.dates_until(app.now());
    params.check()?;
    let from_snapshot = match &spec.kind {
        AttributeKind::Plain { mirror_of, .. } => mirror_of.is_some(),
        AttributeKind::Observations { .. } => true,
        AttributeKind::Timeseries { .. } => false,
    };
    let wanted = entity.clone();
    let (record, snapshot) = app
        .read(move |reader| {
            let snapshot = if from_snapshot { reader.snapshot(&wanted)? } else { None };
            Ok((reader.record(&wanted)?, snapshot))
        })
        .await?;
    let schema = app.schema();
    let current = snapshot.and_then(|s| match schema.snapshot_json(&s.view, s.time, s.partial) {
        Value::Object(mut document) => document.remove(spec.id.as_str()),
        _ => None,
    });
    let json = schema.attribute_history_json(&entity, spec.id.as_str(), record.as_ref(), current, range);
    Ok(Json(json.unwrap_or(Value::Null)))
}

/// `POST /entity/{etype}/{eid}/set/{attr}`: makes a datapoint of now, from the address that asks.
pub(super) async fn set(
    State(app): State<App>,
    Peer(ip): Peer,
    WithBody(OfAttribute(entity, spec), body): WithBody<OfAttribute>,
) -> Result<Json<Value>, Dp3Error> {
    let src = format!("{ip} via API");
    let datapoint = app.schema().accept_set(&entity, spec.id.as_str(), &body, app.now(), src);
    let datapoint = datapoint.map_err(|errors| ApiError::invalid_body(&errors))?;
    admit(&app, vec![TaskBody { datapoints: vec![datapoint], ..TaskBody::new(entity) }]).await?;
    Ok(Json(json!({"detail": "OK"})))
}
