//! What a request is about: an entity type, an entity, an attribute.
//!
//! DP³'s first API names the entity and the attribute in the path, its second in the parameters `eid` and `attr`, since
//! an id may hold a slash. Handlers take one of these and serve both.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use tenter_model::schema::{AttributeSpec, EntitySpec};
use tenter_model::{EntityId, EntityRef, Schema};

use crate::app::App;

use super::error::{ApiError, Dp3Error};
use super::params::{Params, missing};

/// The entity type of a path.
pub(super) struct OfType(pub(super) EntitySpec);

/// The entity of a request.
pub(super) struct OfEntity(pub(super) EntityRef);

/// The entity and the attribute of a request.
pub(super) struct OfAttribute(pub(super) EntityRef, pub(super) AttributeSpec);

/// One of these, and the body. The body is read even when the rest is refused: a connection that is closed on unread data
/// is reset, and the sender would not see the answer.
pub(super) struct WithBody<T>(pub(super) T, pub(super) Bytes);

impl<T: FromRequestParts<App, Rejection = Dp3Error> + Send> FromRequest<App> for WithBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let target = T::from_request_parts(&mut parts, app).await;
        let body = Bytes::from_request(Request::from_parts(parts, body), app).await;
        let target = target.map_err(IntoResponse::into_response)?;
        Ok(Self(target, body.map_err(IntoResponse::into_response)?))
    }
}

impl FromRequestParts<App> for OfType {
    type Rejection = Dp3Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Dp3Error> {
        let names = Names::of(parts, app).await?;
        Ok(Self(names.spec(app.schema())?.clone()))
    }
}

impl FromRequestParts<App> for OfEntity {
    type Rejection = Dp3Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Dp3Error> {
        let names = Names::of(parts, app).await?;
        let spec = names.spec(app.schema())?;
        names.check(&[("eid", &names.eid)])?;
        Ok(Self(names.entity(spec)?))
    }
}

impl FromRequestParts<App> for OfAttribute {
    type Rejection = Dp3Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Dp3Error> {
        let names = Names::of(parts, app).await?;
        let spec = names.spec(app.schema())?;
        names.check(&[("eid", &names.eid), ("attr", &names.attr)])?;
        let entity = names.entity(spec)?;
        let attr = names.attr.as_ref().map_or("", |(_, attr)| attr.as_str());
        let place = names.attr.as_ref().map_or("query", |(place, _)| *place);
        Ok(Self(entity, attribute(spec, place, attr)?.clone()))
    }
}

/// What is specified of an entity type.
pub(super) fn entity_spec<'a>(schema: &'a Schema, etype: &str) -> Result<&'a EntitySpec, ApiError> {
    schema
        .entity(etype)
        .ok_or_else(|| ApiError::invalid("path", "etype", format!("Entity type '{etype}' doesn't exist")))
}

/// The attribute of that name, which stood at that place of the request.
pub(super) fn attribute<'a>(spec: &'a EntitySpec, place: &str, name: &str) -> Result<&'a AttributeSpec, ApiError> {
    spec.attribute(name).ok_or_else(|| ApiError::invalid(place, "attr", format!("Attribute '{name}' doesn't exist")))
}

/// The id of that text, which stood at that place of the request.
pub(super) fn entity_id(spec: &EntitySpec, place: &str, eid: &str) -> Result<EntityId, ApiError> {
    spec.id_type.parse(eid).map_err(|message| ApiError::invalid(place, "eid", message))
}

/// The entity that a path names.
pub(super) fn entity(schema: &Schema, etype: &str, eid: &str) -> Result<EntityRef, ApiError> {
    let spec = entity_spec(schema, etype)?;
    Ok(EntityRef { etype: spec.id.clone(), eid: entity_id(spec, "path", eid)? })
}

/// The texts, each with the place where it stood.
struct Names {
    etype: String,
    eid: Option<(&'static str, String)>,
    attr: Option<(&'static str, String)>,
}

impl Names {
    async fn of(parts: &mut Parts, app: &App) -> Result<Self, Dp3Error> {
        let path = RawPathParams::from_request_parts(parts, app).await;
        let path = path.map_err(|error| ApiError::invalid("path", "path", error.to_string()))?;
        let Ok(params) = Params::from_request_parts(parts, app).await;
        let text = |name: &str| path.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        let either = |name: &str| {
            let asked = || params.text(name).map(|value| ("query", value.to_owned()));
            text(name).map(|value| ("path", value)).or_else(asked)
        };
        Ok(Self { etype: text("etype").unwrap_or_default(), eid: either("eid"), attr: either("attr") })
    }

    fn spec<'a>(&self, schema: &'a Schema) -> Result<&'a EntitySpec, ApiError> {
        entity_spec(schema, &self.etype)
    }

    /// That these are there; the path has them always.
    fn check(&self, wanted: &[(&str, &Option<(&'static str, String)>)]) -> Result<(), ApiError> {
        let absent: Vec<_> =
            wanted.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| missing("query", name)).collect();
        if absent.is_empty() { Ok(()) } else { Err(ApiError::invalid_items(absent)) }
    }

    fn entity(&self, spec: &EntitySpec) -> Result<EntityRef, ApiError> {
        let (place, eid) = self.eid.as_ref().map_or(("query", ""), |(place, eid)| (*place, eid.as_str()));
        Ok(EntityRef { etype: spec.id.clone(), eid: entity_id(spec, place, eid)? })
    }
}
