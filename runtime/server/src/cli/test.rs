//! `tenter test`: the tests of a module.
//!
//! Tests are data, in the folder `tests` beside the module: files of cases that say what goes into a hook, what is
//! around it, and what is to come out (`docs/modules.md` describes them). They run in the sandbox of the server with
//! its limits, whatever language the module is written in.
//!
//! A module in Rust may have tests of cargo beside them. Those are told where the component is and which program runs
//! it, so that what uses the SDK's `testing::Component` calls it in the sandbox.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::module::component;
use crate::cli::workbench::{Workbench, cache_dir};
use crate::cli::{Context, build};
use crate::error::{CliError, Kind};
use crate::output::{Format, field, plain};

mod file;
mod matching;
mod outside;
mod perform;
mod spot;

use file::Case;
use outside::Scripted;
use perform::{Outcome, Subject};

/// What it is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of the module; with `--component` files of tests and folders of them [default: tests].
    #[arg(value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Test this component, which is not built.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Only cases whose name has this text in it.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// What `cargo test` is told, behind `--`.
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Builds and tests. What cargo prints goes to stderr.
///
/// # Errors
/// When the module does not build, a file of tests is malformed, or a test fails.
pub(crate) fn run(args: &Args, context: &Context) -> anyhow::Result<()> {
    if let Some(component) = &args.component {
        let tests = if args.dirs.is_empty() { vec!["tests".into()] } else { args.dirs.clone() };
        let cases = cases(&tests, args.only.as_deref())?;
        if cases.is_empty() {
            return Err(nothing(&tests, args.only.as_deref()).into());
        }
        let results = run_cases(component, &cases, context)?;
        return finish(component, &results, None, context);
    }
    let dir = match args.dirs.as_slice() {
        [] => Path::new("."),
        [dir] => dir,
        _ => {
            return Err(CliError::new(Kind::Usage, "one module is tested at a time")
                .help("with `--component FILE` several folders of tests can be named")
                .into());
        }
    };
    let component = build::build_in(dir, context)?;
    let (results, cargo) = test_in(dir, &component, args.only.as_deref(), &args.rest, context)?;
    if results.is_empty() && cargo.is_none() {
        return Err(nothing(&[dir.join("tests")], args.only.as_deref()).into());
    }
    finish(&component, &results, cargo, context)?;
    context.out.next(&format!("tenter module upload {}", component.display()));
    Ok(())
}

/// Tests a module that is built, as [`run`] does; one without any test passes.
///
/// # Errors
/// When a file of tests is malformed, or a test fails.
pub(crate) fn test_built(dir: &Path, component: &Path, context: &Context) -> anyhow::Result<()> {
    let (results, cargo) = test_in(dir, component, None, &[], context)?;
    finish(component, &results, cargo, context)
}

/// Results of cases, and of cargo where that was run.
type Results = (Vec<(Case, Outcome)>, Option<bool>);

/// Tests a built module in its folder.
fn test_in(
    dir: &Path,
    component: &Path,
    only: Option<&str>,
    rest: &[String],
    context: &Context,
) -> anyhow::Result<Results> {
    let tests = dir.join("tests");
    let cases = if tests.is_dir() { cases(&[tests], only)? } else { Vec::new() };
    let results = if cases.is_empty() { Vec::new() } else { run_cases(component, &cases, context)? };
    let is_rust = dir.join("Cargo.toml").is_file();
    let cargo = if is_rust { Some(cargo_test(dir, component, rest, context)?) } else { None };
    Ok((results, cargo))
}

/// The cases of files and folders.
fn cases(places: &[PathBuf], only: Option<&str>) -> Result<Vec<Case>, CliError> {
    let mut cases = Vec::new();
    for place in places {
        for path in file::files_in(place)? {
            cases.extend(file::read(&path)?);
        }
    }
    cases.retain(|case| only.is_none_or(|text| case.name.contains(text)));
    Ok(cases)
}

fn nothing(places: &[PathBuf], only: Option<&str>) -> CliError {
    let places = places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ");
    let named = only.map_or(String::new(), |text| format!(" with {text:?} in its name"));
    CliError::new(Kind::NotFound, format!("there is no case{named} in {places}"))
        .help("tests are files such as tests/cases.yml; docs/modules.md describes them")
}

