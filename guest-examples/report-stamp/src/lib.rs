//! Stamps the case when a report of it is made.

use serde::Deserialize;
use serde_json::Value;
use tenter_sdk::case::ObjectRef;
use tenter_sdk::prelude::*;

#[derive(Deserialize)]
struct ReportStamp {
    /// Numbers of the templates that may be used; none: all.
    templates: Vec<i64>,
}

impl Module for ReportStamp {
    const TITLE: &'static str = "Stamp cases with the reports of them";

    fn parameters() -> Vec<Parameter> {
        vec![
            Parameter::new("json", "templates")
                .title("Templates")
                .description("Numbers of the templates that may be used; an empty list allows all.")
                .default_json("[]"),
        ]
    }

    fn new(config: &Config) -> Result<Self> {
        config.parse()
    }

    fn register(&self, on: &mut Registrar<Self>) {
        on.before("report", "create", Self::judge);
        // Whoever asks for the report finds the stamp at once.
        on.after("report", "create", Self::stamp).synchronous();
        on.request("case-write", "case");
    }
}

impl ReportStamp {
    fn judge(&mut self, _: &Context, _: &Event, proposal: &Proposal) -> Result<Judgement> {
        let body: Value = proposal.parse()?;
        let template = body.get("report_id").and_then(Value::as_i64).or(proposal.id);
        let allowed = self.templates.is_empty() || template.is_some_and(|number| self.templates.contains(&number));
        Ok(if allowed {
            Judgement::Unchanged
        } else {
            Judgement::because("this template is not to be used for reports")
        })
    }

    fn stamp(&mut self, context: &Context, _: &Event, made: &[Written]) -> Result<Outcome> {
        let Some(id) = context.case_id else { return Ok(Outcome::nothing()) };
        let mut outcome = Outcome::nothing();
        for report in made.iter().filter_map(|written| written.new.as_ref()) {
            let body: Value = report.parse()?;
            let file = body.get("file_name").and_then(Value::as_str).unwrap_or("a report");
            let who = context.user.as_ref().map_or("somebody", |user| user.name.as_str());
            // The event is of the report: the case was not shown, so the last write wins.
            let case = ObjectRef { object: "case".into(), id };
            let patch = Patch { target: case, expected_version: None, edits: Vec::new() };
            let stamp = format!("{}: {who} made {file}.", call::now());
            outcome = outcome.patch(patch.add_tag("reported").append_description(stamp));
        }
        Ok(outcome)
    }
}

tenter_sdk::export!(ReportStamp: cases);

#[cfg(test)]
mod tests;
