//! Python: the interpreter, the SDK, the module and what it depends on become one component, initialised at build time.
//!
//! The SDK has the app that is wrapped, `tenter_app`; it reads from a generated `tenter_manifest` which module it serves
//! and by which adapter: the SDK's own, or that of a system whose modules run unchanged.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{Job, Place};
use crate::error::{BuildError, Kind, Result};
use crate::language::Language;
use crate::shell::Shell;
use crate::tools::{Tool, Tools};
use crate::world::EVERYTHING;

pub(super) mod requirements;

/// The app that the SDK has.
const APP: &str = "tenter_app";

pub(super) fn build(job: &Job<'_>, place: &Place) -> Result<Vec<u8>> {
    let packages = requirements::of_module(job, place)?;
    let facts = &job.manifest.facts;
    let manifest = [
        ("ADAPTER", json!("tenter.adapter")),
        ("SOURCE", json!(importable(&job.manifest.source)?)),
        ("NAME", json!(job.manifest.name)),
        ("TITLE", json!(facts.title.as_deref().unwrap_or_default())),
        ("DESCRIPTION", json!(facts.description.as_deref().unwrap_or_default())),
        ("VERSION", json!(facts.version.as_deref().unwrap_or("0.1.0"))),
    ];
    let folders = [Some(place.sdk.clone()), Some(place.dir.clone()), packages];
    component(job.tools, job.shell, place, &manifest, &folders.into_iter().flatten().collect::<Vec<_>>())
}

/// Makes the component of what can be imported from these folders.
pub(super) fn component(
    tools: &Tools,
    shell: &Shell<'_>,
    place: &Place,
    manifest: &[(&str, Value)],
    folders: &[PathBuf],
) -> Result<Vec<u8>> {
    let tool = tools.need(Tool::ComponentizePy, Language::Python)?;
    let generated = place.fresh("app")?;
    super::write(&generated.join("tenter_manifest.py"), text(manifest).as_bytes())?;
    // The tool adds packages of the active environment to the path. What is not in `requirements.txt` is not in the
    // module, whoever builds it, so it is shown an environment that is empty.
    let nothing = place.fresh("environment")?;
    super::make(&nothing.join("lib/python3/site-packages"))?;

    let mut command = Command::new(tool);
    command.arg("-q").arg("-d").arg(&place.wit).args(["-w", EVERYTHING, "componentize", APP, "-p"]).arg(&generated);
    for folder in folders {
        command.arg("-p").arg(folder);
    }
    command.arg("-o").arg(place.work.join("out.wasm")).env("VIRTUAL_ENV", nothing);
    shell.run(command.current_dir(&place.work), "the module does not build")?;
    place.made("out.wasm")
}

/// The text of `tenter_manifest`.
fn text(manifest: &[(&str, Value)]) -> String {
    let mut text = "\"\"\"What the component is made of.\"\"\"\n\nimport json\n\n".to_owned();
    for (name, value) in manifest {
        // Text in JSON is text in Python; of all else JSON has its own words.
        let _ = match value {
            Value::String(_) => writeln!(text, "{name} = {value}"),
            other => writeln!(text, "{name} = json.loads({})", Value::from(other.to_string())),
        };
    }
    text
}

/// The name by which Python imports the source file.
fn importable(source: &Path) -> Result<String> {
    let parts: Option<Vec<String>> = source
        .with_extension("")
        .components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .map(|part| Some(part.as_os_str().to_str()?.to_owned()).filter(|name| is_name(name)))
        .collect();
    let is_python = source.extension().is_some_and(|e| e == "py");
    parts.filter(|_| is_python).map(|parts| parts.join(".")).ok_or_else(|| {
        BuildError::new(Kind::Invalid, format!("Python cannot import {}", source.display()))
            .help("name it with letters, digits and `_`, and let it end in `.py`")
    })
}

fn is_name(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_what_python_can_import() {
        assert_eq!(importable(Path::new("module.py")).unwrap(), "module");
        assert_eq!(importable(Path::new("./package/module.py")).unwrap(), "package.module");
        for wrong in ["my-module.py", "1st.py", "module.txt"] {
            assert_eq!(importable(Path::new(wrong)).unwrap_err().kind, Kind::Invalid, "{wrong}");
        }
    }

    #[test]
    fn what_is_generated_is_python() {
        let manifest = [("TITLE", json!("a \"b\"\n")), ("CONFIG", json!({"on": true, "none": null}))];
        insta::assert_snapshot!(text(&manifest), @r#"
    """What the component is made of."""

    import json

    TITLE = "a \"b\"\n"
    CONFIG = json.loads("{\"none\":null,\"on\":true}")
    "#);
    }
}
