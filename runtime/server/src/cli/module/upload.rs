//! `tenter module upload`.

use std::io::Read as _;
use std::path::Path;

use tenter_model::ModuleName;
use tenter_model::limits::MAX_UPLOAD_BYTES;

use super::{UploadArgs, show};
use crate::cli::Context;
use crate::client::{part, query};
use crate::error::{CliError, Kind};
use crate::output::{bytes, field};

/// Seconds that the server may take: it compiles the component before it answers.
const PATIENCE: u64 = 600;

pub(super) fn run(args: &UploadArgs, context: &Context) -> anyhow::Result<()> {
    let name = name_of(args)?;
    let component = read(&args.file)?;
    let client = context.patient_client(PATIENCE)?;
    let spinner = indicatif::ProgressBar::new_spinner();
    if context.out.draws() {
        spinner.set_message(format!("uploading {name}, {}; the server compiles it", bytes(component.len() as u64)));
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    } else {
        spinner.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let path = format!(
        "/api/v1/modules/{}{}",
        part(name.as_str()),
        query(&[("grant_requested", Some(args.grant_requested.to_string()))])
    );
    let answer = client.demand("PUT", &path, Some(("application/wasm", &component)));
    spinner.finish_and_clear();
    let answer = answer.map_err(|e| match (e.kind, &e.help) {
        (Kind::Invalid, None) => e.help(format!(
            "nothing was changed; `tenter run {} --hook KIND` tries a component without a server",
            args.file.display()
        )),
        _ => e,
    })?;

    let module = answer.get("module").cloned().unwrap_or_default();
    context.out.one(&answer, |_| show::human(&module))?;
    let missing = show::missing(&answer);
    if missing.is_empty() {
        context.out.note(&format!("{name} {} serves", field(&module, "version")));
        context.out.next("tenter datapoint send FILE");
    } else {
        context.out.note(&format!("{name} waits: it asks for what is not granted"));
        for grant in missing {
            context.out.next(&format!("tenter grant {name} {grant}"));
        }
    }
    Ok(())
}

fn name_of(args: &UploadArgs) -> Result<ModuleName, CliError> {
    let text = match &args.name {
        Some(name) => name.clone(),
        None => {
            let stem = args.file.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            stem.to_ascii_lowercase().replace('_', "-")
        }
    };
    ModuleName::new(&text)
        .map_err(|e| CliError::new(Kind::Usage, e.to_string()).help("`--name NAME` sets another name"))
}

/// Reads a component and refuses what cannot be one, before it travels.
///
/// # Errors
/// When the file is missing, is larger than an upload may be, or does not begin like a component.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let wrong = |kind: Kind, why: &str| CliError::new(kind, format!("cannot use {}: {why}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Failed };
        wrong(kind, &e.to_string()).help("`tenter build` makes a component and prints where it is")
    })?;
    let mut component = Vec::new();
    let read = file.take(MAX_UPLOAD_BYTES as u64 + 1).read_to_end(&mut component);
    read.map_err(|e| wrong(Kind::Failed, &e.to_string()))?;
    if component.len() > MAX_UPLOAD_BYTES {
        return Err(wrong(Kind::Invalid, &format!("it is larger than {}", bytes(MAX_UPLOAD_BYTES as u64)))
            .help("build it in release mode and strip its debug information"));
    }
    // Magic number, then version 13 and layer 1 for a component; a core module has version 1 and layer 0.
    match component.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Ok(component),
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => {
            Err(wrong(Kind::Invalid, "it is a core WebAssembly module, not a component")
                .help("build it for wasm32-wasip2, as `tenter build` does"))
        }
        _ => Err(wrong(Kind::Invalid, "it is not WebAssembly")
            .help("`tenter build` makes a component and prints where it is")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_comes_from_the_file() {
        let name = |file: &str, name: Option<&str>| {
            let args = UploadArgs { file: file.into(), name: name.map(Into::into), grant_requested: false };
            name_of(&args).map(|n| n.to_string()).map_err(|e| e.message)
        };
        assert_eq!(name("target/Domain_Links.wasm", None).unwrap(), "domain-links");
        assert_eq!(name("x.wasm", Some("other")).unwrap(), "other");
        assert!(name("1.wasm", None).unwrap_err().contains("module name \"1\" is not valid"));
    }

    #[test]
    fn only_components_are_sent() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.wasm");
        assert_eq!(read(&path).unwrap_err().kind, Kind::NotFound);
        std::fs::write(&path, b"\0asm\x01\0\0\0").unwrap();
        assert!(read(&path).unwrap_err().message.ends_with("it is a core WebAssembly module, not a component"));
        std::fs::write(&path, b"#!/bin/sh").unwrap();
        assert!(read(&path).unwrap_err().message.ends_with("it is not WebAssembly"));
        std::fs::write(&path, b"\0asm\x0d\0\x01\0").unwrap();
        assert_eq!(read(&path).unwrap().len(), 8);
    }
}
