//! `tenter module upload`.

use serde_json::Value;
use tenter_model::ModuleName;

use super::{UploadArgs, component, show, sign};
use crate::cli::Context;
use crate::client::{part, query};
use crate::error::{CliError, Kind};
use crate::output::{bytes, field};

/// Seconds that the server may take: it compiles the component before it answers.
const PATIENCE: u64 = 600;

pub(super) fn run(args: &UploadArgs, context: &Context) -> anyhow::Result<()> {
    let name = name_of(args)?;
    let bytes_of_it = component::read(&args.file)?;
    let client = context.patient_client(PATIENCE)?;
    let spinner = indicatif::ProgressBar::new_spinner();
    if context.out.draws() {
        spinner.set_message(format!("uploading {name}, {}; the server compiles it", bytes(bytes_of_it.len() as u64)));
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    } else {
        spinner.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let path = format!(
        "/api/v1/modules/{}{}",
        part(name.as_str()),
        query(&[
            ("grant_requested", Some(args.grant_requested.to_string())),
            ("allow_downgrade", Some(args.allow_downgrade.to_string())),
            ("signature", signature(args)?),
        ])
    );
    let answer = client.demand("PUT", &path, Some(("application/wasm", &bytes_of_it)));
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
    if module.get("configured") == Some(&Value::Bool(false)) {
        context.out.note(&format!(
            "{name} {} is installed and not called: {}",
            field(&module, "version"),
            field(&module, "problem")
        ));
        context.out.next(&format!("tenter module config {name} --schema"));
    } else if missing.is_empty() {
        context.out.note(&format!("{name} {} serves", field(&module, "version")));
        context.out.next("tenter datapoint send FILE");
    } else {
        let version = module.get("waiting").map_or(String::new(), |w| format!(" {}", field(w, "version")));
        let serves =
            if version.is_empty() { String::new() } else { format!("; {} serves on", field(&module, "version")) };
        context.out.note(&format!("{name}{} waits: it asks for what is not granted{serves}", version.trim_end()));
        for grant in missing {
            context.out.next(&format!("tenter grant {name} {grant}"));
        }
    }
    Ok(())
}

/// The signature beside the component, or the one that was named.
fn signature(args: &UploadArgs) -> Result<Option<String>, CliError> {
    let beside = sign::beside(&args.file);
    let path = match &args.signature {
        Some(path) => path,
        None if beside.is_file() => &beside,
        None => return Ok(None),
    };
    let wrong = |why: String| CliError::new(Kind::Invalid, format!("cannot use {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let signature: Value = serde_json::from_str(&text).map_err(|e| wrong(format!("it is no signature: {e}")))?;
    Ok(Some(signature.to_string()))
}

fn name_of(args: &UploadArgs) -> Result<ModuleName, CliError> {
    let name = match &args.name {
        Some(name) => ModuleName::new(name).map_err(|e| CliError::new(Kind::Usage, e.to_string())),
        None => component::name_of(&args.file),
    };
    name.map_err(|e| e.help("`--name NAME` sets another name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_comes_from_the_file() {
        let name = |file: &str, name: Option<&str>| {
            let args = UploadArgs {
                file: file.into(),
                name: name.map(Into::into),
                grant_requested: false,
                allow_downgrade: false,
                signature: None,
            };
            name_of(&args).map(|n| n.to_string()).map_err(|e| e.message)
        };
        assert_eq!(name("target/Domain_Links.wasm", None).unwrap(), "domain-links");
        assert_eq!(name("x.wasm", Some("other")).unwrap(), "other");
        assert!(name("1.wasm", None).unwrap_err().contains("module name \"1\" is not valid"));
    }
}
