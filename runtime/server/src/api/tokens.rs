//! Tokens: made, listed and revoked by operators.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use tenter_model::case::{LookUpKind, Lookups as _};
use tenter_model::{Timestamp, duration};
use tenter_store::{CaseWorld, TokenRow};

use crate::app::App;
use crate::auth::{self, Caller, Role, Scopes, TokenError};

use super::error::ApiError;

#[derive(Deserialize)]
pub(super) struct NewToken {
    #[serde(default)]
    role: Option<String>,
    /// What it is restricted to, within its role.
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    label: String,
    /// How long it holds, such as `90d`.
    #[serde(default)]
    expires: Option<String>,
    /// The login of the user of case management that it stands for.
    #[serde(default)]
    user: Option<String>,
}

/// `POST /api/v1/tokens`: the one time that the token's text is shown.
pub(super) async fn create(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(wish): Json<NewToken>,
) -> Result<Json<Value>, ApiError> {
    let wrong = |name: &'static str| move |message: String| ApiError::invalid("body", name, message);
    let role = wish.role.as_deref().map(str::parse::<Role>).transpose().map_err(wrong("role"))?;
    let scopes = Scopes::parse(wish.scopes.iter().map(String::as_str)).map_err(wrong("scopes"))?;
    let role = auth::role_for(role, &scopes).map_err(wrong("role"))?;
    if !caller.scopes.cover(&scopes) {
        let own = &caller.scopes;
        let detail = format!("a token with the scopes {own} cannot make one that may do more; give it some of these");
        return Err(ApiError::new(StatusCode::FORBIDDEN, "out-of-scope", detail));
    }
    let user = match &wish.user {
        Some(login) => Some(user_for(&app, &caller, login).await?),
        None => None,
    };
    let now = app.now();
    let expires = wish.expires.as_deref().map(|text| ends(text, now)).transpose().map_err(wrong("expires"))?;
    let label = wish.label.clone();
    let texts = scopes.texts();
    let token = app
        .write(move |_, tokens| {
            let actor = caller.actor();
            let token = tokens.create(&actor, role, &scopes, &label, expires, now)?;
            match user {
                Some(user) => tokens.bind(&actor, &token, user, now).map(|()| token),
                None => Ok(token),
            }
        })
        .await?;
    let digest = auth::short(&auth::digest(&token));
    let expires = expires.map(|t| t.to_string());
    Ok(Json(json!({
        "token": token, "digest": digest, "role": role.name(), "scopes": texts, "label": wish.label, "expires": expires,
        "user": wish.user,
    })))
}

/// `GET /api/v1/tokens`: without their texts.
pub(super) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let now = app.now();
    let (rows, users) = app
        .read(|reader| {
            let rows = reader.tokens()?;
            let login = |world: &CaseWorld<'_>, row: &TokenRow| {
                world.row(LookUpKind::User, world.user_of_token(&row.digest)?).map(|user| user.name)
            };
            let users =
                reader.cases(None, None, |world| rows.iter().map(|row| login(world, row)).collect::<Vec<_>>())?;
            Ok((rows, users))
        })
        .await?;
    let tokens: Vec<Value> = rows
        .iter()
        .zip(users)
        .map(|(row, user)| {
            json!({
                "digest": auth::short(&row.digest), "role": row.role, "scopes": row.scopes, "label": row.label,
                "created": row.created.to_string(), "expires": row.expires.map(|t| t.to_string()),
                "expired": row.expires.is_some_and(|t| t <= now),
                "last_used": row.last_used.map(|t| t.to_string()), "user": user,
            })
        })
        .collect();
    Ok(Json(json!({"tokens": tokens})))
}

/// `DELETE /api/v1/tokens/{digest}`: the token whose digest begins so is refused from now on.
pub(super) async fn revoke(
    State(app): State<App>,
    Path(digits): Path<String>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    let now = app.now();
    let digest = app.write(move |_, tokens| tokens.revoke(&caller.actor(), &digits, now)).await?;
    Ok(Json(json!({"revoked": digest})))
}

/// The id of the user of that login, for whom the caller may make a token.
async fn user_for(app: &App, caller: &Caller, login: &str) -> Result<i64, ApiError> {
    let (wanted, own) = (login.to_owned(), caller.token.as_ref().map(|(digest, _)| *digest));
    let found = app.read(move |reader| {
        reader.cases(None, None, |world| {
            let own = own.and_then(|digest| world.user_of_token(&digest));
            world.row_by_name(LookUpKind::User, &wanted).map(|user| (user.id, own))
        })
    });
    let Some((user, own)) = found.await? else {
        let message =
            format!("no user has the login {login:?}; GET /manage/users/restricted/list names those there are");
        return Err(ApiError::invalid("body", "user", message));
    };
    if !caller.scopes.is_all() && own != Some(user) {
        let detail = "a token with scopes makes tokens for the user that it stands for alone; others may see what that \
                      one may not";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "out-of-scope", detail));
    }
    Ok(user)
}

/// When a token that is made now ends.
///
/// # Errors
/// When the text is no duration or not one that lies ahead.
pub(crate) fn ends(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let micros = duration::parse(text)?;
    if micros <= 0 {
        return Err(format!("{text:?} has passed already: expected a duration such as \"90d\""));
    }
    Ok(now.saturating_add(micros))
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unknown(_) => Self::not_found(error.to_string()),
            TokenError::Unclear(message) => Self::invalid("path", "digest", message),
            TokenError::Last => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            TokenError::Randomness(_) => Self::internal(error),
            TokenError::Store(error) => error.into(),
        }
    }
}
