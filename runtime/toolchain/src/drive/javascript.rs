//! JavaScript and TypeScript, on QuickJS.
//!
//! esbuild makes one file of the module, the SDK and whatever npm packages it imports, and takes the types off TypeScript
//! without checking them: editors and `tsc` do that. The engine runs the file's own statements once, while the
//! component is built.

use std::process::Command;

use super::{Job, Place};
use crate::error::Result;
use crate::tools::Tool;
use crate::world::EVERYTHING;

pub(super) fn build(job: &Job<'_>, place: &Place) -> Result<Vec<u8>> {
    let need = |tool| job.tools.need(tool, job.manifest.language);
    let (node, esbuild, qjs) = (need(Tool::Node)?, need(Tool::Esbuild)?, need(Tool::ComponentizeQjs)?);
    let (entry, bundle) = (place.work.join("entry.js"), place.work.join("module.js"));
    let source = place.dir.join(&job.manifest.source).display().to_string();
    // Text in JSON is text in JavaScript.
    let lines = [
        "import { serve } from \"tenter/entry\";".to_owned(),
        format!("import definition from {};", serde_json::Value::from(source)),
        "export const { module, ingest, snapshot, update, schedule, cases } = serve(definition);\n".to_owned(),
    ];
    super::write(&entry, lines.join("\n").as_bytes())?;

    let mut bundling = Command::new(esbuild);
    bundling.args(["--bundle", "--format=esm", "--platform=neutral", "--main-fields=module,main"]);
    bundling.args(["--conditions=import", "--target=es2023", "--charset=utf8", "--log-level=warning"]);
    bundling.arg(format!("--alias:tenter={}", place.sdk.join("src/index.js").display()));
    bundling.arg(format!("--alias:tenter/entry={}", place.sdk.join("src/entry.js").display()));
    bundling.arg("--external:tenter:hooks/*").arg(format!("--outfile={}", bundle.display())).arg(&entry);
    job.shell.run(bundling.current_dir(&place.dir), "the module does not compile")?;

    let mut command = Command::new(node);
    command.arg(qjs).arg("--wit").arg(&place.wit).arg("--js").arg(&bundle).args(["--world", EVERYTHING]);
    // Without `--sync` a component asks for asynchronous calls, which the host has not; the SDK gives time and randomness
    // of the call itself, so that nothing of WASI is used.
    command.args(["--stub-wasi", "--sync", "--output"]).arg(place.work.join("out.wasm"));
    job.shell.run(command.current_dir(&place.dir), "the module does not build")?;
    place.made("out.wasm")
}
