//! Denies cases without what the house asks for, and completes their names.

use serde::Deserialize;
use serde_json::{Map, Value};
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct CaseRules {
    /// Whether a case needs a number of the SOC.
    require_soc_id: bool,
    /// What names of new cases begin with; empty: anything.
    prefix: String,
}

impl Module for CaseRules {
    const TITLE: &'static str = "Hold cases to the rules of the house";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("boolean", "require_soc_id")
                .title("Number of the SOC")
                .description("Whether a case needs one.")
                .default_json("true"),
            Parameter::new("string", "prefix")
                .title("Prefix")
                .description("What names of new cases begin with.")
                .default_json("\"\""),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.before("case", "create", Self::judge);
    }
}

impl CaseRules {
    fn judge(&mut self, _: &Context, _: &Event, proposal: &Proposal) -> Result<Judgement> {
        let mut body: Map<String, Value> = proposal.parse()?;
        if is_empty(body.get("case_customer")) {
            return Ok(Judgement::because("a case needs a customer: nobody could see or bill it"));
        }
        if self.require_soc_id && is_empty(body.get("case_soc_id")) {
            return Ok(Judgement::because("a case needs the number that the SOC gave it"));
        }
        let Some(name) = body.get("case_name").and_then(Value::as_str) else { return Ok(Judgement::Unchanged) };
        let tidy = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let tidy = if tidy.starts_with(&self.prefix) { tidy } else { format!("{}{tidy}", self.prefix) };
        if tidy == name {
            return Ok(Judgement::Unchanged);
        }
        body.insert("case_name".into(), tidy.into());
        Ok(Judgement::replaced(&Value::Object(body)))
    }
}

/// Absent, null, or a text of nothing.
fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

tenter_sdk::export!(CaseRules: cases);

#[cfg(test)]
mod tests;
