//! C and Zig, by the compiler that Zig brings. It needs no sysroot and no right to install anything.
//!
//! The SDK's `tenter.c` takes the generated `guest.c` in, since the memory of a call goes as a whole: the latter is not
//! compiled by itself. Zig gives 16 MiB of stack unless told otherwise, all of which would be memory of each instance.

use std::path::Path;
use std::process::Command;

use super::{Job, Place};
use crate::bindings;
use crate::encode;
use crate::error::Result;
use crate::language::Language;
use crate::tools::Tool;
use crate::world::{self, WORLD};

/// Bytes of stack.
const STACK: &str = "65536";
/// What both languages are compiled for.
const TARGET: [&str; 3] = ["-target", "wasm32-wasi", "-mexec-model=reactor"];

pub(super) fn build(job: &Job<'_>, place: &Place) -> Result<Vec<u8>> {
    let zig = job.tools.need(Tool::Zig, job.manifest.language)?;
    let (resolve, id) = world::resolve(&place.world(job.manifest)?, WORLD)?;
    let generated = place.fresh("bindings")?;
    bindings::c(&resolve, id, &generated)?;
    let mut command = match job.manifest.language {
        Language::Zig => in_zig(job, place, &zig, &generated)?,
        _ => in_c(place, &zig, &generated, &job.manifest.source),
    };
    job.shell.run(command.current_dir(&place.dir), "the module does not compile")?;
    encode::component(&place.made("core.wasm")?, None)
}

fn in_c(place: &Place, zig: &Path, generated: &Path, source: &Path) -> Command {
    let mut command = Command::new(zig);
    command.arg("cc").args(TARGET).args(["-std=c11", "-O2", "-s"]).arg(format!("-Wl,-z,stack-size={STACK}"));
    command.arg("-I").arg(generated).arg("-I").arg(&place.sdk);
    command.arg(source).arg(place.sdk.join("tenter.c")).arg(object(generated));
    command.arg("-o").arg(place.work.join("core.wasm"));
    command
}

/// Zig takes the header as a module of its own, which is made first.
fn in_zig(job: &Job<'_>, place: &Place, zig: &Path, generated: &Path) -> Result<Command> {
    let mut translate = Command::new(zig);
    translate.args(["translate-c", "-target", "wasm32-wasi", "-lc", "-I"]).arg(generated).arg("-I").arg(&place.sdk);
    translate.arg(place.sdk.join("tenter.h"));
    let made = job.shell.run(translate.current_dir(&place.dir), "the header of the SDK cannot be translated")?;
    let header = generated.join("c.zig");
    super::write(&header, &made.stdout)?;

    let mut command = Command::new(zig);
    command.arg("build-exe").args(TARGET).args(["-lc", "-O", "ReleaseSmall", "-fstrip", "-rdynamic", "--stack", STACK]);
    command.arg("-I").arg(generated).arg("-I").arg(&place.sdk);
    command.arg(place.sdk.join("tenter.c")).arg(object(generated));
    command.args(["--dep", "tenter"]).arg(format!("-Mroot={}", job.manifest.source.display()));
    command.args(["--dep", "c"]).arg(format!("-Mtenter={}", place.sdk.join("tenter.zig").display()));
    command.arg(format!("-Mc={}", header.display()));
    command.arg(format!("-femit-bin={}", place.work.join("core.wasm").display()));
    Ok(command)
}

/// The object with the component's type.
fn object(generated: &Path) -> std::path::PathBuf {
    generated.join(format!("{WORLD}_component_type.o"))
}
