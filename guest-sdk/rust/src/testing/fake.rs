//! The host of native tests: the same functions as the imports, answered from maps. One per thread, as tests run.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::bindings::imports::tenter::hooks as contract;
use crate::record::MasterRecord;
use crate::task::Task;
use crate::time::Timestamp;
use crate::value::EntityRef;
use crate::view::EntityView;
use contract::log::Level;

/// What a test sets before a call and reads after it.
pub struct Host {
    /// What `call::now` answers; 2026-01-01T00:00:00Z at first.
    pub now: Timestamp,
    /// What `call::id` answers.
    pub call_id: String,
    /// What `call::cause` answers.
    pub cause: contract::call::CallCause,
    /// What `call::memo` answers in `after` and `manual`.
    pub memo: Option<String>,
    /// What `call::resume_after` was asked for last, in seconds, with the memo. To play the call that comes of it, make the
    /// memo that of the host.
    pub resume: Option<(u32, String)>,
    /// Seconds within which a call may be made again; 0: not at all.
    pub resume_within: u32,
    /// Whether a call may be made again at all: the harness sets it for `after` and `manual`.
    pub may_resume: bool,
    /// What `call::random` answers, counting up.
    pub random: u64,
    /// The module's private state.
    pub state: BTreeMap<String, Vec<u8>>,
    /// Capabilities that are refused, by name, such as `state`.
    pub denied: BTreeSet<String>,
    /// Stored entities, by type and id.
    pub records: BTreeMap<(String, String), MasterRecord>,
    /// Where folders are that `files` reads, by name.
    pub folders: BTreeMap<String, PathBuf>,
    /// What `views::fetch` finds beside the view at hand.
    pub views: Vec<EntityView>,
    /// What `entities::schema` answers.
    pub schema: String,
    /// What `entities::case_hooks` answers.
    pub case_hooks: Vec<String>,
    /// What `tasks::submit` took.
    pub submitted: Vec<Task>,
    /// Whether `tasks::submit` may be called: the harness sets it for `cron`.
    pub may_submit: bool,
    /// What `log::write` got, oldest first.
    pub logged: Vec<(Level, String)>,
    /// Answers to `http::send`, by method and URL, such as `GET https://example.org/a`.
    pub answers: BTreeMap<String, contract::http::Response>,
    /// What `http::send` got.
    pub requests: Vec<contract::http::Request>,
    /// Answers to `resolver::lookup`, by kind and name, such as `PTR 192.0.2.1`; `resolver::reverse` asks for `PTR`, and
    /// what a chosen server answers has it at the end, such as `A example.org at 192.0.2.53`.
    pub names: BTreeMap<String, Vec<String>>,
    /// Names of the secrets that are set.
    pub secrets: BTreeSet<String>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            now: Timestamp::from_secs(1_767_225_600),
            call_id: "test-call".into(),
            cause: contract::call::CallCause::Normal,
            memo: None,
            resume: None,
            resume_within: 90 * 86_400,
            may_resume: false,
            random: 0,
            state: BTreeMap::new(),
            denied: BTreeSet::new(),
            records: BTreeMap::new(),
            folders: BTreeMap::new(),
            views: Vec::new(),
            schema: "{}".into(),
            case_hooks: Vec::new(),
            submitted: Vec::new(),
            may_submit: false,
            logged: Vec::new(),
            answers: BTreeMap::new(),
            requests: Vec::new(),
            names: BTreeMap::new(),
            secrets: BTreeSet::new(),
        }
    }
}

impl Host {
    /// A value of the private state as text.
    #[must_use]
    pub fn state_text(&self, key: &str) -> Option<String> {
        self.state.get(key).map(|v| String::from_utf8_lossy(v).into_owned())
    }

    /// The messages of the log without their levels.
    #[must_use]
    pub fn messages(&self) -> Vec<&str> {
        self.logged.iter().map(|(_, message)| message.as_str()).collect()
    }

    /// Makes an entity known.
    pub fn know(&mut self, record: MasterRecord) {
        self.records.insert((record.entity.etype.clone(), record.entity.eid.clone()), record);
    }
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::new(Host::default());
}

/// Lends out the host of this thread. Do not call it, or an import, inside `f`.
pub fn host<R>(f: impl FnOnce(&mut Host) -> R) -> R {
    HOST.with(|h| f(&mut h.borrow_mut()))
}

/// The error when the capability is denied.
fn guard<E>(host: &Host, capability: &str, error: E) -> Result<(), E> {
    if host.denied.contains(capability) { Err(error) } else { Ok(()) }
}

pub(crate) mod log {
    use super::{Level, host};

    pub(crate) fn write(level: Level, message: &str) {
        host(|h| h.logged.push((level, message.to_owned())));
    }
}

pub(crate) mod call {
    use super::{contract::call::CallCause, host};

    pub(crate) fn now() -> i64 {
        host(|h| h.now.as_micros())
    }

    pub(crate) fn id() -> String {
        host(|h| h.call_id.clone())
    }

    pub(crate) fn cause() -> CallCause {
        host(|h| h.cause)
    }

    pub(crate) fn random() -> u64 {
        host(|h| {
            h.random = h.random.wrapping_add(1);
            h.random
        })
    }

    pub(crate) fn resume_after(seconds: u32, memo: &str) -> bool {
        const LONGEST: u32 = 7 * 86_400;
        const MAX_MEMO_BYTES: usize = 4 << 10;
        host(|h| {
            let in_time = (1..=h.resume_within.min(LONGEST)).contains(&seconds);
            let may = h.may_resume && in_time && memo.len() <= MAX_MEMO_BYTES;
            if may {
                h.resume = Some((seconds, memo.to_owned()));
            }
            may
        })
    }

