//! The server as a process: started, told to end, killed.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A server that was told to end ends within this time.
pub(crate) const TERM_BOUND: Duration = Duration::from_secs(10);
/// A server that cannot serve within this time is a failure.
const START_BOUND: Duration = Duration::from_secs(60);
/// The number of the signal that cannot be caught.
const SIGKILL: i32 = 9;
/// The number of the signal that a process sends itself.
const SIGABRT: i32 = 6;

/// A server that was started. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    reader: Option<JoinHandle<()>>,
    log: Vec<String>,
}

/// How a server ended.
pub(crate) struct Stopped {
    pub(crate) code: Option<i32>,
    pub(crate) at: Instant,
    pub(crate) log: String,
}

impl Server {
    /// Starts it with a command that says all but where its words go.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        let reader = std::thread::spawn(move || {
            // An error of sending means that the test has ended.
            stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)).ok();
        });
        Self { child, lines, reader: Some(reader), log: Vec::new() }
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it serves.
    pub(crate) fn wait_until_serving(&mut self) {
        let bound = Instant::now() + START_BOUND;
        while !self.log.iter().any(|line| line.starts_with("serving ")) {
            match self.lines.recv_timeout(bound.saturating_duration_since(Instant::now())) {
                Ok(line) => self.log.push(line),
                Err(_) => panic!("the server does not serve:\n{}", self.stop_and_log()),
            }
        }
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.kill_in_place();
    }

    /// SIGKILL, for a place in which the next server will stand. It must have lived until then, and without a panic.
    pub(crate) fn kill_in_place(&mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        let log = self.rest_of_log();
        assert_eq!(status.signal(), Some(SIGKILL), "the server had ended by itself, {status}:\n{log}");
        assert_no_panic(&log);
    }

    /// Waits until it has died at the place that it was given. It must do so within the bound, and of that alone.
    pub(crate) fn wait_for_death(mut self, place: &str) {
        let bound = Instant::now() + START_BOUND;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > bound => panic!("nothing came by {place}:\n{}", self.stop_and_log()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let log = self.rest_of_log();
        assert_eq!(status.signal(), Some(SIGABRT), "the server ended otherwise at {place}, {status}:\n{log}");
        assert_no_panic(&log);
    }

    /// SIGTERM.
    pub(crate) fn tell_to_end(&self) {
        // A shell's own `kill` is everywhere; the standard library has no way to send this signal.
        let status = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> Stopped {
        let bound = Instant::now() + 3 * TERM_BOUND;
        let code = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status.code(),
                None if Instant::now() > bound => panic!("the server does not end:\n{}", self.stop_and_log()),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let (at, log) = (Instant::now(), self.rest_of_log());
        assert_no_panic(&log);
        Stopped { code, at, log }
    }

    /// SIGTERM, and waits.
    pub(crate) fn terminate(self) -> Stopped {
        self.tell_to_end();
        self.wait()
    }

    fn stop_and_log(&mut self) -> String {
        self.child.kill().ok();
        self.child.wait().ok();
        self.rest_of_log()
    }

    /// All that it said; it must have ended.
    fn rest_of_log(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.log.extend(self.lines.try_iter());
        self.log.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn assert_no_panic(log: &str) {
    assert!(!log.contains("panicked at"), "the server panicked:\n{log}");
}
