//! A server as a process, and the few requests that tests make.

mod guests;
mod site;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) use guests::{component, example};
pub(crate) use site::Site;

/// How long a server may take to start or to settle. A machine that builds at the same time is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The media type.
    pub(crate) content_type: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.body))
    }

    /// The body as JSON of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.json()
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// Where the server is.
    pub(crate) url: String,
    /// Sent with each request, when there is one.
    pub(crate) token: Option<String>,
    agent: ureq::Agent,
}

impl Client {
    /// A client of the server at this place.
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build();
        Self { url: url.to_owned(), token, agent: config.into() }
    }

    /// The same without a token.
    pub(crate) fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// Sends a request, with headers beside the usual ones.
    pub(crate) fn send(&self, method: &str, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        self.try_send(method, path, body, headers).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// The same; an error when the server does not answer.
    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        headers: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if body.is_empty() && method != "POST" && method != "PUT" {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        let content_type = response.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
        let body = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
        Ok(Answer { status: response.status().as_u16(), content_type: content_type.unwrap_or_default(), body })
    }

    /// Any GET.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, b"", &[])
    }

    /// A GET that succeeds.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> Value {
        self.get(path).expect(200)
    }

    /// A POST with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body.to_string().as_bytes(), &[("content-type", "application/json")])
    }

    /// A DELETE.
    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, b"", &[])
    }

    /// Sends datapoints, which are accepted.
    #[track_caller]
    pub(crate) fn post_datapoints(&self, datapoints: &Value) {
        assert_eq!(self.post("/datapoints", datapoints).expect(200), json!({"detail": "OK"}));
    }

    /// Uploads a component without granting anything.
    pub(crate) fn upload(&self, name: &str, component: &[u8]) -> Answer {
        self.send("PUT", &format!("/api/v1/modules/{name}"), component, &[("content-type", "application/wasm")])
    }

    /// Uploads a component and grants what it asks for; it is in use afterwards.
    #[track_caller]
    pub(crate) fn install(&self, name: &str, component: &[u8]) -> Value {
        let path = format!("/api/v1/modules/{name}?grant_requested=true");
        let answer = self.send("PUT", &path, component, &[("content-type", "application/wasm")]).expect(200);
        assert_eq!(answer["state"], "active", "{answer}");
        answer["module"].clone()
    }

    /// The modules, in calling order: name, enabled, digest, and subscriptions that are switched on.
    pub(crate) fn running_set(&self) -> Value {
        let modules = self.read("/api/v1/modules");
        let brief = |m: &Value| json!({"name": m["name"], "enabled": m["enabled"], "digest": m["digest"], "loaded": m["loaded"]});
        let modules: Vec<Value> = modules["modules"].as_array().unwrap().iter().map(brief).collect();
        json!({"modules": modules, "hooks": self.read("/api/v1/hooks")["hooks"]})
    }

    /// Waits until nothing is pending and gives the status.
    #[track_caller]
    pub(crate) fn settle(&self) -> Value {
        let mut status = Value::Null;
        wait_for("the queue to become empty", || {
            status = self.read("/api/v1/status");
            status["tasks"]["pending"] == 0
        });
        status
    }

    /// Failures of hooks, newest first.
    pub(crate) fn errors(&self, module: &str) -> Vec<Value> {
        rows(&self.read(&format!("/api/v1/errors?limit=1000&module={module}"))["errors"])
    }

    /// Dead letters, newest first.
    pub(crate) fn deadletters(&self) -> Vec<Value> {
        rows(&self.read("/api/v1/deadletters?limit=1000")["deadletters"])
    }

    /// Raw datapoints, newest first; `query` such as `attr=hostname&eid=192.0.2.1`.
    pub(crate) fn raw(&self, etype: &str, query: &str) -> Vec<Value> {
        rows(&self.read(&format!("/entity/{etype}/raw/get?limit=0&{query}"))["data"])
    }

    /// The master record.
    pub(crate) fn master(&self, etype: &str, eid: &str) -> Value {
        self.read(&format!("/entity/{etype}/{eid}/master"))
    }

    /// Calls of a hook since the start.
    pub(crate) fn calls(&self, module: &str, hook: &str) -> u64 {
        let status = self.read("/api/v1/status");
        let calls = status["hook_calls"].as_array().unwrap();
        calls.iter().filter(|c| c["module"] == module && c["hook"] == hook).map(|c| c["calls"].as_u64().unwrap()).sum()
    }

    /// Every id of a type.
    pub(crate) fn ids(&self, etype: &str) -> Vec<Value> {
        let (mut ids, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.read(&format!("/api/v1/entities/{etype}?limit=1000{after}"));
            ids.extend(rows(&page["entities"]).into_iter().map(|e| e["eid"].clone()));
            match &page["next"] {
                Value::Null => return ids,
                next => after = format!("&after={}", next.as_str().map_or_else(|| next.to_string(), str::to_owned)),
            }
        }
    }
}

/// What differs from run to run is replaced in the snapshots taken while the guard lives.
pub(crate) fn redacted() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\b[0-9a-f]{32}\b", "[id]");
    settings.add_filter(r"http://127\.0\.0\.1:\d+", "[url]");
    settings.add_filter(r"after \d+ ms", "after [n] ms");
    settings.bind_to_scope()
}

fn rows(list: &Value) -> Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).clone()
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
    for name in ["TENTER_LOG", "TENTER_TOKEN", "TENTER_URL"] {
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
        let home = tempfile::tempdir().unwrap();
        site.write(&home.path().join("site"));
        let (child, client, log) = spawn(home.path());
        Self { home, client, child, log }
    }

    /// Stops it in order and starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        signal("TERM", &self.child);
        let status = wait_for_exit(&mut self.child);
        assert!(status.success(), "{status}: {}", self.log());
        (self.child, self.client, self.log) = spawn(self.home.path());
    }

    /// The same after a sudden death.
    pub(crate) fn crash_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.client, self.log) = spawn(self.home.path());
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

fn spawn(home: &Path) -> (Child, Client, Arc<Mutex<String>>) {
    let data: PathBuf = home.join("data");
    let mut command = tenter(home);
    command.args(["serve", "site", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
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