    pub(crate) fn memo() -> Option<String> {
        host(|h| h.memo.clone().filter(|_| h.may_resume))
    }
}

pub(crate) mod state {
    use super::{Host, contract::state::StateError, guard, host};

    const MAX_KEY_BYTES: usize = 512;

    fn open<R>(key: &str, f: impl FnOnce(&mut Host) -> R) -> Result<R, StateError> {
        host(|h| {
            guard(h, "state", StateError::Denied)?;
            if key.len() > MAX_KEY_BYTES { Err(StateError::TooLarge) } else { Ok(f(h)) }
        })
    }

    pub(crate) fn fetch(key: &str) -> Result<Option<Vec<u8>>, StateError> {
        open(key, |h| h.state.get(key).cloned())
    }

    pub(crate) fn store(key: &str, value: &[u8], _keep_seconds: Option<u64>) -> Result<(), StateError> {
        open(key, |h| drop(h.state.insert(key.to_owned(), value.to_vec())))
    }

    pub(crate) fn discard(key: &str) -> Result<(), StateError> {
        open(key, |h| drop(h.state.remove(key)))
    }

    pub(crate) fn increment(key: &str, by: i64) -> Result<(), StateError> {
        open(key, |h| {
            let before = h.state_text(key).and_then(|t| t.parse().ok()).unwrap_or(0i64);
            h.state.insert(key.to_owned(), before.saturating_add(by).to_string().into_bytes());
        })
    }

    pub(crate) fn keys(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, StateError> {
        open(prefix, |h| {
            let found = h.state.keys().filter(|k| k.starts_with(prefix) && after.is_none_or(|a| k.as_str() > a));
            found.take(limit.clamp(1, 1000) as usize).cloned().collect()
        })
    }
}

pub(crate) mod entities {
    use super::{EntityRef, MasterRecord, contract::entities::ReadError, guard, host};

    pub(crate) fn read_record(entity: &EntityRef) -> Result<Option<MasterRecord>, ReadError> {
        host(|h| {
            guard(h, "read-entities", ReadError::Denied)?;
            Ok(h.records.get(&(entity.etype.clone(), entity.eid.clone())).cloned())
        })
    }

    pub(crate) fn known(entity: &EntityRef) -> Result<bool, ReadError> {
        read_record(entity).map(|r| r.is_some())
    }

    pub(crate) fn schema() -> String {
        host(|h| h.schema.clone())
    }

    pub(crate) fn case_hooks() -> Vec<String> {
        host(|h| h.case_hooks.clone())
    }
}

pub(crate) mod views {
    use super::{EntityRef, EntityView, contract::views::ViewError, guard, host};

    pub(crate) fn fetch(entity: &EntityRef) -> Result<Option<EntityView>, ViewError> {
        host(|h| {
            guard(h, "read-entities", ViewError::Denied)?;
            Ok(h.views.iter().find(|view| view.entity == *entity).cloned())
        })
    }
}

pub(crate) mod tasks {
    use super::{Task, contract::tasks::SubmitError, host};

    pub(crate) fn submit(tasks: &[Task]) -> Result<Vec<String>, SubmitError> {
        host(|h| {
            if !h.may_submit {
                return Err(SubmitError::Denied);
            }
            let first = h.submitted.len();
            h.submitted.extend(tasks.iter().cloned());
            Ok((first..h.submitted.len()).map(|n| format!("submitted-{n}")).collect())
        })
    }
}

pub(crate) mod http {
    use super::{
        contract::http::{HttpError, Request, Response},
        guard, host,
    };

    pub(crate) fn send(request: &Request) -> Result<Response, HttpError> {
        host(|h| {
            let asked = format!("{} {}", request.method, request.url);
            guard(h, "http", HttpError::Denied(asked.clone()))?;
            h.requests.push(request.clone());
            h.answers.get(&asked).cloned().ok_or(HttpError::Unreachable(format!("the test has no answer for {asked}")))
        })
    }
}

pub(crate) mod resolver {
    use super::{contract::resolver::ResolveError, guard, host};

    pub(crate) fn lookup(name: &str, kind: &str, server: Option<&str>) -> Result<Vec<String>, ResolveError> {
        host(|h| {
            guard(h, "resolver", ResolveError::Denied)?;
            let at = server.map(|server| format!(" at {server}")).unwrap_or_default();
            h.names.get(&format!("{kind} {name}{at}")).cloned().ok_or(ResolveError::NotFound)
        })
    }

    pub(crate) fn reverse(address: &str, server: Option<&str>) -> Result<Vec<String>, ResolveError> {
        lookup(address, "PTR", server)
    }
}

pub(crate) mod secrets {
    use super::{contract::secrets::SecretError, guard, host};

    pub(crate) fn available() -> Vec<String> {
        host(|h| h.secrets.iter().cloned().collect())
    }

    /// Not a real code: 32 bytes that depend on name and message, so that tests can tell calls apart.
    pub(crate) fn hmac_sha256(name: &str, message: &[u8]) -> Result<Vec<u8>, SecretError> {
        host(|h| {
            guard(h, "secret", SecretError::Denied)?;
            if !h.secrets.contains(name) {
                return Err(SecretError::NotSet);
            }
            let mut out = vec![0u8; 32];
            for (at, byte) in name.bytes().chain(message.iter().copied()).enumerate() {
                if let Some(slot) = out.get_mut(at % 32) {
                    *slot = slot.rotate_left(1) ^ byte;
                }
            }
            Ok(out)
        })
    }
}
