//! Go, by its standard toolchain.
//!
//! The SDK is a module of Go that lacks its bindings. A copy of it in the build's folder gets them: those of the whole
//! contract, so that its sources compile whatever the module chose, but exports of the module's own world alone. A
//! workspace joins it to the module. What the linker finds unused, imports too, is not in the component. The SDK's own
//! adapter answers what Go's runtime asks of WASI.

use std::path::Path;
use std::process::Command;

use wit_bindgen_core::wit_parser::Resolve;

use super::{Job, Place};
use crate::bindings;
use crate::encode;
use crate::error::{BuildError, Result};
use crate::tools::Tool;
use crate::world::{self, EVERYTHING, WORLD};

/// Packages of generated code in the SDK.
const BINDINGS: &str = "internal/bind";
/// The package of bindings that has what the host calls.
const EXPORTS: &str = "wit_exports";

pub(super) fn build(job: &Job<'_>, place: &Place) -> Result<Vec<u8>> {
    let go = job.tools.need(Tool::Go, job.manifest.language)?;
    let (resolve, own) = world::resolve(&place.world(job.manifest)?, WORLD)?;
    let sdk = place.fresh("go")?;
    super::copy(&place.sdk, &sdk)?;
    let (contract, everything) = world::resolve(&place.wit, EVERYTHING)?;
    bindings::go(&contract, everything, &sdk.join(BINDINGS))?;
    let narrow = place.fresh("bindings")?;
    bindings::go(&resolve, own, &narrow)?;
    super::copy(&narrow.join(EXPORTS), &sdk.join(BINDINGS).join(EXPORTS))?;

    let workspace = place.work.join("go.work");
    let uses = [place.dir.as_path(), &sdk].map(|folder| format!("use {:?}\n", folder.display().to_string())).concat();
    super::write(&workspace, format!("go {}\n\n{uses}", minimum(&sdk)?).as_bytes())?;
    let mut command = Command::new(go);
    // Without debug information; with the names of functions, which are what a trap can tell.
    command.args(["build", "-trimpath", "-buildmode=c-shared", "-ldflags=-w", "-o"]);
    command.arg(place.work.join("core.wasm")).arg(package(&job.manifest.source));
    command.env("GOWORK", &workspace).env("GOOS", "wasip1").env("GOARCH", "wasm").env("GOTOOLCHAIN", "local");
    command.env("GOFLAGS", "-mod=readonly");
    job.shell.run(command.current_dir(&place.dir), "the module does not compile")?;

    let mut core = place.made("core.wasm")?;
    encode::embed(&mut core, &resolve, own)?;
    encode::component(&core, Some(&adapter(place, &sdk)?))
}

/// The SDK's adapter, with its world in a package of its own.
fn adapter(place: &Place, sdk: &Path) -> Result<Vec<u8>> {
    let folder = place.fresh("adapter")?;
    place.contract_below(&folder)?;
    let text = sdk.join("adapter/adapter.wit");
    std::fs::copy(&text, folder.join("adapter.wit")).map_err(|e| BuildError::file("read", &text, e))?;
    let (resolve, world): (Resolve, _) = world::resolve(&folder, "adapter")?;
    encode::adapter(&sdk.join("adapter/adapter.wat"), &resolve, world)
}

/// The version of Go that the SDK asks for.
fn minimum(sdk: &Path) -> Result<String> {
    let path = sdk.join("go.mod");
    let text = std::fs::read_to_string(&path).map_err(|e| BuildError::file("read", &path, e))?;
    let version = text.lines().find_map(|line| line.trim().strip_prefix("go "));
    Ok(version.unwrap_or("1.24").trim().to_owned())
}

/// The package of a source file, as the Go command names it.
fn package(source: &Path) -> String {
    match source.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => format!("./{}", folder.display()),
        _ => ".".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_folder() {
        assert_eq!(package(Path::new("module.go")), ".");
        assert_eq!(package(Path::new("cmd/module.go")), "./cmd");
    }
}
