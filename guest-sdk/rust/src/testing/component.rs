//! Calls a built component through the real sandbox by running `tenter run`. The contract is `PROTOCOL.md` beside the
//! SDK's `Cargo.toml`; this file is the whole of the SDK's side.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::testing::expect::{among, changed};
use crate::time::Timestamp;

mod calls;

/// A built component and the program that runs it.
///
/// ```no_run
/// use tenter_sdk::Task;
/// use tenter_sdk::testing::{Component, json};
/// let label = Component::open("target/wasm32-wasip2/release/label.wasm")?;
/// let output = label.on_entity_creation(&Task::of("ip", "10.0.0.1")).run()?;
/// output.expect_tasks(json!([{"data_points": [{"attr": "label", "v": "private"}]}]));
/// assert!(output.fuel < 100_000);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone)]
pub struct Component {
    path: PathBuf,
    program: OsString,
    config: Json,
    grants: Vec<String>,
    site: Option<PathBuf>,
    now: Option<Timestamp>,
}

/// What `tenter run` printed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Output {
    /// `ok`, or the reason code of the failure, such as `invalid-input` or `out-of-fuel`.
    pub result: String,
    /// Why, unless `ok`.
    #[serde(default)]
    pub message: Option<String>,
    /// The tasks, with DP³'s names.
    #[serde(default)]
    pub tasks: Vec<Json>,
    /// Of `correlate` and `correlate-with-record`.
    #[serde(default)]
    pub changes: Vec<Json>,
    /// Of `allow-entity-creation`.
    #[serde(default)]
    pub verdict: Option<Json>,
    /// The log.
    #[serde(default)]
    pub log: Vec<Line>,
    /// Fuel used.
    pub fuel: u64,
    /// Time taken, in microseconds.
    pub micros: u64,
    /// Largest sum of linear memories, in bytes.
    pub memory_bytes: u64,
    /// What other kinds return, by the names of `PROTOCOL.md`.
    #[serde(flatten)]
    pub more: serde_json::Map<String, Json>,
}

/// One message of the log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// debug, info, warning or error.
    pub level: String,
    /// The text.
    pub message: String,
}

impl Output {
    /// Expects these tasks; see [`crate::testing::expect_tasks`].
    ///
    /// # Panics
    /// When something differs, or when the call failed.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "called with json!(...)")]
    pub fn expect_tasks(&self, expected: Json) {
        self.expect_ok();
        super::expect_json(&Json::from(self.tasks.clone()), &expected);
    }

    /// Expects that one of the tasks is this one; others do not matter.
    ///
    /// # Panics
    /// When none is, or when the call failed.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "called with json!(...)")]
    pub fn expect_task_among(&self, expected: Json) {
        self.expect_ok();
        among(&self.tasks, &expected);
    }

    /// Expects these changes of a correlation hook; see [`crate::testing::expect_changes`].
    ///
    /// # Panics
    /// When something differs, or when the call failed.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "called with json!(...)")]
    pub fn expect_changes(&self, expected: Json) {
        self.expect_ok();
        changed(&self.changes, &expected);
    }

    /// Expects that the call did not fail.
    ///
    /// # Panics
    /// When it failed, with the reason.
    #[track_caller]
    pub fn expect_ok(&self) {
        assert!(self.result == "ok", "the call failed: {}: {}", self.result, self.message.as_deref().unwrap_or("-"));
    }
}

/// A call that [`Call::run`] makes.
#[derive(Debug)]
pub struct Call<'a> {
    component: &'a Component,
    kind: &'static str,
    input: Json,
    subscription: Option<String>,
}

impl Component {
    /// A component file, run by the program that `TENTER_BIN` names, else by `tenter` on the search path.
    ///
    /// # Errors
    /// When there is no such file: build it first.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, String> {
        #[allow(
            clippy::disallowed_methods,
            reason = "tests of authors are told by the environment which program to use"
        )]
        let program = std::env::var_os("TENTER_BIN").unwrap_or_else(|| "tenter".into());
        Self::open_with(path, program)
    }

    /// A component file, run by that program.
    ///
    /// # Errors
    /// When there is no such file: build it first.
    pub fn open_with(path: impl AsRef<Path>, program: impl Into<OsString>) -> Result<Self, String> {
        let path = path.as_ref().to_owned();
        if !path.is_file() {
            return Err(format!("there is no component {}; build it with `tenter build`", path.display()));
        }
        Ok(Self { path, program: program.into(), config: json!({}), grants: Vec::new(), site: None, now: None })
    }

    /// Sets the configuration.
    #[must_use]
    pub fn config(mut self, config: Json) -> Self {
        self.config = config;
        self
    }

    /// Grants this and nothing else that is not named; without any, all that the module asks for is granted.
    #[must_use]
    pub fn grant(mut self, capability: &str, scope: &str) -> Self {
        self.grants.push(format!("{capability} {scope}").trim_end().to_owned());
        self
    }

    /// Checks values by the entity specification of this configuration directory.
    #[must_use]
    pub fn site(mut self, dir: impl Into<PathBuf>) -> Self {
        self.site = Some(dir.into());
        self
    }

    /// Sets the time of calls.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// A call of that kind with an input as `PROTOCOL.md` describes it.
    #[must_use]
    pub fn call(&self, kind: &'static str, input: Json) -> Call<'_> {
        Call { component: self, kind, input, subscription: None }
    }
}

impl Call<'_> {
    /// Calls this subscription only.
    #[must_use]
    pub fn subscription(mut self, id: impl Into<String>) -> Self {
        self.subscription = Some(id.into());
        self
    }

    /// Makes the call.
    ///
    /// # Errors
    /// When the call could not be made at all. What the module answered, an error too, is in the output.
    pub fn run(self) -> Result<Output, String> {
        let config = ConfigFile::write(&self.component.config)?;
        let mut command = Command::new(&self.component.program);
        command.arg("run").arg(&self.component.path).args(["--hook", self.kind, "-o", "json", "--input", "-"]);
        command.arg("--config").arg(&config.0);
        for grant in &self.component.grants {
            command.args(["--grant", grant]);
        }
        if let Some(id) = &self.subscription {
            command.args(["--subscription", id]);
        }
        if let Some(now) = self.component.now {
            command.args(["--now", &now.to_string()]);
        }
        if let Some(site) = &self.component.site {
            command.arg("--site").arg(site);
        }
        let name = self.component.program.display().to_string();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot run {name}: {e}; install tenter, or name it in TENTER_BIN"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that refuses its arguments does not read; its message counts, not the broken pipe.
            drop(stdin.write_all(self.input.to_string().as_bytes()));
        }
        let done = child.wait_with_output().map_err(|e| format!("{name}: {e}"))?;
        if !done.status.success() {
            return Err(format!("{name} run: {}: {}", done.status, String::from_utf8_lossy(&done.stderr).trim()));
        }
        serde_json::from_slice(&done.stdout).map_err(|e| {
            format!("{name} run printed what is no output: {e}\n{}", String::from_utf8_lossy(&done.stdout))
        })
    }
}

/// The configuration in a file of its own for the time of a call.
struct ConfigFile(PathBuf);

impl ConfigFile {
    fn write(config: &Json) -> Result<Self, String> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("tenter-sdk-{}-{}.json", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, config.to_string()).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        // Left over in the temporary folder when it cannot be removed.
        drop(std::fs::remove_file(&self.0));
    }
}
