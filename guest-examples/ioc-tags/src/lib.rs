//! Tags indicators by rules, and notes on them why.

use serde::Deserialize;
use serde_json::Value;
use tenter_sdk::case::{CustomField, Edit};
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct IocTags {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    /// How the value of an indicator ends.
    ends_with: String,
    /// The tag that it gets.
    tag: String,
    /// Why.
    note: String,
}

impl Module for IocTags {
    const TITLE: &'static str = "Tag indicators by rules";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("json", "rules")
                .title("Rules")
                .description("A list of {\"ends_with\", \"tag\", \"note\"}.")
                .default_json(r#"[{"ends_with": ".onion", "tag": "tor", "note": "a hidden service of Tor"}]"#),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.after("ioc", "create", Self::look);
        on.after("ioc", "update", Self::look);
        on.request("case-write", "ioc");
    }
}

impl IocTags {
    fn look(&mut self, _: &Context, _: &Event, written: &[Written]) -> Result<Outcome> {
        let mut outcome = Outcome::nothing();
        for Written { old, new, .. } in written {
            let Some(new) = new else { continue };
            let value = value_of(new)?;
            let before = old.as_ref().map(value_of).transpose()?;
            if before.as_deref() == Some(value.as_str()) {
                continue;
            }
            let fitting: Vec<&Rule> = self.rules.iter().filter(|rule| value.ends_with(&rule.ends_with)).collect();
            if !fitting.is_empty() {
                outcome = outcome.patch(noted(Patch::of(new), &fitting));
            }
        }
        Ok(outcome)
    }
}

/// Tags, the reasons below the description, and the rules in a tab of their own.
fn noted(mut patch: Patch, fitting: &[&Rule]) -> Patch {
    for rule in fitting {
        patch = patch.add_tag(&rule.tag).append_description(format!("Tagged {}: {}.", rule.tag, rule.note));
    }
    let endings: Vec<&str> = fitting.iter().map(|rule| rule.ends_with.as_str()).collect();
    let field = CustomField {
        tab: "Rules".into(),
        name: "Matched".into(),
        kind: "input_string".into(),
        json: Value::from(endings.join(", ")).to_string(),
    };
    patch.edit(Edit::SetCustomField(field))
}

fn value_of(ioc: &CaseObject) -> Result<String> {
    let body: Value = ioc.parse()?;
    Ok(body.get("ioc_value").and_then(Value::as_str).unwrap_or_default().to_lowercase())
}

tenter_sdk::export!(IocTags: cases);

#[cfg(test)]
mod tests;
