//! `tenter module sign` and `tenter key`: vouching for a component.
//!
//! What is signed is what the server checks: name, version, digest, and the capabilities that the component asks for.
//! The latter depend on its configuration, so it is configured here, in the sandbox, as the server will do.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tenter_model::time::Clock as _;

use super::component;
use crate::cli::Context;
use crate::cli::workbench::{self, Workbench};
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};
use crate::modules::signature::{self, Signature};
use crate::output::field;

/// What `sign` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The component.
    file: PathBuf,
    /// File with the secret key, as `tenter key create` writes it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the module will be called [default: the file's name, with `-` for `_`].
    #[arg(long)]
    name: Option<tenter_model::ModuleName>,
    /// Folder of configuration whose settings the module will get.
    #[arg(long, value_name = "DIR")]
    site: Option<PathBuf>,
    /// The module's configuration, in JSON or YAML.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Keys for signing.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key: the secret half goes to a file for its owner alone, the public half is printed.
    Create {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Print the public half of a key, as `signers` in tenter.yml takes it.
    Show {
        /// The file of the secret half.
        file: PathBuf,
    },
}

/// Where the signature of a component lies.
pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// Signs.
///
/// # Errors
/// When the component is refused, or a file cannot be read or written.
pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => component::name_of(&args.file).map_err(|e| e.help("`--name NAME` sets another name"))?,
    };
    let secret = secret(&args.key)?;
    let bytes = component::read(&args.file)?;
    let bench = Workbench::new(args.site.as_deref())?;
    let mut settings = bench.settings(&name);
    if let Some(path) = &args.config {
        settings.config = workbench::module_config(path, &name)?;
    }
    let module = bench.load(&name, &bytes, settings, None, SystemClock.now())?;
    let made = Signature::make(&secret, name, module.descriptor.version, module.digest, module.requests);
    let path = beside(&args.file);
    let value = serde_json::to_value(&made)?;
    std::fs::write(&path, format!("{value:#}\n"))
        .map_err(|e| CliError::new(Kind::Failed, format!("cannot write {}: {e}", path.display())))?;
    context.out.one(&value, |_| format!("{}\n", path.display()))?;
    for request in &made.requests {
        context.out.note(&format!("it asks for {request}"));
    }
    context.out.next(&format!("tenter module upload {}", args.file.display()));
    Ok(())
}

/// Makes or shows a key.
///
/// # Errors
/// When the file is there already or is no key.
pub(crate) fn key(command: &KeyCommand, context: &Context) -> anyhow::Result<()> {
    let (secret, made) = match command {
        KeyCommand::Create { file } => (create(file)?, Some(file)),
        KeyCommand::Show { file } => (secret(file)?, None),
    };
    let answer = json!({"key": signature::public_key(&secret)});
    context.out.one(&answer, |a| format!("{}\n", field(a, "key")))?;
    if let Some(file) = made {
        context.out.note(&format!("{} holds the secret half; whoever has it can sign", file.display()));
        context.out.next(&format!("tenter module sign FILE --key {}", file.display()));
    }
    Ok(())
}

fn create(file: &Path) -> anyhow::Result<[u8; 32]> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let wrong = |e: std::io::Error| {
        let kind = if e.kind() == std::io::ErrorKind::AlreadyExists { Kind::Conflict } else { Kind::Failed };
        CliError::new(kind, format!("cannot write {}: {e}", file.display()))
    };
    let mut out = options.open(file).map_err(wrong)?;
    out.write_all(format!("{}\n", signature::hex(&secret)).as_bytes()).map_err(wrong)?;
    Ok(secret)
}

fn secret(file: &Path) -> Result<[u8; 32], CliError> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        CliError::new(kind, format!("cannot read {}: {e}", file.display())).help("`tenter key create FILE` makes a key")
    })?;
    signature::bytes(text.trim()).ok_or_else(|| {
        CliError::new(Kind::Invalid, format!("{} holds no key: 64 hexadecimal digits are expected", file.display()))
            .help("`tenter key create FILE` makes a key")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_its_owner_and_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let made = create(&path).unwrap();
        assert_eq!(secret(&path).unwrap(), made);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = create(&path).unwrap_err();
        assert_eq!(again.downcast_ref::<CliError>().unwrap().kind, Kind::Conflict);
        assert_eq!(secret(&path).unwrap(), made);
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(secret(&path).unwrap_err().kind, Kind::Invalid);
        assert_eq!(secret(&dir.path().join("none")).unwrap_err().kind, Kind::NotFound);
    }
}
