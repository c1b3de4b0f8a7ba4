//! JavaScript and TypeScript, on QuickJS.
//!
//! The SDK's own script has the steps, since they belong together with its code: esbuild makes one file of the module, the
//! SDK and whatever npm packages it imports, and takes the types off TypeScript without checking them (editors and `tsc` do
//! that); componentize-qjs makes the component; and integers get the 64 bits that the engine's bindings have not.

use std::process::Command;

use super::{Job, Place};
use crate::error::Result;
use crate::tools::Tool;

pub(super) fn build(job: &Job<'_>, place: &Place) -> Result<Vec<u8>> {
    let need = |tool| job.tools.need(tool, job.manifest.language);
    let (node, esbuild, qjs) = (need(Tool::Node)?, need(Tool::Esbuild)?, need(Tool::ComponentizeQjs)?);
    let mut command = Command::new(node);
    command.arg(place.sdk.join("build.mjs"));
    command.arg("--source").arg(place.dir.join(&job.manifest.source)).arg("--wit").arg(&place.wit);
    command.arg("--work").arg(&place.work).arg("--out").arg(place.work.join("out.wasm"));
    command.arg("--esbuild").arg(esbuild).arg("--componentize-qjs").arg(qjs);
    job.shell.run(command.current_dir(&place.dir), "the module does not build")?;
    place.made("out.wasm")
}
