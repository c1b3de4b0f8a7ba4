//! `tenter secret`: what modules may use and never see.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use serde_json::{Value, json};
use tenter_model::limits::MAX_SECRET_BYTES;
use zeroize::Zeroizing;

use crate::cli::Context;
use crate::client::part;
use crate::error::{CliError, Kind};
use crate::output::{field, members};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Set a secret of a module. Its text is read from standard input, at a terminal without showing it.
    Set {
        /// The module.
        module: String,
        /// What the module calls it.
        name: String,
        /// Send it to this host alone, such as api.example.org or *.example.org; may be given several times. Without it,
        /// to every host that the module may reach.
        #[arg(long = "for", value_name = "HOST")]
        hosts: Vec<String>,
    },
    /// List the secrets of a module, without their texts.
    List {
        /// The module.
        module: String,
    },
    /// Forget a secret of a module.
    Remove {
        /// The module.
        module: String,
        /// The secret.
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// When there is no text, no server, or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Set { module, name, hosts } => {
            let text = read_text(context)?;
            let body = json!({"value": text.as_str(), "hosts": hosts});
            let path = format!("/api/v1/modules/{}/secrets/{}", part(&module), part(&name));
            let answer = context.client()?.send("PUT", &path, Some(&body))?;
            context.out.one(&answer, |_| format!("the secret {name} of {module} is set\n"))?;
            context.out.next(&format!("tenter secret list {module}"));
            Ok(())
        }
        Command::List { module } => {
            let answer = context.client()?.get(&format!("/api/v1/modules/{}/secrets", part(&module)))?;
            let secrets = members(&answer, "secrets");
            context.out.list(
                secrets,
                &[
                    ("name", &|s| field(s, "name")),
                    ("set", &|s| field(s, "set_at")),
                    ("granted", &|s| field(s, "granted")),
                    ("for", &|s| field(s, "hosts")),
                ],
            )?;
            let lacks = |key: &str| secrets.iter().find(|s| s.get(key) == Some(&Value::Bool(false)));
            if let Some(unset) = lacks("set") {
                context.out.next(&format!("tenter secret set {module} {}", field(unset, "name")));
            } else if let Some(closed) = lacks("granted") {
                context.out.next(&format!("tenter grant {module} secret {}", field(closed, "name")));
            }
            Ok(())
        }
        Command::Remove { module, name } => {
            let path = format!("/api/v1/modules/{}/secrets/{}", part(&module), part(&name));
            let answer = context.client()?.send("DELETE", &path, None)?;
            context.out.one(&answer, |_| format!("the secret {name} of {module} is forgotten\n"))?;
            context.out.next(&format!("tenter secret list {module}"));
            Ok(())
        }
    }
}

/// The text, without the end of its last line. Never an argument: those are for everybody on the machine to read.
fn read_text(context: &Context) -> anyhow::Result<Zeroizing<String>> {
    let stdin = std::io::stdin();
    let mut text = Zeroizing::new(String::new());
    if stdin.is_terminal() {
        context.out.note("type or paste the secret and press Enter; it is not shown");
        let _hidden = Hidden::begin();
        stdin.lock().read_line(&mut text)?;
    } else {
        stdin.lock().take(MAX_SECRET_BYTES as u64 + 3).read_to_string(&mut text)?;
    }
    let line = text.strip_suffix('\n').map_or(text.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest));
    let length = line.len();
    text.truncate(length);
    if text.is_empty() {
        let help = "such as: tenter secret set MODULE NAME < FILE";
        return Err(CliError::new(Kind::Usage, "standard input has no secret").help(help).into());
    }
    Ok(text)
}

/// A terminal that does not show what is typed, until it is dropped.
struct Hidden {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

#[cfg(unix)]
impl Hidden {
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok();
        if let Some(mut quiet) = before.clone() {
            quiet.local_modes.remove(LocalModes::ECHO);
            // A terminal that cannot is read all the same.
            let _shown = tcsetattr(&stdin, OptionalActions::Now, &quiet);
        }
        Self { before }
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        if let Some(before) = &self.before {
            let _stays = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
impl Hidden {
    fn begin() -> Self {
        Self {}
    }
}
