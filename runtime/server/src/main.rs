//! The `tenter` binary: HTTP, command line, configuration and composition.
//!
//! This package alone reads flags, the environment and the real clock. Errors of commands become exit codes in
//! [`error`]; what a command prints goes through [`output`].

use std::process::ExitCode;

mod cli;
mod client;
mod embedded;
mod error;
mod output;
mod site;
mod token_file;

fn main() -> ExitCode {
    cli::main()
}
