//! Turns a directory of Zeek logs into datapoints for the demonstration's entity types.
//!
//! `cargo run -p tenter --example zeek-to-datapoints -- LOGDIR > datapoints.ndjson`
//!
//! Standard output gets one datapoint per line, ready for `POST /datapoints`; standard error gets a report of what was
//! read, what became of it and what was left out and why. The same logs always give the same bytes: files are visited
//! in the order of their names, nothing depends on a clock, and values are printed by rules of our own.
//!
//! The example is a model for converters of other data and no part of the runtime. `log` reads Zeek's two formats,
//! `output` collects datapoints, `profile` sums up what is known of an address or a domain over all logs, and
//! `convert` says what each log means, with the help of `certificate`.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

mod certificate;
mod convert;
mod log;
mod output;
mod profile;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(dir), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: zeek-to-datapoints LOGDIR > datapoints.ndjson");
        return ExitCode::from(2);
    };
    let conversion = match convert::convert(Path::new(&dir)) {
        Ok(conversion) => conversion,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = std::io::stdout().lock().write_all(conversion.ndjson.as_bytes()) {
        eprintln!("error: cannot write the datapoints: {error}");
        return ExitCode::FAILURE;
    }
    eprint!("{}", conversion.report);
    ExitCode::SUCCESS
}
