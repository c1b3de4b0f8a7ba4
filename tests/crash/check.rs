//! The checker: all that the server has, against all that the ledger says. It knows the server through HTTP alone.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::Connection;
use crate::ledger::{self, Entry, Fate};
use crate::load::{ENTITIES, entity, value};

/// The queues must be empty after this time without load.
const DRAIN_BOUND: Duration = Duration::from_secs(120);
/// Datapoints asked for at once.
const PAGE: usize = 20_000;

/// What the checker found. Values count, not requests.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Answered with yes.
    pub(crate) answered: u64,
    /// Answered with yes, and missing in the log or in the history of the entity.
    pub(crate) lost: u64,
    /// There more than once, answered or not.
    doubled: u64,
    /// Never answered.
    unanswered: u64,
    /// Never answered, and there.
    pub(crate) unanswered_applied: u64,
    /// In the log and not in the history, or the other way round.
    torn_values: u64,
    /// Requests of which a part is there.
    torn_requests: u64,
    /// Answered with no, and there.
    refused_applied: u64,
    /// There, and never sent.
    strangers: u64,
    /// Notes without echo, in the log or in the history.
    echoes_missing: u64,
    /// Echoes too many.
    echoes_doubled: u64,
    /// Tasks: accepted less applied, denied, dead and pending.
    unreconciled: i64,
    /// Tasks that did not end as applied.
    not_applied: u64,
    /// Tasks from outside that are there: a request has one for each of its entities.
    pub(crate) tasks: u64,
    /// Notes there, by entity.
    pub(crate) applied: BTreeMap<String, u64>,
    /// Some of what is wrong.
    examples: Vec<String>,
}

impl Report {
    /// Every answered value is there exactly once, with its echo, and nothing else is.
    pub(crate) fn assert_exact(&self) {
        let wrong = self.wrong();
        assert!(wrong.is_empty(), "{wrong:?}\n{self}\n{}", self.examples.join("\n"));
    }

    /// What is wrong, and how often.
    fn wrong(&self) -> Vec<(&'static str, u64)> {
        let counts = [
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("torn values", self.torn_values),
            ("torn requests", self.torn_requests),
            ("refused, yet applied", self.refused_applied),
            ("never sent", self.strangers),
            ("echoes missing", self.echoes_missing),
            ("echoes doubled", self.echoes_doubled),
            ("unreconciled", self.unreconciled.unsigned_abs()),
            ("tasks not applied", self.not_applied),
        ];
        counts.into_iter().filter(|(_, n)| *n != 0).collect()
    }

    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < 20 {
            self.examples.push(text());
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} notes answered: {} lost, {} doubled; {} not answered, of which {} were applied; echoes: {} missing, {} \
             doubled",
            self.answered,
            self.lost,
            self.doubled,
            self.unanswered,
            self.unanswered_applied,
            self.echoes_missing,
            self.echoes_doubled
        )
    }
}

/// Waits until the queues are empty, then checks.
pub(crate) fn run(port: u16, ledger: &Path) -> Report {
    let mut server = Connection::open(port).unwrap();
    let tasks = drained(&mut server);
    let count = |name: &str| tasks[name].as_u64().unwrap();
    let mut report = Report {
        unreconciled: ["applied", "denied", "dead", "pending"]
            .iter()
            .fold(count("accepted").cast_signed(), |rest, name| rest - count(name).cast_signed()),
        not_applied: count("denied") + count("dead"),
        ..Report::default()
    };
    let mut seen = Seen::default();
    seen.read_log(&mut server);
    seen.read_histories(&mut server);
    for (first, entry) in ledger::read(ledger) {
        judge(&mut report, &mut seen, first, entry);
    }
    report.strangers = seen.0.len() as u64;
    let strangers: Vec<_> = seen.0.keys().take(5).cloned().collect();
    if !strangers.is_empty() {
        report.example(|| format!("never sent: {strangers:?}"));
    }
    report
}

