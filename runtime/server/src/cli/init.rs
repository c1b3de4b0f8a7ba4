//! `tenter init`: writes a site that `check` and `serve` take as it is.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::cli::Context;
use crate::embedded;
use crate::error::{CliError, Kind};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write; it is made when it is missing.
    dir: PathBuf,
    /// Write into a folder that holds something. Files of the same name are replaced, others stay.
    #[arg(long)]
    force: bool,
}

/// Writes the site.
///
/// # Errors
/// When the folder holds something, or cannot be written.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if !args.force {
        must_be_empty(&args.dir, "`--force` writes into it nevertheless and replaces files of the same name")?;
    }
    let written = unpack(embedded::SITE, &args.dir, |bytes| bytes.to_vec())?;
    let files: Vec<_> = written.into_iter().map(serde_json::Value::from).collect();
    context.out.list(&files, &[("file", &|f| crate::output::field(f, ""))])?;
    context.out.next(&format!("tenter check {}", args.dir.display()));
    Ok(())
}

/// Refuses a folder that holds something.
///
/// # Errors
/// When it does, or when it is no folder.
pub(crate) fn must_be_empty(dir: &Path, help: &str) -> anyhow::Result<()> {
    match std::fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => {
                let message = format!("{} is not empty", dir.display());
                Err(CliError::new(Kind::Conflict, message).help(help).into())
            }
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e).with_context(|| format!("cannot look into {}", dir.display())),
    }
}

/// Writes embedded files below a folder, each through `change`, and gives their paths.
///
/// # Errors
/// When one cannot be written.
pub(crate) fn unpack(
    files: &[embedded::File],
    dir: &Path,
    change: impl Fn(&[u8]) -> Vec<u8>,
) -> anyhow::Result<Vec<String>> {
    let mut written = Vec::new();
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for (name, bytes) in files {
        let path = dir.join(name);
        let folder = path.parent().unwrap_or(dir);
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        std::fs::write(&path, change(bytes)).with_context(|| format!("cannot write {}", path.display()))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
