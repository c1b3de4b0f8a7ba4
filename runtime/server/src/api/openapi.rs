//! The OpenAPI 3.1 document, made of the table of routes.
//!
//! What follows from a row is not said in it: parameters of the path, the token and role it needs, and the refusals that
//! each route of its sort may answer. `docs/openapi.json` is a copy of the document, held by a test, so that a change of
//! the interface shows as a change of that file.

mod fields;

use std::sync::OnceLock;

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::auth::Role;

use super::operation::{Content, Operation, Param, ParamForm};
use super::routes::{Route, table};
use super::shape::Shape;

/// Shapes of bodies and answers by name, as JSON Schemas.
const SCHEMAS: &str = include_str!("openapi/schemas.json");

/// The document as text; made once.
pub(super) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| format!("{:#}\n", document()))
}

/// The document.
pub(super) fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for row in table() {
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        path[row.method.as_str().to_lowercase()] = operation(&row);
    }
    // A test reads the file as well, so that this default never serves.
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tenter",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "DP³'s and IRIS's HTTP APIs at their own paths, and Tenter's under /api/v1",
            "description": "DP³'s paths answer with a slash at the end as well. On a loopback address what belongs to the roles up to analyst needs no token.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "./"}],
        "tags": [
            {"name": "server", "description": "Health, metrics, and this document"},
            {"name": "dp3", "description": "DP³'s API"},
            {"name": "dp3 v2", "description": "DP³'s API with the id of the entity in the query, so that it may hold a slash"},
            {"name": "tenter", "description": "Tenter's API"},
            {"name": "iris", "description": "IRIS's API for cases; clients decide by the member `status` of each answer"},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "tenter_…, made by `tenter token create`"}},
        },
    })
}

fn operation(row: &Route) -> Value {
    let words = &row.operation;
    let mut parameters: Vec<Value> = path_parameters(row.path).map(path_parameter).collect();
    parameters.extend(words.params.iter().map(query_parameter));
    if row.path == "/datapoints" {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            "description": "the same key by the same sender is the same request",
        }));
    }
    let (security, description) = match row.needs {
        None => (json!([]), String::new()),
        Some(area) => {
            let token = json!({"token": []});
            let security = if area.role() <= Role::Analyst { json!([token, {}]) } else { json!([token]) };
            (security, format!("Role {}, scope `{}`.", area.role(), area.name()))
        }
    };
    let mut out = Map::new();
    let mut say = |key: &str, value: Value| out.insert(key.to_owned(), value);
    say("operationId", operation_id(&row.method, row.path).into());
    say("tags", json!([tag(row.path)]));
    say("summary", words.summary.into());
    say("parameters", parameters.into());
    say("responses", answers(row));
    say("security", security);
    if !description.is_empty() {
        say("description", description.into());
    }
    if let Some(body) = words.body {
        say("requestBody", json!({"required": !matches!(body, Content::MaybeJson(_)), "content": content(body)}));
    }
    Value::Object(out)
}

/// Whose API a path is of.
fn tag(path: &str) -> &'static str {
    if Shape::of(path) == Shape::Iris {
        "iris"
    } else if path.starts_with("/api/") {
        "tenter"
    } else if path.starts_with("/v2/") {
        "dp3 v2"
    } else if ["/livez", "/readyz", "/metrics", "/docs", "/openapi.json"].iter().any(|p| path.starts_with(p)) {
        "server"
    } else {
        "dp3"
    }
}

fn operation_id(method: &Method, path: &str) -> String {
    let words = path.split(['/', '{', '}', '.', '-', '_']).filter(|word| !word.is_empty());
    let id = words.fold(method.as_str().to_lowercase(), |id, word| format!("{id}_{word}"));
    // The same words, but the value of one is in the path.
    if path.contains("/_/") { format!("{id}_values") } else { id }
}

