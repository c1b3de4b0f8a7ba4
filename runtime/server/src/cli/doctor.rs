//! `tenter doctor`: which languages modules can be built in on this machine, and what is missing for the others.

use std::path::Path;

use serde_json::{Value, json};
use tenter_toolchain::{Finding, Language, Tool};

use crate::cli::Context;
use crate::cli::build::tools;
use crate::output::{field, members};

/// Looks for tools and tells what is there. It succeeds whatever is missing: who needs one language needs not all.
///
/// # Errors
/// When it cannot print.
pub(crate) fn run(context: &Context) -> anyhow::Result<()> {
    let tools = tools(Path::new("."));
    let findings: Vec<Finding> = Tool::ALL.iter().map(|tool| tools.look(*tool)).collect();
    let answer = report(&findings);
    let items = members(&answer, "tools");
    context.out.by_name(
        &answer,
        items,
        &[
            ("tool", &|t| field(t, "tool")),
            ("for", &|t| field(t, "languages")),
            ("version", &|t| field(t, "version")),
            ("tried with", &|t| field(t, "tried")),
            ("path", &|t| or(&field(t, "path"), "missing")),
        ],
    )?;
    let ready: Vec<String> =
        members(&answer, "languages").iter().filter(|l| is_ready(l)).map(|l| field(l, "language")).collect();
    context.out.note(&format!("modules can be built in: {}", or(&ready.join(", "), "no language yet")));
    for tool in items.iter().filter(|t| field(t, "path").is_empty()) {
        context.out.note(&format!(
            "{} is missing, for {}: {}",
            field(tool, "tool"),
            field(tool, "languages"),
            field(tool, "install")
        ));
    }
    Ok(())
}

/// What was found, by tool and by language.
fn report(findings: &[Finding]) -> Value {
    let missing = |language: &Language| -> Vec<&str> {
        let is_missing = |tool: &&Tool| findings.iter().any(|f| f.tool == **tool && f.path.is_none());
        language.needs().iter().filter(is_missing).map(|t| t.name()).collect()
    };
    let tools: Vec<Value> = findings
        .iter()
        .map(|f| {
            json!({
                "tool": f.tool.name(),
                "languages": f.tool.languages().iter().map(|l| l.name()).collect::<Vec<_>>(),
                "version": f.version,
                "tried": f.tool.tried(),
                "path": f.path.as_ref().map(|p| p.display().to_string()),
                "install": f.install,
            })
        })
        .collect();
    let languages: Vec<Value> = Language::ALL
        .iter()
        .map(|l| {
            let missing = missing(l);
            json!({"language": l.name(), "ready": missing.is_empty(), "missing": missing})
        })
        .collect();
    json!({"tools": tools, "languages": languages})
}

fn is_ready(language: &Value) -> bool {
    language.get("ready").and_then(Value::as_bool) == Some(true)
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_language_is_ready_when_all_its_tools_are_there() {
        let found = |tool: Tool, there: bool| Finding {
            tool,
            path: there.then(|| PathBuf::from("/usr/bin").join(tool.name())),
            version: None,
            install: String::new(),
        };
        let findings = Tool::ALL.map(|tool| found(tool, tool != Tool::ComponentizeQjs));
        let answer = report(&findings);
        let lacking: Vec<_> = members(&answer, "languages")
            .iter()
            .filter(|l| !is_ready(l))
            .map(|l| (field(l, "language"), field(l, "missing")))
            .collect();
        let qjs = "componentize-qjs".to_owned();
        assert_eq!(lacking, [("javascript".to_owned(), qjs.clone()), ("typescript".to_owned(), qjs)]);
    }
}
