//! Tells a service what becomes of case objects.

use serde::Deserialize;
use serde_json::{Value, json};
use tenter_sdk::case::Trigger;
use tenter_sdk::prelude::*;

/// Kinds of objects that have the menu entry.
const MENUS: [&str; 5] = ["case", "asset", "ioc", "event", "task"];

#[derive(Deserialize)]
struct Webhook {
    /// Where to.
    url: String,
    /// Whether the secret `token` goes along.
    with_token: bool,
}

impl Module for Webhook {
    const TITLE: &'static str = "Tell a service what becomes of case objects";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("string", "url")
                .title("Address")
                .description("Where each change is sent to, such as https://hooks.example.org/cases.")
                .mandatory(),
            Parameter::new("boolean", "with_token")
                .title("With a token")
                .description("Whether the secret `token` goes along as a bearer token.")
                .default_json("false"),
            Parameter::new("secret", "token").title("Token").description("What the service knows this server by."),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        for action in ["create", "update", "delete"] {
            on.after("*", action, Self::tell).id(format!("tell-{action}"));
        }
        for object in MENUS {
            on.manual(object, "Send to webhook", Self::send_chosen).id(format!("send-{object}"));
        }
        // What follows the question mark is no part of a pattern.
        on.request("http", format!("POST {}", self.url.split('?').next().unwrap_or_default()));
        if self.with_token {
            on.request("secret", "token");
        }
    }
}

impl Webhook {
    fn tell(&mut self, context: &Context, event: &Event, written: &[Written]) -> Result<Outcome> {
        let side = |object: &Option<CaseObject>| object.as_ref().map(described).transpose();
        let changes = written.iter().map(|w| Ok(json!({"old": side(&w.old)?, "new": side(&w.new)?})));
        let changes: Vec<Value> = changes.collect::<Result<_>>()?;
        self.post(context, event, &json!(changes))?;
        Ok(Outcome::nothing())
    }

    fn send_chosen(&mut self, context: &Context, event: &Event, chosen: &[CaseObject]) -> Result<ManualOutcome> {
        let objects: Vec<Value> =
            chosen.iter().map(|object| Ok(json!({"new": described(object)?}))).collect::<Result<_>>()?;
        let status = self.post(context, event, &json!(objects))?;
        let message = format!("{} sent, the service answered {status}", objects.len());
        Ok(ManualOutcome::nothing().report(message.clone(), Media::Text, message))
    }

    /// Sends it, and gives the status. What may pass by itself is `unavailable`, so that the host tries again.
    fn post(&self, context: &Context, event: &Event, changes: &Value) -> Result<u16> {
        let user = context.user.as_ref().map(|user| json!({"id": user.id, "login": user.login, "name": user.name}));
        let body = json!({
            "object": event.object,
            "action": event.action,
            "trigger": trigger(context.trigger),
            "case": {"id": context.case_id, "name": context.case_name},
            "user": user,
            "changes": changes,
        });
        let mut request =
            http::Request::new("POST", &self.url).header("content-type", "application/json").body(body.to_string());
        if self.with_token {
            request = request.secret_header("authorization", "Bearer ", "token");
        }
        let answer = request.send()?;
        match answer.status {
            200..=299 => Ok(answer.status),
            408 | 425 | 429 | 500..=599 => {
                Err(HookError::unavailable(format_args!("the service answered {}", answer.status)))
            }
            other => Err(HookError::failed(format_args!("the service refused with {other}"))),
        }
    }
}

fn described(object: &CaseObject) -> Result<Value> {
    let body: Value = object.parse()?;
    Ok(json!({"id": object.target.id, "uuid": object.uuid, "version": object.version, "body": body}))
}

fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Api => "api",
        Trigger::Manual => "manual",
        Trigger::Csv => "csv",
        Trigger::Template => "template",
        Trigger::Module => "module",
    }
}

tenter_sdk::export!(Webhook: cases);

#[cfg(test)]
mod tests;
