//! A server as a process, with a site, data and a home of its own.

mod client;
mod dp3;
mod guests;
mod peer;
mod site;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use client::{Answer, Client};
pub(crate) use dp3::{Dp3, Known, Type};
pub(crate) use guests::{component, example};
pub(crate) use peer::Peer;
pub(crate) use site::Site;

/// How long a server may take to start or to settle. A machine that builds at the same time is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// What differs from run to run is replaced in the snapshots taken while the guard lives.
pub(crate) fn redacted() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b[0-9a-f]{32}\b", "[id]");
    settings.add_filter(r"http://127\.0\.0\.1:\d+", "[url]");
    settings.add_filter(r"after \d+ ms", "after [n] ms");
    settings.bind_to_scope()
}

/// Every accepted task has exactly one end.
#[track_caller]
pub(crate) fn assert_reconciled(status: &Value) {
    let n = |key: &str| status["tasks"][key].as_u64().unwrap_or_else(|| panic!("{key} in {status}"));
    assert_eq!(n("accepted"), n("applied") + n("denied") + n("dead") + n("pending"), "{}", status["tasks"]);
}

/// Asks until the answer is yes.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(PAUSE);
    }
}

/// The binary, in an environment of its own: nothing of the person's home is read or written.
pub(crate) fn tenter(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenter"));
    let temp = home.join("tmp");
    std::fs::create_dir_all(&temp).unwrap();
    command.current_dir(home).env("HOME", home).env("XDG_STATE_HOME", home.join("state")).env("TMPDIR", temp);
    for name in ["TENTER_LOG", "TENTER_TOKEN", "TENTER_TRACES", "TENTER_URL"] {
        command.env_remove(name);
    }
    command
}

/// Sends a signal, such as `INT`, to a process that the test started.
#[track_caller]
pub(crate) fn signal(name: &str, child: &Child) {
    let done = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(done.success(), "kill -{name}: {done}");
}

/// Waits for the end of a process.
#[track_caller]
pub(crate) fn wait_for_exit(child: &mut Child) -> ExitStatus {
    let mut status = None;
    wait_for("the process to end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    status.unwrap()
}

/// A running server with its site and data. It derefs to a client with the operator's token. Killed on drop.
pub(crate) struct Server {
    home: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
    client: Client,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl std::ops::Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Server {
    /// Starts a server for a site and waits until it is ready.
    pub(crate) fn start(site: &Site) -> Self {
        Self::start_with(site, Vec::new())
    }

    /// The same with variables in its environment, also when it is started again.
    pub(crate) fn start_with(site: &Site, variables: Vec<(&'static str, String)>) -> Self {
        let home = tempfile::tempdir().unwrap();
        site.write(&home.path().join("site"));
        let (child, client, log) = spawn(home.path(), &variables);
        Self { home, variables, client, child, log }
    }

    /// Stops it in order and starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Stops it in order.
    pub(crate) fn stop(&mut self) {
        signal("TERM", &self.child);
        let status = wait_for_exit(&mut self.child);
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Starts one that was stopped, on the same data.
    pub(crate) fn start_again(&mut self) {
        (self.child, self.client, self.log) = spawn(self.home.path(), &self.variables);
    }

    /// The binary where the server has `site` and `data`.
    pub(crate) fn command(&self) -> Command {
        tenter(self.home.path())
    }

    /// What a command says to this server, as its operator, and its exit code: output, errors, code. It has a home of its
    /// own.
    pub(crate) fn cli(&self, args: &[&str]) -> (String, String, i32) {
        let home = tempfile::tempdir().unwrap();
        self.cli_at(home.path(), args)
    }

    /// The same in a home that is given.
    pub(crate) fn cli_at(&self, home: &Path, args: &[&str]) -> (String, String, i32) {
        let token = self.token.clone().unwrap();
        let output = tenter(home).args(["--url", &self.url, "--token", &token]).args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr), output.status.code().unwrap())
    }

    /// The folder of the configuration.
    pub(crate) fn site(&self) -> PathBuf {
        self.home.path().join("site")
    }

    /// Removes a file of the configuration.
    pub(crate) fn forget(&self, path: &str) {
        std::fs::remove_file(self.home.path().join("site").join(path)).unwrap();
    }

    /// Writes another configuration, which the running server does not look at by itself.
    pub(crate) fn rewrite(&self, site: &Site) {
        site.write(&self.home.path().join("site"));
    }

    /// The same with another configuration.
    pub(crate) fn restart_with(&mut self, site: &Site) {
        self.rewrite(site);
        self.restart();
    }

    /// The same after a sudden death.
    pub(crate) fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.client, self.log) = spawn(self.home.path(), &self.variables);
    }

    /// What it wrote to stderr since its start.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The process is the one that was started, answers, and is ready.
    #[track_caller]
    pub(crate) fn assert_well(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the server ended: {}", self.log());
        let ready = self.get("/readyz");
        assert_eq!(ready.status, 200, "{}", ready.body);
        // Lines of the log are JSON, those of a panic of the server are not.
        assert!(!self.log().lines().any(|line| line.starts_with("thread '")), "{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server said:\n{}", self.log());
        }
    }
}

fn spawn(home: &Path, variables: &[(&str, String)]) -> (Child, Client, Arc<Mutex<String>>) {
    let data: PathBuf = home.join("data");
    let mut command = tenter(home);
    command.args(["serve", "site", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let log = Arc::new(Mutex::new(String::new()));
    let (found, url) = mpsc::channel();
    let (stderr, copy) = (child.stderr.take().unwrap(), log.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Some((_, url)) = line.split_once(" on http://").filter(|_| line.contains("serving ")) {
                // Asked for once; the test may be over.
                let _gone = found.send(format!("http://{}", url.trim()));
            }
            let mut log = copy.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    let Ok(url) = url.recv_timeout(PATIENCE) else {
        child.kill().unwrap();
        panic!("no address from `tenter serve`; it said:\n{}", log.lock().unwrap());
    };
    let token = std::fs::read_to_string(data.join("operator-token")).unwrap().trim().to_owned();
    let client = Client::new(&url, Some(token));
    wait_for("/readyz", || client.try_send("GET", "/readyz", b"", &[]).is_ok_and(|a| a.status == 200));
    (child, client, log)
}
