//! A place for one test: a site, a data directory, a home and a port, and the server that is started there.

use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tenter_model::{ModuleName, Timestamp};
use tenter_store::{DeadFilter, DeadKind, Store, StoreOptions};

use crate::check::{self, Report};
use crate::http::Connection;
use crate::job::Job;
use crate::ledger::{Fate, Ledger};
use crate::load;
use crate::random::Random;
use crate::server::{Server, TERM_BOUND};

const NODE: &str = "\
entity: {id: node, id_data_type: string, name: Node, snapshot: false}
attribs:
  note: &unique
    name: Note
    description: What the load sends.
    type: observations
    data_type: string
    multi_value: true
    history_params: {pre_validity: 0s, post_validity: 0s, aggregate: false}
  echo:
    <<: *unique
    name: Echo
    description: What the module makes of a note.
";

const ECHO_NOTE: &str = "enabled_modules: [echo-note]\n";

/// When the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answers {
    AfterCommit,
    /// The negative control.
    BeforeCommit,
}

/// Folders and a port.
pub(crate) struct Place {
    dir: tempfile::TempDir,
    port: u16,
    answers: Answers,
}

impl Place {
    /// Makes one for the load, on the disk that holds the build: a file system in memory would make commits too short.
    pub(crate) fn new(answers: Answers, random: &mut Random) -> Self {
        let place = Self::of_site(&[("db_entities/node.yml", NODE), ("processing_core.yml", ECHO_NOTE)], random);
        Self { answers, ..place }
    }

