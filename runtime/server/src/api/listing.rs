//! Queries over a whole type: current snapshots with filters, their number, distinct values, the log of datapoints.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tenter_model::Schema;
use tenter_model::datatype::{DataType, ElementType, Primitive};
use tenter_model::filter::{Filter, FilterErrors, Sort};
use tenter_model::schema::{AttributeKind, AttributeSpec, EntitySpec};
use tenter_store::{RawFilter, RawOrder};

use crate::app::App;
use crate::query::{Query, QueryError, distinct as count_distinct};

use super::entities::as_json;
use super::error::{ApiError, Dp3Error};
use super::params::Params;
use super::target::{OfType, attribute, entity_id};

/// Rows of a page unless the request says otherwise.
const PAGE: u32 = 20;

/// `GET /entity/{etype}/get`: latest snapshots that match, page by page.
pub(super) async fn get(
    State(app): State<App>,
    OfType(spec): OfType,
    mut params: Params,
) -> Result<Response, Dp3Error> {
    let (skip, limit) = (params.number("skip", 0), params.limit(PAGE));
    let query = query(app.schema(), &spec, &mut params, (skip, limit))?;
    let schema = app.schema().clone();
    let (answer, time) = app
        .query(move |reader, budget| {
            let (mut answer, mut time) = (budget.answer(Some("data")), None);
            reader.picture(&query.etype, |picture| {
                query.list(&schema, picture, budget, &mut |s| {
                    let mut json = schema.snapshot_json(&s.view, s.time, s.partial);
                    if let Some(document) = json.as_object_mut() {
                        document.remove("_time_created");
                    }
                    time = Some(s.time);
                    answer.push(&json)
                })
            })?;
            Ok((answer, time))
        })
        .await?;
    let count = answer.count();
    let time = time.map_or(Value::Null, |time| time.to_string().into());
    Ok(as_json(answer.finish(&[("count", count.into()), ("time_created", time)])))
}

/// `GET /entity/{etype}`: the listing of older DP³, which a part of its clients still asks for; `eid_filter` is a full-text
/// filter on the id.
pub(super) async fn get_by_id(state: State<App>, etype: OfType, mut params: Params) -> Result<Response, Dp3Error> {
    if let Some(part) = params.text("eid_filter") {
        let filter = json!({"eid": part}).to_string();
        params.set("fulltext_filters", filter);
    }
    get(state, etype, params).await
}

/// `GET /entity/{etype}/count`: how many latest snapshots match.
pub(super) async fn count(
    State(app): State<App>,
    OfType(spec): OfType,
    mut params: Params,
) -> Result<Json<Value>, Dp3Error> {
    let query = query(app.schema(), &spec, &mut params, (0, None))?;
    let schema = app.schema().clone();
    let total = app
        .query(move |reader, budget| reader.picture(&query.etype, |picture| query.count(&schema, picture, budget)))
        .await?;
    Ok(Json(json!({"total_count": total})))
}

/// `GET /entity/{etype}/_/distinct/{attr}`: how often each value of an attribute occurs in the latest snapshots.
pub(super) async fn distinct(
    State(app): State<App>,
    OfType(spec): OfType,
    Path((_, attr)): Path<(String, String)>,
) -> Result<Json<Value>, Dp3Error> {
    let of = attribute(&spec, "path", &attr)?;
    if let Some(why) = why_not_distinct(of) {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "not-countable", why).into());
    }
    let schema = app.schema().clone();
    let etype = spec.id.clone();
    let counts = app
        .query(move |reader, budget| {
            reader.picture(&etype, |picture| count_distinct(&schema, &etype, &attr, picture, budget))
        })
        .await?;
    Ok(Json(json!(counts)))
}

/// `GET /entity/{etype}/raw/get`: the log of datapoints, newest first; of an attribute with a history the latest first.
pub(super) async fn raw(
    State(app): State<App>,
    OfType(spec): OfType,
    mut params: Params,
) -> Result<Response, Dp3Error> {
    let (skip, limit) = (params.number("skip", 0), params.limit(PAGE));
    params.check()?;
    let eid = params.text("eid").map(|text| entity_id(&spec, "query", text)).transpose()?;
    let attr = params.text("attr").map(|name| attribute(&spec, "query", name)).transpose()?;
    let order = match attr.map(|attr| &attr.kind) {
        None | Some(AttributeKind::Plain { .. }) => RawOrder::NewestFirst,
        Some(AttributeKind::Observations { .. } | AttributeKind::Timeseries { .. }) => RawOrder::LatestFirst,
    };
    let filter = RawFilter {
        etype: Some(spec.id.clone()),
        eid,
        attr: attr.map(|attr| attr.id.clone()),
        src: params.text("src").map(str::to_owned),
        skip,
        limit: limit.unwrap_or(u32::MAX),
    };
    let schema = app.schema().clone();
    let answer = app
        .query(move |reader, budget| {
            let mut answer = budget.answer(Some("data"));
            let mut step = |kept| budget.time().and_then(|()| budget.kept(kept));
            reader.each_raw(&filter, order, &mut step, &mut |stored| -> Result<(), QueryError> {
                budget.row()?;
                answer.push(&schema.datapoint_json(&stored.entity, &stored.point.datapoint))
            })?;
            Ok(answer)
        })
        .await?;
    let count = answer.count();
    Ok(as_json(answer.finish(&[("count", count.into())])))
}

/// What the parameters ask for; errors of all of them together.
fn query(
    schema: &Schema,
    spec: &EntitySpec,
    params: &mut Params,
    (skip, limit): (u32, Option<u32>),
) -> Result<Query, ApiError> {
    let (fulltext, generic) = (params.json("fulltext_filters"), params.json("generic_filter"));
    params.check()?;
    let etype = spec.id.as_str();
    let sort = Sort::parse(&params.all("sort"), schema, etype).map_err(|errors| {
        let item = |e: &tenter_model::filter::FilterError| {
            json!({"loc": ["query", "sort"], "msg": e.message, "type": "value_error"})
        };
        ApiError::invalid_items(errors.0.iter().map(item).collect())
    })?;
    let filter = Filter::combined(fulltext.as_ref(), generic.as_ref(), schema, etype)
        .map_err(|errors: FilterErrors| ApiError::new(StatusCode::BAD_REQUEST, "bad-query", errors.to_string()))?;
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    Ok(Query { etype: spec.id.clone(), filter, sort, skip: size(skip), limit: limit.map(size) })
}

/// Why values of an attribute cannot be counted.
fn why_not_distinct(spec: &AttributeSpec) -> Option<String> {
    let id = &spec.id;
    match spec.kind.data_type() {
        None => Some(format!("'{id}' is a timeseries; values of plain attributes and observations are counted")),
        Some(of @ (DataType::Dict(_) | DataType::Primitive(Primitive::Json))) => {
            Some(format!("values of '{id}' are of type {of}, which cannot be counted"))
        }
        Some(DataType::Array(of) | DataType::Set(of)) if *of == ElementType::Primitive(Primitive::Json) => {
            Some(format!("values of '{id}' are lists of JSON, which cannot be counted"))
        }
        Some(_) => None,
    }
}
