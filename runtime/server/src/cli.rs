//! The command line: what can be said, and who does it. One file per command.
//!
//! Rules that hold for all: data goes to stdout in the form of `-o`, everything else to stderr; nothing is
//! asked for interactively, except by `schema-update` at a terminal; a success names the command that is useful next; a failure says what to do and ends with
//! the exit code of its kind.

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};
use tenter_model::Timestamp;

use crate::client::Client;
use crate::error::{self, CliError};
use crate::output::{Format, Output};

mod action;
mod audit;
mod backup;
mod bench;
mod build;
mod case;
mod cases;
mod check;
mod control;
mod datapoint;
mod deadletter;
mod demo;
mod dev;
mod doctor;
mod entity;
mod grant;
mod health;
mod hook;
mod init;
mod invocation;
mod ioc;
mod module;
mod new;
mod pages;
mod run;
mod schema;
mod schema_update;
mod secret;
mod serve;
mod snapshot;
mod status;
mod telemetry;
mod test;
mod token;
mod why;
mod wit;
mod workbench;

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 conflict, 6 invalid input or configuration,
7 server unreachable, 8 timeout, 9 tests failed, 130 interrupted.";

/// Run modules of other people at every hook of your data platform, in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "tenter", version, after_help = EXIT_CODES, propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command has.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Form of the data on stdout.
    #[arg(short, long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
    /// Print data and errors alone: no progress, no advice.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// The server [default: http://127.0.0.1:5000, or else what answers there or on port 8081 of this machine].
    #[arg(long, global = true, env = "TENTER_URL", value_name = "URL")]
    url: Option<String>,
    /// Token for the server; by itself the one that a server on this machine left for its owner.
    #[arg(long, global = true, env = "TENTER_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// How long to wait for an answer [default: 60, for uploads 600].
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the whole way of data on bundled logs, in a temporary folder.
    Demo(demo::Args),
    /// Write a site: a folder of configuration that `check` and `serve` take as it is.
    Init(init::Args),
    /// Check a folder of configuration; needs no server.
    Check(check::Args),
    /// Print JSON Schemas of the configuration files, for editors.
    Schema(schema::Args),
    /// Serve a site.
    Serve(serve::Args),
    /// Make stored data fit a specification of entities that has changed; shows what is lost, and asks.
    SchemaUpdate(schema_update::Args),
    /// Show whether a server answers, and what kind it is.
    Health,
    /// Show how the server is doing.
    Status(status::Args),
    /// Begin a module in a new folder that builds anywhere.
    New(new::Args),
    /// Build a module to a component.
    Build(build::Args),
    /// Show which languages modules can be built in here, and how to install what is missing for the others.
    Doctor,
    /// Write the contract between host and modules, for languages that there is no template for.
    Wit(wit::Args),
    /// Test a module: cases that are data, in the sandbox, and the tests of its own language.
    Test(test::Args),
    /// Build, test and upload a module at each change of its files.
    Dev(dev::Args),
    /// Call one hook of a component and show what it returns; nothing is stored, no server is needed.
    Run(run::Args),
    /// Install and look after modules.
    #[command(subcommand)]
    Module(module::Command),
    /// Make keys to sign modules with.
    #[command(subcommand)]
    Key(module::sign::KeyCommand),
    /// Grant a capability to a module.
    #[command(after_help = grant::capabilities())]
    Grant(grant::Args),
    /// Take a capability away from a module.
    Revoke(grant::Args),
    /// Set secrets that modules use and never see.
    #[command(subcommand)]
    Secret(secret::Command),
    /// Make tokens for the server.
    #[command(subcommand)]
    Token(token::Command),
    /// Show hooks, and switch what is subscribed to them.
    #[command(subcommand)]
    Hook(hook::Command),
    /// Send datapoints.
    #[command(subcommand)]
    Datapoint(datapoint::Command),
    /// Look at entities, and change them.
    #[command(subcommand)]
    Entity(entity::Command),
    /// Make snapshots: current values of all entities, fused by modules; and list runs.
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Have the server do something now, by the names that DP³ has for it.
    Control(control::Args),
    /// Show how data come in and what becomes of them, by the names that DP³ has for it.
    #[command(subcommand)]
    Telemetry(telemetry::Command),
    /// Show which hooks ran for an entity, and which did not and why.
    Why(why::Args),
    /// Show tasks that could not be processed, and try them again.
    #[command(subcommand)]
    Deadletter(deadletter::Command),
    /// Open cases of incident response, and look at them.
    #[command(subcommand)]
    Case(case::Command),
    /// Add indicators to cases, and look at them.
    #[command(subcommand)]
    Ioc(ioc::Command),
    /// Click what modules offer on case objects, and see what came of it.
    #[command(subcommand)]
    Action(action::Command),
    /// Show calls of hooks.
    #[command(subcommand)]
    Invocation(invocation::Command),
    /// Show who changed what at the server.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Copy the data, check a copy, and go back to it.
    #[command(subcommand)]
    Backup(backup::Command),
    /// Measure what the sandbox, the queue and the disk cost on this machine; needs no server.
    Bench(bench::Args),
    /// Print a completion script for a shell.
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What every command is given beside its arguments.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where it prints to.
    pub(crate) out: Output,
    url: Option<String>,
    token: Option<String>,
    timeout: Option<u64>,
}

