//! `tenter health`: whether a server answers, and what kind it is.

use serde_json::json;

use crate::cli::Context;
use crate::client::Peer;
use crate::error::{CliError, Kind};

/// Asks.
///
/// # Errors
/// When there is no server, it is of another kind, or it is not ready.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let client = context.client()?;
    let peer = client.peer().map_err(|broken| broken.error)?;
    let (kind, ready) = match peer {
        Peer::Tenter { ready } => ("tenter", Some(ready)),
        Peer::Dp3 => ("dp3", None),
    };
    let answer = json!({"url": client.url(), "server": kind, "ready": ready});
    context.out.one(&answer, |_| match peer {
        Peer::Tenter { ready: true } => format!("{} answers and is ready\n", client.url()),
        Peer::Tenter { ready: false } => format!("{} answers and is not ready\n", client.url()),
        Peer::Dp3 => format!("{} answers as DP³\n", client.url()),
    })?;
    if ready == Some(false) {
        return Err(CliError::new(Kind::Failed, "the server is not ready")
            .help("it may be starting or ending; `tenter status` tells more")
            .into());
    }
    Ok(())
}