/// Waits for empty queues and returns the counts of tasks. A long queue may take its time as long as it gets shorter.
pub(crate) fn drained(server: &mut Connection) -> Value {
    let (mut bound, mut least) = (Instant::now() + DRAIN_BOUND, u64::MAX);
    loop {
        let tasks = server.get("/api/v1/status")["tasks"].take();
        let pending = tasks["pending"].as_u64().unwrap();
        if pending == 0 {
            return tasks;
        }
        if pending < least {
            (bound, least) = (Instant::now() + DRAIN_BOUND, pending);
        }
        assert!(Instant::now() < bound, "tasks still wait: {tasks}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How often a value was seen at an entity.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Times {
    note_log: u64,
    note_history: u64,
    echo_log: u64,
    echo_history: u64,
}

/// By entity and value.
#[derive(Default)]
struct Seen(HashMap<(String, String), Times>);

impl Seen {
    fn count(&mut self, entity: &str, point: &Value, slot: impl FnOnce(&mut Times) -> &mut u64) {
        let value = point["v"].as_str().unwrap().to_owned();
        *slot(self.0.entry((entity.to_owned(), value)).or_default()) += 1;
    }

    fn read_log(&mut self, server: &mut Connection) {
        let mut skip = 0;
        loop {
            let log = server.get(&format!("/entity/node/raw/get?limit={PAGE}&skip={skip}"));
            let points = log["data"].as_array().unwrap();
            for point in points {
                let entity = point["id"].as_str().unwrap();
                match point["attr"].as_str().unwrap() {
                    "note" => self.count(entity, point, |t| &mut t.note_log),
                    "echo" => self.count(entity, point, |t| &mut t.echo_log),
                    other => panic!("the log has attribute {other}"),
                }
            }
            if points.len() < PAGE {
                return;
            }
            skip += PAGE;
        }
    }

    fn read_histories(&mut self, server: &mut Connection) {
        for entity in (0..ENTITIES).map(entity) {
            let record = server.get(&format!("/entity/node/{entity}/master"));
            for point in record["note"].as_array().into_iter().flatten() {
                self.count(&entity, point, |t| &mut t.note_history);
            }
            for point in record["echo"].as_array().into_iter().flatten() {
                self.count(&entity, point, |t| &mut t.echo_history);
            }
        }
    }
}

/// Judges one request. What it accounts for is taken out of `seen`.
fn judge(report: &mut Report, seen: &mut Seen, first: u64, Entry { size, fate }: Entry) {
    let mut there = 0;
    for number in first..first + size {
        let (entity, value) = (entity(number), value(number));
        let times = seen.0.remove(&(entity.clone(), value.clone())).unwrap_or_default();
        let (least, most) = (times.note_log.min(times.note_history), times.note_log.max(times.note_history));
        let example = report.examples.len();
        match fate {
            Fate::Answered => {
                report.answered += 1;
                report.lost += u64::from(least == 0);
            }
            Fate::Refused => report.refused_applied += u64::from(most > 0),
            Fate::Sent | Fate::Broken | Fate::Unheard => {
                report.unanswered += 1;
                report.unanswered_applied += u64::from(most > 0);
            }
        }
        report.doubled += u64::from(most > 1);
        report.torn_values += u64::from(least != most);
        report.echoes_missing += u64::from(times.echo_log.min(times.echo_history) < most);
        report.echoes_doubled += u64::from(times.echo_log.max(times.echo_history) > most);
        let wanted = if most > 0 || fate == Fate::Answered { 1 } else { 0 };
        let exact = Times { note_log: wanted, note_history: wanted, echo_log: wanted, echo_history: wanted };
        if times != exact && example < 20 {
            report.example(|| format!("{value} of {entity}, {fate:?}: {times:?}"));
        }
        if most > 0 {
            there += 1;
            *report.applied.entry(entity).or_default() += 1;
        }
    }
    if there > 0 {
        report.tasks += size.min(ENTITIES);
    }
    if there != 0 && there != size {
        report.torn_requests += 1;
        report.example(|| format!("request {first}, {fate:?}: {there} of {size} values are there"));
    }
}

/// A checker that sees no fault would make every storm pass.
#[test]
fn each_fault_is_seen() {
    const WHOLE: [u64; 4] = [1; 4];
    let found = |fate, values: [[u64; 4]; 2]| {
        let (mut report, mut seen) = (Report::default(), Seen::default());
        for (number, [note_log, note_history, echo_log, echo_history]) in (0..).zip(values) {
            let times = Times { note_log, note_history, echo_log, echo_history };
            seen.0.insert((entity(number), value(number)), times);
        }
        judge(&mut report, &mut seen, 0, Entry { size: 2, fate });
        report.wrong().into_iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(found(Fate::Answered, [WHOLE, WHOLE]), "");
    assert_eq!(found(Fate::Answered, [[0; 4], [0; 4]]), "lost 2");
    assert_eq!(found(Fate::Answered, [WHOLE, [0; 4]]), "lost 1, torn requests 1");
    assert_eq!(found(Fate::Answered, [WHOLE, [0, 1, 1, 1]]), "lost 1, torn values 1");
    assert_eq!(found(Fate::Answered, [WHOLE, [1, 2, 1, 1]]), "doubled 1, torn values 1, echoes missing 1");
    assert_eq!(found(Fate::Answered, [WHOLE, [1, 1, 1, 0]]), "echoes missing 1");
    assert_eq!(found(Fate::Answered, [WHOLE, [1, 1, 2, 2]]), "echoes doubled 1");
    assert_eq!(found(Fate::Broken, [[0; 4], [0; 4]]), "");
    assert_eq!(found(Fate::Broken, [WHOLE, WHOLE]), "");
    assert_eq!(found(Fate::Broken, [WHOLE, [0; 4]]), "torn requests 1");
    assert_eq!(found(Fate::Unheard, [WHOLE, [2; 4]]), "doubled 1");
    assert_eq!(found(Fate::Refused, [WHOLE, WHOLE]), "refused, yet applied 2");
}