impl Context {
    /// A client for the server that the options name.
    ///
    /// # Errors
    /// When the URL cannot be one.
    pub(crate) fn client(&self) -> Result<Client, CliError> {
        self.patient_client(60)
    }

    /// A client that waits this many seconds, unless `--timeout` says otherwise.
    ///
    /// # Errors
    /// When the URL cannot be one.
    pub(crate) fn patient_client(&self, seconds: u64) -> Result<Client, CliError> {
        let timeout = Duration::from_secs(self.timeout.unwrap_or(seconds));
        match &self.url {
            Some(url) => Client::new(url, self.token.clone(), timeout),
            None => Client::local(self.token.clone(), timeout),
        }
    }
}

/// Reads the command line, does what it says and gives the exit code.
pub(crate) fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let context = Context {
        out: Output { format: global.output, quiet: global.quiet },
        url: global.url,
        token: global.token,
        timeout: global.timeout,
    };
    run(command, &context).unwrap_or_else(|e| error::report(&e))
}

fn run(command: Command, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(args) => return demo::run(&args, context),
        Command::Serve(args) => return serve::run(&args, context),
        Command::SchemaUpdate(args) => schema_update::run(&args, context)?,
        Command::Schema(args) => schema::run(&args, context)?,
        Command::Init(args) => init::run(&args, context)?,
        Command::Check(args) => check::run(&args, context)?,
        Command::Health => health::run(context)?,
        Command::Status(args) => status::run(&args, context)?,
        Command::New(args) => new::run(&args, context)?,
        Command::Build(args) => build::run(&args, context)?,
        Command::Doctor => doctor::run(context)?,
        Command::Wit(args) => wit::run(&args, context)?,
        Command::Test(args) => test::run(&args, context)?,
        Command::Dev(args) => dev::run(&args, context)?,
        Command::Run(args) => run::run(&args, context)?,
        Command::Module(command) => module::run(command, context)?,
        Command::Key(command) => module::sign::key(&command, context)?,
        Command::Grant(args) => grant::grant(&args, context)?,
        Command::Revoke(args) => grant::revoke(&args, context)?,
        Command::Secret(command) => secret::run(command, context)?,
        Command::Token(command) => token::run(command, context)?,
        Command::Hook(command) => hook::run(command, context)?,
        Command::Datapoint(datapoint::Command::Send(args)) => datapoint::run(&args, context)?,
        Command::Entity(command) => entity::run(command, context)?,
        Command::Snapshot(command) => snapshot::run(&command, context)?,
        Command::Control(args) => control::run(&args, context)?,
        Command::Telemetry(command) => telemetry::run(&command, context)?,
        Command::Why(args) => why::run(&args, context)?,
        Command::Deadletter(command) => deadletter::run(&command, context)?,
        Command::Case(command) => case::run(&command, context)?,
        Command::Ioc(command) => ioc::run(&command, context)?,
        Command::Action(command) => action::run(&command, context)?,
        Command::Invocation(command) => invocation::run(&command, context)?,
        Command::Audit(command) => audit::run(&command, context)?,
        Command::Backup(command) => backup::run(&command, context)?,
        Command::Bench(args) => bench::run(&args, context)?,
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tenter", &mut script);
            context.out.text(&String::from_utf8_lossy(&script))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A time as an argument.
fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| format!("{text:?} is not a time such as 2030-01-01T00:00:00Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_go_anywhere() {
        let before = Cli::try_parse_from(["tenter", "-o", "json", "--url", "http://h:1", "module", "list"]).unwrap();
        let after = Cli::try_parse_from(["tenter", "module", "list", "--url", "http://h:1", "-o", "json"]).unwrap();
        for cli in [before, after] {
            assert_eq!((cli.global.output, cli.global.url.as_deref()), (Format::Json, Some("http://h:1")));
        }
    }
    fn page() -> String {
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md")).unwrap()
    }

    /// The words of a command line as a shell splits them, as far as the page needs it.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn what_the_page_names_for_dp3s_shell_are_commands() {
        let page = page();
        let table = page.split("### From `dp3 sh`").nth(1).unwrap().split("\n### ").next().unwrap();
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).skip(1).collect();
        assert!(rows.len() >= 29, "{}", rows.len());
        for row in rows {
            let (_, ours) = row.rsplit_once(" | `").unwrap();
            let ours = ours.trim_end_matches(" |").trim_end_matches('`');
            for line in ours.split("`, `") {
                assert!(line.starts_with("tenter "), "{row}");
                if let Err(error) = Cli::try_parse_from(words(line)) {
                    panic!("{line}: {error}");
                }
            }
        }
    }

    #[test]
    fn the_page_has_every_command_for_data() {
        fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
            let mut inner = command.get_subcommands().peekable();
            if inner.peek().is_none() {
                found.push(path.to_owned());
            }
            inner.for_each(|inner| leaves(inner, &format!("{path} {}", inner.get_name()), found));
        }
        let (command, page, mut found) = (Cli::command(), page(), Vec::new());
        for name in ["health", "entity", "control", "telemetry", "datapoint", "snapshot", "why"] {
            leaves(command.find_subcommand(name).unwrap(), name, &mut found);
        }
        assert!(found.len() > 25, "{found:?}");
        for path in found {
            assert!(
                page.contains(&format!("{path} ")) || page.contains(&format!("{path}`")),
                "docs/cli.md lacks {path}"
            );
        }
    }
}