fn path_parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_parameter(name: &str) -> Value {
    let about = match name {
        "etype" => "entity type",
        "eid" => "id of the entity",
        "attr" => "name of the attribute",
        "action" => "name of the action",
        "name" | "module" => "name of the module",
        "secret" => "name of the secret",
        "subscription" => "id of the subscription",
        "seq" => "number of the dead letter",
        "id" => "id of the call",
        "digest" => "the first digits of the token's digest",
        "object_id" => "id of the object",
        "row_id" => "id of the row",
        "comment_id" => "id of the remark",
        "node_id" => "id of the file or folder",
        "template_id" => "id of the template",
        "parameter" => "MODULE##PARAMETER in base64",
        "object" => "kind of object",
        "count" => "how many at most",
        "task_id" => "id of the job",
        "login" => "login of the user",
        _ => "",
    };
    let schema = match name {
        "action" => {
            json!({"type": "string", "enum": ["make_snapshots", "refresh_on_entity_creation", "refresh_module_config"]})
        }
        "seq" | "object_id" | "row_id" | "comment_id" | "node_id" | "template_id" | "count" => {
            json!({"type": "integer", "minimum": 0})
        }
        _ => json!({"type": "string"}),
    };
    json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema})
}

fn query_parameter(param: &Param) -> Value {
    let schema = match param.form {
        ParamForm::Text => json!({"type": "string"}),
        ParamForm::Texts => json!({"type": "array", "items": {"type": "string"}}),
        ParamForm::Number(default) => json!({"type": "integer", "minimum": 0, "default": default}),
        ParamForm::Position => json!({"type": "integer", "minimum": 0}),
        ParamForm::Time => json!({"type": "string", "format": "date-time"}),
        ParamForm::Json => json!({"type": "string", "contentMediaType": "application/json"}),
        ParamForm::Flag => json!({"type": "boolean", "default": false}),
        ParamForm::Word(words) => json!({"type": "string", "enum": words, "default": words.first()}),
    };
    json!({"name": param.name, "in": "query", "required": param.must, "description": param.about, "schema": schema})
}

fn content(content: Content) -> Value {
    match content {
        Content::Json(name) | Content::MaybeJson(name) => json!({"application/json": {"schema": reference(name)}}),
        Content::Media(media) => json!({media: {}}),
        Content::Fields(kind, is_new) => json!({"application/json": {"schema": fields::schema(kind, is_new)}}),
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Every status that the route answers, with what is in it.
fn answers(row: &Route) -> Value {
    let mut out = Map::new();
    out.insert("200".into(), json!({"description": "done", "content": content(row.operation.answer)}));
    for (status, when) in statuses(row) {
        let is_good = status < 400;
        let body = if is_good {
            content(row.operation.answer)
        } else {
            let (media, name) = match row.shape() {
                Shape::Ours => ("application/problem+json", "Problem"),
                Shape::Dp3 => ("application/json", "Refusal"),
                Shape::Iris => ("application/json", "IrisRefusal"),
            };
            json!({media: {"schema": reference(name)}})
        };
        let (status, when) = (status.to_string(), Value::from(when));
        match out.get_mut(&status) {
            Some(there) => there["description"] = when,
            None => {
                out.insert(status, json!({"description": when, "content": body}));
            }
        }
    }
    Value::Object(out)
}

/// What a route answers beside 200: what its sort may, then what its row says.
pub(super) fn statuses(row: &Route) -> Vec<(u16, &'static str)> {
    let Operation { body, params, more, .. } = &row.operation;
    let named = path_parameters(row.path).next().is_some();
    let changes = row.method != Method::GET;
    let takes = named || body.is_some() || !params.is_empty();
    let iris = row.shape() == Shape::Iris;
    let sorts: [(bool, u16, &str); 12] = [
        (row.needs.is_some(), 401, "the token is not known, has expired, or is needed and lacks"),
        (true, 403, "role or scopes do not allow it, or a page of another site asks"),
        (row.shape() != Shape::Dp3 && named, 404, "there is no such thing"),
        (body.is_some(), 413, "the body is too large"),
        (body.is_some(), 415, "the body is in a form that is not read"),
        (true, 421, "the server listens on loopback and was asked by another name"),
        (takes && !iris, 422, "the input is wrong; the answer says where"),
        (changes, 429, "the queues are at their high mark; send it again after Retry-After"),
        (row.needs.is_some(), 500, "a fault of the server, whose log has the cause"),
        (true, 503, "the store cannot serve at present; send it again after Retry-After"),
        (body.is_some() && !iris, 400, "the body cannot be read"),
        (iris, 400, "it cannot be done so, or there is no such object; message and data say why"),
    ];
    let follow = sorts.iter().filter(|(applies, ..)| *applies).map(|(_, status, when)| (*status, *when));
    follow.chain(more.iter().copied()).collect()
}
