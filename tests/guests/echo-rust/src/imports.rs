//! The commands that try what the host gives.

use tenter_sdk::call::CallCause;
use tenter_sdk::entities::ReadError;
use tenter_sdk::http::{HttpError, Request};
use tenter_sdk::prelude::*;
use tenter_sdk::resolver::ResolveError;
use tenter_sdk::secrets::SecretError;
use tenter_sdk::state::StateError;
use tenter_sdk::views::ViewError;

/// Does what the command says.
pub(crate) fn obey(command: &str, entity: &EntityRef) -> Result<()> {
    match command {
        "log" => {
            log::debug!("debug");
            log::info!("info");
            log::warning!("warning");
            log::error!("error");
            log::info!("é🦀");
            log::info!("a\0b");
        }
        "call" => facts(),
        "state" => kept()?,
        "entities" => stored(entity),
        "http" => {
            let request = Request::new("POST", "https://echo.example/in").query("q", "a b&c").header("x-echo", "yes");
            sent(&request.secret_header("authorization", "Bearer ", "echo").body("hello").timeout_ms(1000));
            sent(&Request::get("https://other.example/"));
        }
        "resolver" => {
            found("echo.example", &resolver::lookup("echo.example", "A"));
            found("none.example", &resolver::lookup("none.example", "TXT"));
            found("192.0.2.1", &resolver::reverse("192.0.2.1"));
            found("echo.example", &resolver::lookup_at("192.0.2.53", "echo.example", "A"));
        }
        "secrets" => {
            log::info!("available {}", secrets::available().join(","));
            for name in ["echo", "other"] {
                let mac = secrets::hmac_sha256(name, b"hello").map_err(|error| match error {
                    SecretError::Denied => "denied",
                    SecretError::NotSet => "not-set",
                    SecretError::Other(_) => "other",
                });
                log::info!("hmac {}", mac.map_or_else(str::to_owned, |mac| hex(&mac)));
            }
        }
        _ => {}
    }
    Ok(())
}

/// What `correlate` does with the command `views`.
pub(crate) fn views() {
    for eid in ["beyond", "none"] {
        let text = match views::fetch(&EntityRef::new("thing", eid)) {
            Ok(Some(view)) => view.values.len().to_string(),
            Ok(None) => "-".to_owned(),
            Err(ViewError::Denied) => "denied".to_owned(),
            Err(ViewError::UnknownType) => "unknown-type".to_owned(),
            Err(ViewError::Other(_)) => "other".to_owned(),
        };
        log::info!("{eid} {text}");
    }
}

fn facts() {
    let cause = match call::cause() {
        CallCause::Normal => "normal",
        CallCause::Refresh => "refresh",
        CallCause::Retry => "retry",
        CallCause::Replay => "replay",
    };
    log::info!("now {}", call::now().as_micros());
    log::info!("id {}", call::id());
    log::info!("cause {cause}");
    log::info!("random {}", call::random() != call::random());
    log::info!("resume-after {}", call::resume_after(60, "m"));
    log::info!("memo {}", call::memo().unwrap_or_else(|| "-".to_owned()));
}

fn kept() -> Result<()> {
    state::store("k", [0, 1, 255], None)?;
    let bytes = state::fetch("k")?.map(|bytes| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(","));
    log::info!("k {}", bytes.unwrap_or_else(|| "-".to_owned()));
    state::store("t", "x", Some(60))?;
    state::increment("n", 2)?;
    state::increment("n", -5)?;
    log::info!("n {}", state::fetch_text("n")?.unwrap_or_else(|| "-".to_owned()));
    log::info!("keys {}", state::keys("", None, 10)?.join(","));
    state::discard("t")?;
    let error = match state::store(&"k".repeat(513), "", None) {
        Ok(()) => "-",
        Err(StateError::Denied) => "denied",
        Err(StateError::TooLarge) => "too-large",
        Err(StateError::Quota) => "quota",
        Err(StateError::Other(_)) => "other",
    };
    log::info!("error {error}");
    Ok(())
}

fn stored(entity: &EntityRef) {
    let told = |result: std::result::Result<bool, ReadError>| match result {
        Ok(is) => is.to_string(),
        Err(ReadError::Denied) => "denied".to_owned(),
        Err(ReadError::UnknownType) => "unknown-type".to_owned(),
        Err(ReadError::TooLarge) => "too-large".to_owned(),
        Err(ReadError::Other(_)) => "other".to_owned(),
    };
    for entity in [entity.clone(), EntityRef::new("other", "1")] {
        log::info!("known {}", told(entities::known(&entity)));
        log::info!("record {}", told(entities::read_record(&entity).map(|record| record.is_some())));
    }
    log::info!("hooks {}", entities::case_hooks().len());
    log::info!("schema {}", entities::schema().contains("\"thing\""));
}

fn sent(request: &Request) {
    match http::send(request) {
        Ok(answer) => {
            log::info!("http {} {}", answer.status, String::from_utf8_lossy(&answer.body));
            for header in answer.headers {
                log::info!("header {} {}", header.name, header.value);
            }
        }
        Err(error) => {
            let name = match error {
                HttpError::Denied(_) => "denied",
                HttpError::Invalid(_) => "invalid",
                HttpError::TimedOut => "timed-out",
                HttpError::TooLarge => "too-large",
                HttpError::Unreachable(_) => "unreachable",
                HttpError::Other(_) => "other",
            };
            log::info!("http {name}");
        }
    }
}

fn found(name: &str, answer: &std::result::Result<Vec<String>, ResolveError>) {
    let text = match answer {
        Ok(texts) => texts.join(","),
        Err(ResolveError::Denied) => "denied".to_owned(),
        Err(ResolveError::NotFound) => "not-found".to_owned(),
        Err(ResolveError::TimedOut) => "timed-out".to_owned(),
        Err(ResolveError::Other(_)) => "other".to_owned(),
    };
    log::info!("{name} {text}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
