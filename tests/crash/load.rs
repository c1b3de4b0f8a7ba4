//! The load: many connections that send one request after the other, and after a break the next one. It rests when it is
//! told to.

use std::io::Read as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tenter_model::Timestamp;

use crate::http::Connection;
use crate::ledger::{self, Fate, Ledger};

/// Entities that the values go to in turn, so that each has a history that grows.
pub(crate) const ENTITIES: u64 = 240;
/// Connections, each with one request in flight.
const CONNECTIONS: usize = 32;
/// Values of a request, each of another entity and so a task of its own.
const BATCH: u64 = 2;
/// What is told through the standard input.
pub(crate) const REST: u8 = b'r';
pub(crate) const GO: u8 = b'g';
/// Pause while nobody listens, and while it rests.
const PAUSE: Duration = Duration::from_millis(5);

/// Sends until the standard input closes, then waits for the answers that are due.
pub(crate) fn run(port: u16, path: &Path) {
    let next = ledger::read(path).last_key_value().map_or(0, |(first, entry)| first + entry.size);
    let (ledger, next) = (Ledger::open(path), AtomicU64::new(next));
    let (stop, rests) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match Connection::open(port) {
                        Ok(connection) => send(connection, &ledger, &next, (&stop, &rests)),
                        Err(_) => std::thread::sleep(PAUSE),
                    }
                }
            });
        }
        let told = std::io::stdin().lock().bytes().map(Result::unwrap);
        told.for_each(|word| rests.store(word == REST, Ordering::Relaxed));
        stop.store(true, Ordering::Relaxed);
    });
}

/// Sends over one connection until it ends.
fn send(mut connection: Connection, ledger: &Ledger, next: &AtomicU64, (stop, rests): (&AtomicBool, &AtomicBool)) {
    // A connection is made as soon as somebody listens, and may break before anybody has taken it.
    let mut when_broken = Fate::Unheard;
    while !stop.load(Ordering::Relaxed) && !connection.closes() {
        if rests.load(Ordering::Relaxed) {
            std::thread::sleep(PAUSE);
            continue;
        }
        let first = next.fetch_add(BATCH, Ordering::Relaxed);
        match request(&mut connection, ledger, first, BATCH, when_broken) {
            Fate::Answered => when_broken = Fate::Broken,
            Fate::Refused => {}
            Fate::Sent | Fate::Broken | Fate::Unheard => return,
        }
    }
}

/// Sends one request, with its lines in the ledger.
pub(crate) fn request(connection: &mut Connection, ledger: &Ledger, first: u64, size: u64, when_broken: Fate) -> Fate {
    ledger.write(first, size, Fate::Sent);
    let fate = match connection.request("POST", "/datapoints", None, &body(first, size)) {
        Ok((200, _)) => Fate::Answered,
        Ok(_) => Fate::Refused,
        Err(_) => when_broken,
    };
    ledger.write(first, size, fate);
    fate
}

/// The entity of a value.
pub(crate) fn entity(number: u64) -> String {
    format!("e{}", number % ENTITIES)
}

/// A value, unique.
pub(crate) fn value(number: u64) -> String {
    format!("n{number}")
}

fn body(first: u64, size: u64) -> Vec<u8> {
    let seconds = |n: u64| i64::try_from(n).unwrap() * 1_000_000;
    let points: Vec<_> = (first..first + size)
        .map(|n| {
            let t1 = Timestamp(1_700_000_000_000_000 + seconds(n)).to_string();
            serde_json::json!({"type": "node", "id": entity(n), "attr": "note", "v": value(n), "t1": t1, "t2": t1})
        })
        .collect();
    serde_json::to_vec(&points).unwrap()
}
