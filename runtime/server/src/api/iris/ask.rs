//! A request of IRIS's API as handlers take it: who acts, in which case, on what, with which body.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use tenter_engine::case::{CaseContext, CaseError, Cases};
use tenter_model::case::seed::FIRST;
use tenter_model::case::{Body, CaseUser, FieldErrors, LookUpKind, LookUpRow, Lookups as _, Trigger};
use tenter_store::{AccessLevel, CaseActor, CaseWorld, Store, StoreError};

use crate::api::error::ApiError;
use crate::api::params::Params;
use crate::app::App;
use crate::auth::{Caller, Role};

use super::answer::Refusal;

/// A request without a look at its body.
pub(in crate::api) struct Asking {
    /// The server.
    pub(in crate::api) app: App,
    /// Who acts.
    pub(in crate::api) user: CaseUser,
    /// The case that is looked at: the one that the request names, or the first.
    pub(in crate::api) case_id: i64,
    /// The query.
    pub(in crate::api) params: Params,
    /// How the audit log names who sent it.
    actor: String,
    path: Vec<(String, String)>,
    names_a_case: bool,
}

/// A request with a body of JSON. Of one that has none it is empty.
pub(in crate::api) struct Ask {
    /// All but the body.
    pub(in crate::api) asking: Asking,
    /// The body, without the case's id.
    pub(in crate::api) body: Body,
}

impl std::ops::Deref for Ask {
    type Target = Asking;

    fn deref(&self) -> &Asking {
        &self.asking
    }
}

impl FromRequestParts<App> for Asking {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let caller = parts.extensions.get::<Caller>().cloned().unwrap_or_else(Caller::nobody);
        let path = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Refusal::nothing_here())?;
        let path = path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let Ok(params) = Params::from_request_parts(parts, app).await;
        // The official client puts a second question mark in front of it where the query has something else already.
        let named = params.text("cid").or_else(|| params.text("?cid"));
        let case_id = named.map(case_of_text).transpose()?;
        let actor = caller.actor();
        let user = user_of(app, caller).await?;
        let (names_a_case, case_id) = (case_id.is_some(), case_id.unwrap_or(FIRST));
        Ok(Self { app: app.clone(), user, case_id, params, actor, path, names_a_case })
    }
}

impl FromRequest<App> for Ask {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let asking = Asking::from_request_parts(&mut parts, app).await;
        // Read even when the rest is refused: a connection that is closed on unread data is reset.
        let bytes = Bytes::from_request(Request::from_parts(parts, body), app).await;
        let mut asking = asking.map_err(IntoResponse::into_response)?;
        let bytes = bytes.map_err(IntoResponse::into_response)?;
        let mut body = read(&bytes).map_err(IntoResponse::into_response)?;
        if !asking.names_a_case
            && let Some(named) = body.remove("cid").filter(|cid| !cid.is_null())
        {
            asking.case_id = case_of(&named).map_err(IntoResponse::into_response)?;
        }
        Ok(Self { asking, body })
    }
}

impl Asking {
    /// The number in the path under that name. A path with something else in its place does not exist.
    pub(in crate::api) fn id(&self, name: &str) -> Result<i64, Refusal> {
        self.text(name).parse().map_err(|_| Refusal::nothing_here())
    }

