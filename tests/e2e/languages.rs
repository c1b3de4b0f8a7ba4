//! Modules in every language, as their authors meet them: `new`, `build`, `test`, `upload`, and the effect is there; and
//! the examples of each language, with their tests.
//!
//! What a language needs is not part of a checkout. Where it is missing the test says so and passes, unless
//! `TENTER_REQUIRE` names the language (`python`, `js`, `go`, `c`). Everything is built below one folder that stays, so that
//! compilers find what they made the last time.

#![allow(clippy::disallowed_methods, reason = "what a test must have comes from the environment")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Server, Site, tenter};

/// Languages, and what `TENTER_REQUIRE` calls each.
const LANGUAGES: [(&str, &str); 6] =
    [("python", "python"), ("javascript", "js"), ("typescript", "js"), ("go", "go"), ("c", "c"), ("zig", "c")];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// What `TENTER_REQUIRE` calls a language.
fn called(language: &str) -> &'static str {
    LANGUAGES.iter().find(|(name, _)| *name == language).unwrap().1
}

/// A folder that outlives the test, for languages with the same tools: what compilers keep for the next time is in it.
fn home(language: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("languages").join(called(language))
}

/// The folder of a language in it.
fn place(language: &str) -> PathBuf {
    let place = home(language).join(language);
    std::fs::create_dir_all(&place).unwrap();
    place
}

/// Runs the program in a language's folder.
fn run(language: &str, args: &[&str]) -> Output {
    let place = place(language);
    tenter(&home(language)).current_dir(place).args(args).output().unwrap()
}

#[track_caller]
fn done(language: &str, args: &[&str]) -> Value {
    let output = run(language, &[args, &["-o", "json"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{language}: tenter {args:?}: {}\n{errors}", output.status);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// Whether the language can be built here; says so when not, and fails when it has to be.
fn is_there(language: &str) -> bool {
    let found = done(language, &["doctor"]);
    let row = found["languages"].as_array().unwrap().iter().find(|l| l["language"] == language).unwrap().clone();
    if row["ready"] == true {
        return true;
    }
    let called = called(language);
    let required = std::env::var("TENTER_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == called), "TENTER_REQUIRE names {called}: {row}");
    // Seen though the test passes, which what is printed is not.
    std::io::stderr()
        .write_all(format!("SKIPPED modules in {language}: {} is missing\n", row["missing"]).as_bytes())
        .unwrap();
    false
}

/// The way of the README, in five commands.
fn a_new_module_works(language: &str) {
    let name = format!("first-{language}");
    let dir = place(language).join(&name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    done(language, &["new", &name, "--lang", language]);
    let built = done(language, &["build", &name]);
    assert!(built["families"].as_array().unwrap().contains(&json!("ingest")), "{built}");
    let file = dir.join(format!("{name}.wasm"));
    assert_eq!(built["size"], std::fs::metadata(&file).unwrap().len());
    assert_eq!(built["built"]["language"], language, "{built}");
    let tests = dir.join("tests");
    done(language, &["test", "--component", file.to_str().unwrap(), tests.to_str().unwrap()]);

    let server = Server::start(&Site::of_folder(&root().join("runtime/server/site-template")));
    let (out, errors, code) = server.cli(&["module", "upload", file.to_str().unwrap(), "--grant-requested"]);
    assert_eq!(code, 0, "{language}: {out}{errors}");
    server.post_datapoints(&json!([
        {"type": "ip", "id": "192.0.2.1", "attr": "open_ports", "v": 80, "t1": "2026-01-01T00:00:00Z"}
    ]));
    server.settle();
    let greeting = server.master("ip", "192.0.2.1")["greeting"]["v"].clone();
    assert!(greeting.as_str().is_some_and(|g| g.ends_with("192.0.2.1") || g.ends_with("192.0.2.1!")), "{greeting}");
    assert_eq!(server.errors(&name), Vec::<Value>::new());
}

/// Builds each example of a language from a copy and runs its tests.
fn the_examples_pass(language: &str, folder: &str) {
    let examples = root().join("guest-examples").join(folder);
    let mut seen = 0;
    for example in std::fs::read_dir(&examples).unwrap().flatten().map(|e| e.path()) {
        let manifest = std::fs::read_to_string(example.join("tenter.toml")).unwrap_or_default();
        if !manifest.contains(&format!("language = \"{language}\"")) {
            continue;
        }
        seen += 1;
        let copy = place(language).join(example.file_name().unwrap());
        copy_over(&example, &copy);
        // Tests may name the site of an example by a path from where they stand.
        let tests = example.join("tests");
        let built = done(language, &["build", copy.to_str().unwrap()]);
        done(language, &["test", "--component", built["file"].as_str().unwrap(), tests.to_str().unwrap()]);
    }
    assert!(seen > 0, "there is an example in {language} in {}", examples.display());
}

fn copy_over(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_over(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

macro_rules! languages {
    ($($module:ident: $language:literal $(in $folder:literal)?;)*) => {$(
        mod $module {
            #[test]
            fn a_new_module_works() {
                if super::is_there($language) {
                    super::a_new_module_works($language);
                }
            }

            $(#[test]
            fn the_examples_pass() {
                if super::is_there($language) {
                    super::the_examples_pass($language, $folder);
                }
            })?
        }
    )*};
}

languages! {
    python: "python" in "python";
    javascript: "javascript" in "js";
    typescript: "typescript" in "typescript";
    go: "go" in "go";
    c: "c" in "c";
    zig: "zig" in "zig";
}

/// A module of DFIR-IRIS as it is, by the one command of `docs/from-iris.md`.
#[test]
fn a_module_of_iris_runs_unchanged() {
    if !is_there("python") {
        return;
    }
    let example = root().join("guest-examples/python/iris-reputation");
    let (example, tests) = (example.to_str().unwrap().to_owned(), example.join("tests"));
    let file = place("python").join("iris-reputation.wasm");
    let built = done("python", &["build", "--from-iris", &example, "--out", file.to_str().unwrap()]);
    assert_eq!(built["title"], "Reputation", "{built}");
    let asked: Vec<&str> =
        built["requests"].as_array().unwrap().iter().filter_map(|r| r["capability"].as_str()).collect();
    assert_eq!(asked, ["http", "resolver", "secret", "case-write", "case-write"], "{built}");
    done("python", &["test", "--component", file.to_str().unwrap(), tests.to_str().unwrap()]);
}

/// Modules of DP³ as they are, by the one command of `docs/from-dp3.md`: all that DP³'s registrar knows is registered by one
/// of them, and its effects are expected.
#[test]
fn modules_of_dp3_run_unchanged() {
    if !is_there("python") {
        return;
    }
    let mut seen = 0;
    for folder in std::fs::read_dir(root().join("tests/guests/dp3")).unwrap().flatten().map(|e| e.path()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let source = folder.join(format!("{name}.py"));
        if !source.is_file() {
            continue;
        }
        seen += 1;
        let (source, tests) = (source.to_str().unwrap().to_owned(), folder.join("tests"));
        let file = place("python").join(format!("{name}.wasm"));
        let file = file.to_str().unwrap();
        let config = folder.join(format!("{name}.yml"));
        let mut build = vec!["build", "--from-dp3", &source, "--out", file];
        if config.is_file() {
            build.extend(["--config", config.to_str().unwrap()]);
        }
        done("python", &build);
        done("python", &["test", "--component", file, tests.to_str().unwrap()]);
    }
    assert_eq!(seen, 6, "modules of DP³ in tests/guests/dp3");
}
