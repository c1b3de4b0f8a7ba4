//! Forms: fields of text and perhaps a file, as clients of IRIS send them.
//!
//! A file can be larger than what is held in memory, so that one for the datastore goes to the store while it comes in.
//! Clients that have no file to send do not send a form of several parts but one in a line, or JSON; these are read too.

use axum::Form as Line;
use axum::RequestExt as _;
use axum::extract::Request;
use axum::extract::multipart::{Field, Multipart};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tenter_model::limits::{FILE_PIECE_BYTES, MAX_TEMPLATE_BYTES};
use tenter_store::FileUpload;

use crate::app::App;

use super::answer::Refusal;

/// Bytes of a field of text.
const MAX_FIELD: usize = 256 << 10;
/// Fields of a form.
const MAX_FIELDS: usize = 64;

/// What becomes of a file that comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It goes to the store as it comes in.
    InStore,
    /// It is small and is wanted here.
    InMemory,
}

/// A form that was read.
#[derive(Default)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
    /// The name of the file, if one was sent.
    pub(super) file_name: Option<String>,
    /// What [`Keep::InStore`] keeps.
    pub(super) upload: Option<FileUpload>,
    /// What [`Keep::InMemory`] keeps.
    pub(super) bytes: Vec<u8>,
}

impl Form {
    /// Reads a request.
    pub(super) async fn read(app: &App, request: Request, keep: Keep) -> Result<Self, Response> {
        let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let several_parts = media.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
        let json = media.contains("json");
        if several_parts {
            let parts = request.extract::<Multipart, _>().await.map_err(|error| refused(error.body_text()))?;
            return Self::of_parts(app, parts, keep).await;
        }
        if json {
            let body =
                request.extract::<axum::body::Bytes, _>().await.map_err(axum::response::IntoResponse::into_response)?;
            let fields = serde_json::from_slice(&body).unwrap_or(Value::Null);
            let fields = fields.as_object().into_iter().flatten();
            return Ok(Self {
                fields: fields.map(|(name, value)| (name.clone(), text(value))).collect(),
                ..Self::default()
            });
        }
        let line = request.extract::<Line<Vec<(String, String)>>, _>().await;
        let Line(fields) = line.map_err(|error| refused(error.body_text()))?;
        Ok(Self { fields, ..Self::default() })
    }

    async fn of_parts(app: &App, mut parts: Multipart, keep: Keep) -> Result<Self, Response> {
        let mut form = Self::default();
        loop {
            let field = parts.next_field().await.map_err(|error| refused(error.body_text()))?;
            let Some(mut field) = field else { return Ok(form) };
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                Some(file_name) if form.file_name.is_none() => {
                    form.file_name = Some(file_name);
                    match keep {
                        Keep::InStore => form.upload = Some(stored(app, &mut field).await?),
                        Keep::InMemory => form.bytes = bounded(&mut field, MAX_TEMPLATE_BYTES + 1).await?,
                    }
                }
                Some(_) => return Err(refused("a form has one file at most")),
                None if form.fields.len() >= MAX_FIELDS => return Err(refused("the form has too many fields")),
                None => {
                    let bytes = bounded(&mut field, MAX_FIELD).await?;
                    form.fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
                }
            }
        }
    }

    /// A field; of one that is given several times the last counts.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A field that is a yes or a no; absent is a no.
    pub(super) fn is(&self, name: &str) -> bool {
        let value = self.text(name).unwrap_or_default().trim().to_ascii_lowercase();
        matches!(value.as_str(), "y" | "yes" | "true" | "1" | "on")
    }
}

/// Throws the body of a request away that is refused: a connection that is closed on unread data is reset, and the
/// sender would not see why.
pub(super) async fn drain(request: Request) {
    let mut body = std::pin::pin!(request.with_limited_body().into_body());
    let next = |cx: &mut std::task::Context<'_>| http_body::Body::poll_frame(body.as_mut(), cx);
    let mut next = next;
    while let Some(Ok(_)) = std::future::poll_fn(&mut next).await {}
}

/// A file that goes to the store piece by piece.
async fn stored(app: &App, field: &mut Field<'_>) -> Result<FileUpload, Response> {
    let fail = |error: crate::api::ApiError| Refusal::from(error).into_response();
    let mut upload = app.write(|store, _| store.begin_upload()).await.map_err(fail)?;
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        let chunk = field.chunk().await.map_err(|error| refused(error.body_text()))?;
        let ended = chunk.is_none();
        buffer.extend_from_slice(&chunk.unwrap_or_default());
        if ended || buffer.len() >= FILE_PIECE_BYTES {
            let bytes = std::mem::take(&mut buffer);
            let written = app.write(move |_, _| upload.write(&bytes).map(|()| upload)).await;
            upload = written.map_err(fail)?;
        }
        if ended {
            return Ok(upload);
        }
    }
}

async fn bounded(field: &mut Field<'_>, most: usize) -> Result<Vec<u8>, Response> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| refused(error.body_text()))? {
        if bytes.len().saturating_add(chunk.len()) > most {
            return Err(refused(format!("a part of the form is larger than {most} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

fn refused(why: impl AsRef<str>) -> Response {
    Refusal::bad(format!("Invalid data: {}", why.as_ref())).into_response()
}
