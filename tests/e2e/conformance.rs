//! The conformance suite of `tests/conformance` over the guest *echo* of each language: the same cases, the same
//! results.
//!
//! A language whose tools are not on this machine is skipped with a notice, unless `TENTER_REQUIRE` names it, such as in
//! `TENTER_REQUIRE=python,js,go,c`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::tenter;

#[test]
fn rust() {
    let home = tempfile::tempdir().unwrap();
    conforms(home.path(), &tenter_guest_build::at_test("test-echo-rust"));
}

#[test]
fn python() {
    of_language("python");
}

#[test]
fn js() {
    of_language("js");
}

#[test]
fn go() {
    of_language("go");
}

#[test]
fn c() {
    of_language("c");
}

/// Builds the guest in a folder of its own, and runs the suite over it.
fn of_language(language: &str) {
    let source = root().join(format!("tests/guests/echo-{language}"));
    if !source.join("tenter.toml").is_file() {
        return skipped(language, &format!("there is no {}", source.display()));
    }
    // Stays, so that compilers and the cache of compiled code find what they made the last time.
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance").join(language);
    let folder = home.join("echo");
    copy(&source, &folder);
    let built = tenter(&home).args(["build", "echo", "-o", "json"]).output().unwrap();
    let told = String::from_utf8_lossy(&built.stderr);
    // 3: a tool was not found.
    if built.status.code() == Some(3) {
        return skipped(language, told.trim());
    }
    assert!(built.status.success(), "echo in {language} does not build:\n{told}");
    let built: Value = serde_json::from_slice(&built.stdout).unwrap();
    conforms(&home, &home.join(built["file"].as_str().unwrap()));
}

/// Runs the suite.
fn conforms(home: &Path, component: &Path) {
    let mut command = tenter(home);
    command.args(["test", "--quiet", "--component"]).arg(component).arg(root().join("tests/conformance"));
    let output = command.output().unwrap();
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let failed: Vec<&str> = told.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(output.status.success(), "{}\n{why}", failed.join("\n"));
    // The suite is there, and all of it ran.
    assert!(told.lines().filter(|line| line.starts_with("ok ")).count() >= 40, "{told}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "what a test must have comes from the environment")]
fn skipped(language: &str, why: &str) {
    let required = std::env::var("TENTER_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == language), "TENTER_REQUIRE names {language}: {why}");
    // Seen though the test passes, which what is printed is not.
    let notice = format!("SKIPPED conformance of {language}: {why}\n");
    std::io::stderr().write_all(notice.as_bytes()).unwrap();
}