    /// The text in the path under that name.
    pub(in crate::api) fn text(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Reads what belongs to no case.
    pub(in crate::api) async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce(&CaseWorld<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (user, case) = (self.user.id, self.case_id);
        self.app.read(move |reader| reader.cases(Some(user), Some(case), read)).await?
    }

    /// Reads in the case that is looked at, if the user may see it.
    pub(in crate::api) async fn see<T: Send + 'static>(
        &self,
        read: impl FnOnce(&CaseWorld<'_>) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (user, case) = (self.user.id, self.case_id);
        self.look(move |world| {
            if world.level(user, case) < AccessLevel::Read {
                return Err(Refusal::denied(user, Some(case)));
            }
            read(world)
        })
        .await
    }

    /// Has the service of cases change something, as the user who acts.
    pub(in crate::api) async fn change<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Cases, CaseContext) -> Result<T, CaseError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.changing(act).await?.map_err(|error| Refusal::of(error, self.user.id))
    }

    /// The same for a deletion, which has words of its own for what is not there.
    pub(in crate::api) async fn remove<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Cases, CaseContext) -> Result<T, CaseError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.changing(act).await?.map_err(|error| Refusal::of_deletion(error, self.user.id))
    }

    /// Has the store write what is no object of a case, as the user who acts. What it cannot find is told in these words.
    pub(in crate::api) async fn keep<T: Send + 'static>(
        &self,
        missing: &str,
        act: impl FnOnce(&Store, CaseActor) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let by = self.context().by();
        match self.app.write(move |store, _| Ok::<_, StoreError>(act(store, by))).await? {
            Err(StoreError::NotFound(_)) => Err(Refusal::bad(missing)),
            other => other.map_err(Refusal::from),
        }
    }

    /// Whether the user may change the case that is looked at. What changes objects asks by itself; this is for handlers
    /// that look at the body first, and for what is no object.
    pub(in crate::api) async fn may_change(&self) -> Result<(), Refusal> {
        let (user_id, case_id) = (self.user.id, self.case_id);
        self.change(move |cases, _| cases.enter(user_id, case_id, AccessLevel::Full)).await
    }

    /// Who acts, as the service of cases and the store want to know it.
    pub(in crate::api) fn context(&self) -> CaseContext {
        CaseContext {
            user: self.user.clone(),
            actor: format!("{} as {}", self.actor, self.user.login),
            from_api: true,
            trigger: Trigger::Api,
            now: self.app.now(),
        }
    }

    async fn changing<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Cases, CaseContext) -> Result<T, CaseError> + Send + 'static,
    ) -> Result<Result<T, CaseError>, Refusal> {
        let context = self.context();
        Ok(self.app.on_cases(move |cases| act(cases, context)).await?)
    }
}

/// The body as a map.
fn read(bytes: &Bytes) -> Result<Body, Refusal> {
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Refusal::fields(&FieldErrors::one("_schema", "Invalid input type."))),
        Err(error) => Err(Refusal::bad(format!("Invalid data: the body is no JSON: {error}"))),
    }
}

fn case_of(value: &Value) -> Result<i64, Refusal> {
    match value {
        Value::String(text) => case_of_text(text),
        other => other.as_i64().ok_or_else(no_case_id),
    }
}

fn case_of_text(text: &str) -> Result<i64, Refusal> {
    text.trim().parse().map_err(|_| no_case_id())
}

fn no_case_id() -> Refusal {
    Refusal::bad("Invalid case ID: expected a number")
}

/// The user that a sender acts as.
async fn user_of(app: &App, caller: Caller) -> Result<CaseUser, Refusal> {
    let token = caller.token.map(|(digest, _)| digest);
    let row = app.read(move |reader| {
        reader.cases(None, None, |world| {
            let bound = token.and_then(|digest| world.user_of_token(&digest));
            let first = token.is_none() || caller.role == Some(Role::Operator);
            let id = bound.or(first.then_some(FIRST));
            id.map(|id| world.row(LookUpKind::User, id))
        })
    });
    let row = row.await.map_err(|error: ApiError| Refusal::from(error))?;
    let row = row.ok_or_else(|| {
        Refusal::forbidden(
            "this token stands for no user of cases; an operator makes one that does: tenter token create --user LOGIN",
        )
    })?;
    let row = row.ok_or_else(|| Refusal::nobody("the user that this token stood for is no more"))?;
    if row.body.get("user_active") == Some(&Value::Bool(false)) {
        return Err(Refusal::nobody(&format!("the user {} is not active", row.name)));
    }
    Ok(person(row))
}

fn person(row: LookUpRow) -> CaseUser {
    let name = row.text("user_name").to_owned();
    CaseUser { id: row.id, login: row.name, name }
}