/// Runs the cases and prints each as it ends.
fn run_cases(component: &Path, cases: &[Case], context: &Context) -> anyhow::Result<Vec<(Case, Outcome)>> {
    let bytes = component::read(component)?;
    let name = component::name_of(component).or_else(|_| tenter_model::ModuleName::new("module"))?;
    let outside = Arc::new(Scripted::default());
    let bench = Workbench::reaching(outside.clone(), cache_dir())?;
    bench.compile(&name, &bytes, &context.out)?;
    let subject = Subject { bench: &bench, outside: &outside, name: &name, bytes: &bytes };
    let mut results = Vec::new();
    for case in cases {
        let outcome = subject.run(case);
        if context.out.format == Format::Table {
            context.out.text(&human(case, &outcome))?;
        }
        results.push((case.clone(), outcome));
    }
    Ok(results)
}

/// Prints the sum, and fails where something failed.
fn finish(component: &Path, results: &[(Case, Outcome)], cargo: Option<bool>, context: &Context) -> anyhow::Result<()> {
    let failed = results.iter().filter(|(_, outcome)| !outcome.passed()).count();
    let passed = failed == 0 && cargo != Some(false);
    let answer = json!({
        "passed": passed,
        "component": component.display().to_string(),
        "cases": results.iter().map(|(case, outcome)| shown(case, outcome)).collect::<Vec<_>>(),
        "cargo": cargo.map(|passed| if passed { "passed" } else { "failed" }),
    });
    context.out.one(&answer, |_| {
        let cargo = match cargo {
            Some(true) => "; cargo test passed",
            Some(false) => "; cargo test failed",
            None => "",
        };
        format!("{} passed, {failed} failed{cargo}\n", results.len() - failed)
    })?;
    if !passed {
        let what = match (failed, cargo) {
            (0, _) => "tests of cargo failed".to_owned(),
            (1, _) => "1 case failed".to_owned(),
            (n, _) => format!("{n} cases failed"),
        };
        let help = if failed == 0 { "what cargo printed above says which" } else { "what is printed above says why" };
        return Err(CliError::new(Kind::TestsFailed, what).help(help).into());
    }
    Ok(())
}

/// Runs `cargo test` and tells whether it passed.
fn cargo_test(dir: &Path, component: &Path, rest: &[String], context: &Context) -> anyhow::Result<bool> {
    let component = component.canonicalize().with_context(|| format!("cannot find {}", component.display()))?;
    let mut cargo = Command::new("cargo");
    cargo.arg("test").current_dir(dir).args(rest).stdin(Stdio::null());
    cargo.env("TENTER_BIN", std::env::current_exe()?).env("TENTER_COMPONENT", &component);
    if context.out.quiet {
        cargo.arg("--quiet");
    }
    Ok(cargo.stdout(std::io::stderr()).status().context("cannot run cargo")?.success())
}

/// A case as JSON.
fn shown(case: &Case, outcome: &Outcome) -> Value {
    let difference = |d: &matching::Difference| json!({"path": d.path, "expected": d.expected, "found": d.found});
    json!({
        "name": case.name,
        "file": case.file,
        "line": case.line,
        "passed": outcome.passed(),
        "error": outcome.error,
        "differences": outcome.differences.iter().map(difference).collect::<Vec<_>>(),
        "log": outcome.log,
        "unanswered": outcome.unanswered,
    })
}

/// A case for people.
fn human(case: &Case, outcome: &Outcome) -> String {
    if outcome.passed() {
        return format!("ok      {}\n", plain(&case.name));
    }
    let mut text = format!("FAILED  {} ({}:{})\n", plain(&case.name), case.file, case.line);
    if let Some(error) = &outcome.error {
        text.push_str(&format!("    {}\n", plain(error)));
    }
    for difference in &outcome.differences {
        text.push_str(&format!("    {}\n", plain(&difference.path)));
        text.push_str(&format!("        expected {}\n", plain(&difference.expected)));
        text.push_str(&format!("        found    {}\n", plain(&difference.found)));
    }
    for asked in &outcome.unanswered {
        text.push_str(&format!("    the case has no answer for: {}\n", plain(asked)));
    }
    if !outcome.log.is_empty() {
        text.push_str("    log\n");
    }
    for line in &outcome.log {
        text.push_str(&format!("        {:8}{}\n", field(line, "level"), plain(&field(line, "message"))));
    }
    text
}

#[cfg(test)]
mod tests;
