//! How clients begin: is anybody there who takes my token, and do we speak the same version.

use serde_json::json;

use super::{Answer, Asking, Success};

/// The version of IRIS whose behaviour this is.
const IRIS: &str = "v2.4.20";
/// The oldest and the newest version of its API that clients may speak.
const API: (&str, &str) = ("2.0.4", "2.0.5");

/// `GET /api/ping`
pub(in crate::api) async fn ping(_: Asking) -> Answer {
    Ok(Success::done("pong"))
}

/// `GET /api/versions`
pub(in crate::api) async fn versions(_: Asking) -> Answer {
    let (oldest, newest) = API;
    Ok(Success::of(json!({"iris_current": IRIS, "api_min": oldest, "api_current": newest})))
}
