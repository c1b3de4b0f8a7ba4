//! The document of the interface and a page that shows it and tries it out.
//!
//! The page is our own: a few hundred lines that are part of the program, so that it works where no other server can be
//! reached, and so that its policy can forbid everything but its own files. It keeps a token in the tab that it was
//! typed into and sends it nowhere but here.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::openapi;

/// Nothing but what this server serves, no inline code, and no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /docs`.
pub(super) async fn page() -> Response {
    served("text/html; charset=utf-8", include_str!("../../assets/docs/page.html"))
}

/// `GET /docs/page.css`.
pub(super) async fn style() -> Response {
    served("text/css; charset=utf-8", include_str!("../../assets/docs/page.css"))
}

/// `GET /docs/page.js`.
pub(super) async fn script() -> Response {
    served("text/javascript; charset=utf-8", include_str!("../../assets/docs/page.js"))
}

/// `GET /openapi.json`.
pub(super) async fn document() -> Response {
    served("application/json", openapi::text())
}

fn served(media: &'static str, text: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, media),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