    /// One with these files of configuration.
    pub(crate) fn of_site(files: &[(&str, &str)], random: &mut Random) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        let place = Self { dir, port: free_port(random), answers: Answers::AfterCommit };
        place.configure("");
        files.iter().for_each(|(path, text)| place.write(path, text));
        place
    }

    /// A twin with all that a server which has ended left.
    pub(crate) fn copy(&self, random: &mut Random) -> Self {
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        copy(self.dir.path(), dir.path());
        Self { dir, port: free_port(random), answers: self.answers }
    }

    /// Writes a file of configuration.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join("site").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The folder in which all is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    /// A connection to the server, which must run.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.port).unwrap()
    }

    /// Starts the server and waits until it serves.
    pub(crate) fn start(&self) -> Server {
        let mut server = self.spawn();
        server.wait_until_serving();
        server
    }

    /// Starts the server, which tells errors alone: not what modules do.
    pub(crate) fn start_quiet(&self) -> Server {
        let mut server = self.spawn_with("error", &[]);
        server.wait_until_serving();
        server
    }

    /// Starts the server and kills it after that time, whatever it is at.
    pub(crate) fn start_and_kill(&self, after: Duration) {
        let server = self.spawn();
        std::thread::sleep(after);
        server.kill();
    }

    /// Writes the server's own settings. How full the disk of the tests is does not matter.
    pub(crate) fn configure(&self, settings: &str) {
        self.write("tenter.yml", &format!("min_free_mib: 0\n{settings}"));
    }

    /// Waits until so many more tasks are done.
    pub(crate) fn wait_until_applied(&self, more: u64) {
        let mut server = self.connect();
        let bound = Instant::now() + 3 * TERM_BOUND;
        let mut applied = || server.get("/api/v1/status")["tasks"]["applied"].as_u64().unwrap();
        let before = applied();
        while applied() < before + more {
            assert!(Instant::now() < bound, "no {more} tasks are done in {:?}", 3 * TERM_BOUND);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Tasks that wait.
    pub(crate) fn pending(&self) -> u64 {
        self.connect().get("/api/v1/status")["tasks"]["pending"].as_u64().unwrap()
    }

    /// Waits for empty queues; gives the counts of tasks.
    pub(crate) fn drained(&self) -> serde_json::Value {
        check::drained(&mut self.connect())
    }

    /// The server that has ended left one dead letter, of a task that stopped it.
    pub(crate) fn assert_one_poisoned(&self) {
        let dead = self.open_store().reader().unwrap().dead(&DeadFilter::default(), 10).unwrap();
        assert_eq!(dead.iter().map(|row| row.letter.kind).collect::<Vec<_>>(), [DeadKind::Poison], "{dead:?}");
    }

    /// Starts a server that dies at a named place of its store.
    pub(crate) fn start_to_die(&self, place: &str) -> Server {
        self.spawn_with("warn", &["--crash-at", place])
    }

    fn spawn(&self) -> Server {
        self.spawn_with("warn", &[])
    }

    fn spawn_with(&self, log: &str, more: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenter"));
        command.args(["serve", "site", "--data", "data", "--log", log, "--listen"]);
        command.arg(format!("127.0.0.1:{}", self.port)).args(more);
        if self.answers == Answers::BeforeCommit {
            command.arg("--acknowledge-before-commit");
        }
        let home = self.dir.path().join("home");
        command.current_dir(self.dir.path()).env("HOME", &home).env("XDG_STATE_HOME", home.join("state"));
        command.env_remove("TENTER_LOG").env_remove("TENTER_TOKEN").env_remove("TENTER_URL");
        Server::spawn(&mut command)
    }

    /// Uploads the module that the tests count with.
    pub(crate) fn upload_module(&self) {
        self.upload("echo-note", &std::fs::read(tenter_guest_build::at_test("test-echo-note")).unwrap());
    }

    /// Sends the module to a server that may die of it.
    pub(crate) fn try_upload(&self) -> std::io::Result<(u16, String)> {
        self.try_upload_of(&std::fs::read(tenter_guest_build::at_test("test-echo-note")).unwrap())
    }

    /// Uploads a component that must serve at once.
    pub(crate) fn upload(&self, module: &str, component: &[u8]) {
        let path = format!("/api/v1/modules/{module}?grant_requested=true");
        let (status, body) = self.operate("PUT", &path, component).unwrap();
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("\"state\":\"active\""), "{body}");
    }

    /// The rows of errors that a module has, at most 1000.
    pub(crate) fn errors_of(&self, module: &str) -> Vec<serde_json::Value> {
        let (status, body) = self.operate("GET", &format!("/api/v1/errors?module={module}&limit=1000"), b"").unwrap();
        assert_eq!(status, 200, "{body}");
        let mut answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        answer["errors"].as_array_mut().map(std::mem::take).unwrap()
    }

    /// Sends a build of the module.
    pub(crate) fn try_upload_of(&self, component: &[u8]) -> std::io::Result<(u16, String)> {
        self.operate("PUT", "/api/v1/modules/echo-note?grant_requested=true", component)
    }

    /// The names and states of the modules that the server has; those that it is to have and has not are left out.
    pub(crate) fn modules(&self) -> String {
        let (status, body) = self.operate("GET", "/api/v1/modules", b"").unwrap();
        assert_eq!(status, 200);
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(answer["modules"].is_array(), "{answer}");
        answer["modules"].to_string()
    }

    /// Asks the server for something as its operator; it may die of it.
    pub(crate) fn operate(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<(u16, String)> {
        let token = std::fs::read_to_string(self.dir.path().join("data/operator-token")).unwrap();
        let (status, body) = Connection::open(self.port)?.request(method, path, Some(token.trim()), body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Starts the load.
    pub(crate) fn start_load(&self) -> Load {
        Load(Job::Load { port: self.port, ledger: self.ledger() }.start())
    }

    /// Puts tasks back into the queue that careful starts took for poison, since they were found running at three deaths;
    /// gives how many. There must be no other dead letters.
    pub(crate) fn replay_poisoned(&self) -> usize {
        self.drained();
        let mut replayed = 0;
        loop {
            let (status, body) = self.operate("GET", "/api/v1/deadletters?limit=1000", b"").unwrap();
            assert_eq!(status, 200, "{body}");
            let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
            let letters = answer["deadletters"].as_array().unwrap();
            if letters.is_empty() {
                return replayed;
            }
            for letter in letters {
                assert_eq!(letter["kind"], "poison", "{letter}");
                let path = format!("/api/v1/deadletters/{}/retry", letter["seq"]);
                let (status, body) = self.operate("POST", &path, b"").unwrap();
                assert_eq!(status, 200, "{body}");
                replayed += 1;
            }
            self.drained();
        }
    }

    /// Lets another process compare the ledger with what the server has.
    pub(crate) fn check(&self) -> Report {
        let report = self.dir.path().join("report.json");
        let job = Job::Check { port: self.port, ledger: self.ledger(), report: report.clone() };
        let status = job.start().wait().unwrap();
        assert!(status.success(), "the checker failed; its words stand above");
        serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap()
    }

    /// Sends that many notes in one request, which must be answered with yes. Their numbers are far above the load's.
    pub(crate) fn send_heap(&self, notes: u64) {
        let fate = load::request(&mut self.connect(), &Ledger::open(&self.ledger()), 1 << 30, notes, Fate::Broken);
        assert_eq!(fate, Fate::Answered);
    }

    /// Tasks in the queues of the server that has ended, and whether it ended in order. Counts must agree.
    pub(crate) fn waiting(&self) -> (u64, bool) {
        let store = self.open_store();
        let reader = store.reader().unwrap();
        let counters = reader.counters().unwrap();
        assert_eq!(reader.check().unwrap(), Vec::<String>::new(), "the database is damaged");
        assert_eq!(reader.audit().unwrap(), counters, "counts and rows do not agree");
        assert!(counters.reconciles(), "{counters:?}");
        (counters.pending, store.health().stopped_cleanly_before)
    }

    /// Compares what the server that has ended left on disk with what the checker saw.
    pub(crate) fn assert_audit(&self, report: &Report) {
        assert_eq!(self.waiting().0, 0);
        let reader = self.open_store().reader().unwrap();
        let counters = reader.counters().unwrap();
        let notes: u64 = report.applied.values().sum();
        assert_eq!(counters.accepted, report.tasks + notes, "what was sent, and a task for each echo: {counters:?}");
        assert_eq!(counters.applied, counters.accepted, "{counters:?}");
        assert_eq!((counters.raw_points, counters.derived_points), (2 * notes, notes));
        let module = ModuleName::new("echo-note").unwrap();
        for (eid, notes) in &report.applied {
            let state = reader.state_get(&module, &format!("echoed/{eid}"), Timestamp(i64::MAX)).unwrap();
            let counted = state.map(|(bytes, _)| String::from_utf8(bytes).unwrap());
            assert_eq!(counted, Some(notes.to_string()), "state of the module for {eid}");
        }
    }

    /// Opens what the server that has ended left.
    pub(crate) fn open_store(&self) -> Store {
        let now = Timestamp(1_800_000_000_000_000);
        Store::open(&self.dir.path().join("data"), StoreOptions::default(), now).unwrap()
    }

    /// How long after a moment the port refused a connection.
    pub(crate) fn wait_until_refused(&self, since: Instant) -> Duration {
        let address = (Ipv4Addr::LOCALHOST, self.port).into();
        loop {
            // A full queue of connections lets an attempt wait, which is no refusal.
            let attempt = TcpStream::connect_timeout(&address, Duration::from_millis(50));
            if attempt.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
                return since.elapsed();
            }
            assert!(since.elapsed() < TERM_BOUND, "new connections are still taken");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// A free port below those that the system gives to clients: a client that tries to reach a port of its own range
/// while nobody listens there can end up connected to itself, and then the server could not have the port back.
fn free_port(random: &mut Random) -> u16 {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (0..100).map(|_| u16::try_from(random.number(10_000..30_000)).unwrap()).find(free).expect("a free port")
}

/// The process that sends.
pub(crate) struct Load(Child);

impl Load {
    /// Lets it send nothing until it is told to go on.
    pub(crate) fn rest(&mut self) {
        self.tell(load::REST);
    }

    /// Lets it go on.
    pub(crate) fn go(&mut self) {
        self.tell(load::GO);
    }

    fn tell(&mut self, word: u8) {
        self.0.stdin.as_mut().unwrap().write_all(&[word]).unwrap();
    }

    /// Closes its input and waits until all its requests have their fate.
    pub(crate) fn stop(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success(), "the load failed; its words stand above");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // After `stop` it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
