//! `tenter token`: who may do what at the server.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenter_model::case::LookUpKind;
use tenter_model::time::Clock as _;
use tenter_store::{Store, StoreError, StoreOptions};

use crate::api;
use crate::auth::{self, Role, Scope, Scopes};
use crate::cli::Context;
use crate::client::part;
use crate::clock::SystemClock;
use crate::error::{CliError, Kind};
use crate::output::{field, members};

/// What can be done.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a token. It is printed once and stored as a digest alone.
    #[command(after_help = auth::scope::help())]
    Create {
        /// What it allows; each role includes those named before it: viewer, ingester, analyst, author, operator. Without
        /// it, the least role in which the scopes can be used.
        #[arg(long, required_unless_present = "scope")]
        role: Option<Role>,
        /// Restrict it to a part of what its role allows; may be given several times.
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<Scope>,
        /// Whose it is or what for.
        #[arg(long, default_value = "")]
        label: String,
        /// How long it holds, such as 90d or 12h; without it, until it is revoked.
        #[arg(long, value_name = "DURATION")]
        expires: Option<String>,
        /// The login of the user of case management that it stands for. Without it, it may do nothing with cases; that of
        /// an operator acts as the first user.
        #[arg(long, value_name = "LOGIN")]
        user: Option<String>,
        /// Write into the store in this folder instead of asking a server.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// List tokens, without the tokens themselves.
    List,
    /// Revoke a token; it is refused from then on.
    Revoke {
        /// The first digits of its digest, as `tenter token list` shows it.
        digest: String,
    },
}

/// Does it.
///
/// # Errors
/// When there is no server or it refuses.
pub(crate) fn run(command: Command, context: &Context) -> anyhow::Result<()> {
    match command {
        Command::Create { role, scope, label, expires, user, data: None } => {
            let scopes = scope.iter().map(ToString::to_string).collect::<Vec<_>>();
            let role = role.map(Role::name);
            let body = json!({"role": role, "scopes": scopes, "label": label, "expires": expires, "user": user});
            let made = context.client()?.send("POST", "/api/v1/tokens", Some(&body))?;
            shown(&made, context)
        }
        Command::Create { role, scope, label, expires, user, data: Some(data) } => {
            let scopes = Scopes::from(scope);
            let role = auth::role_for(role, &scopes).map_err(|why| CliError::new(Kind::Usage, why))?;
            let token = create_in(&data, role, &scopes, &label, expires.as_deref(), user.as_deref())?;
            let made = json!({
                "token": token, "role": role.name(), "scopes": scopes.texts(), "label": label, "user": user,
            });
            shown(&made, context)
        }
        Command::List => {
            let answer = context.client()?.get("/api/v1/tokens")?;
            let tokens = members(&answer, "tokens");
            context.out.list(
                tokens,
                &[
                    ("digest", &|t| field(t, "digest")),
                    ("role", &|t| field(t, "role")),
                    ("scopes", &|t| field(t, "scopes")),
                    ("label", &|t| field(t, "label")),
                    ("user", &|t| field(t, "user")),
                    ("created", &|t| field(t, "created")),
                    ("expires", &|t| field(t, "expires")),
                    ("last used", &|t| field(t, "last_used")),
                ],
            )
        }
        Command::Revoke { digest } => {
            let answer = context.client()?.send("DELETE", &format!("/api/v1/tokens/{}", part(&digest)), None)?;
            context.out.one(&answer, |a| format!("{} is revoked\n", field(a, "revoked")))?;
            context.out.next("tenter token list");
            Ok(())
        }
    }
}

/// Makes a token and writes its digest into a store that no server has open.
fn create_in(
    data: &Path,
    role: Role,
    scopes: &Scopes,
    label: &str,
    expires: Option<&str>,
    user: Option<&str>,
) -> anyhow::Result<String> {
    if !data.is_dir() {
        return Err(CliError::new(Kind::NotFound, format!("{} is not a folder", data.display()))
            .help("name the folder of the data, as `tenter serve` prints it at start")
            .into());
    }
    let now = SystemClock.now();
    let wrong = |why: String| CliError::new(Kind::Usage, format!("--expires: {why}"));
    let expires = expires.map(|text| api::token_ends(text, now)).transpose().map_err(wrong)?;
    let store = Store::open(data, StoreOptions::default(), now).map_err(refused)?;
    let user = user.map(|login| user_of(&store, login)).transpose()?;
    let token = auth::new_token()?;
    let row = auth::row(&token, role, scopes, label, expires, now);
    store.add_token(row).map_err(refused)?;
    if let Some(user) = user {
        store.bind_token(auth::digest(&token), user, auth::binder("command line", user, now)).map_err(refused)?;
    }
    store.close().map_err(refused)?;
    Ok(token)
}

/// The id of the user of that login.
fn user_of(store: &Store, login: &str) -> anyhow::Result<i64> {
    let reader = store.reader().map_err(refused)?;
    let found = reader.cases(None, None, |world| world.row_by_name(LookUpKind::User, login)).map_err(refused)?;
    let missing = || CliError::new(Kind::NotFound, format!("no user of case management has the login {login:?}"));
    Ok(found.ok_or_else(missing)?.id)
}

/// A refusal of the store; that of a store in use has a way round it.
fn refused(error: StoreError) -> CliError {
    match error {
        StoreError::Locked(_) => CliError::new(Kind::Conflict, error.to_string())
            .help("a server has it open: `tenter token create` without `--data` asks that server"),
        other => CliError::new(Kind::Failed, other.to_string()),
    }
}

fn shown(made: &Value, context: &Context) -> anyhow::Result<()> {
    context.out.one(made, |t| format!("{}\n", field(t, "token")))?;
    context.out.note("this token is shown once and cannot be read again");
    context.out.next("TENTER_TOKEN=... tenter status");
    Ok(())
}
