//! The storm: kills at random moments under load, with a start after each.
//!
//! The load never rests during the first kills, and the queues grow. A storm of many kills would then leave more than
//! can be worked off in a sensible time, so later on the load comes in bursts, and a kill during each of them.

use std::fmt;
use std::time::{Duration, Instant};

use crate::ledger::{self, Fate};
use crate::place::Place;
use crate::random::Random;
use crate::server::Server;

/// Each so many starts, one is killed before it serves.
const STILLBORN: u32 = 5;
/// Kills under a load that never rests.
const STEADY: u32 = 10;

/// What a storm was like.
pub(crate) struct Figures {
    /// Kills of a serving server.
    pub(crate) kills: u32,
    /// Kills of a server that was about to start.
    early_kills: u32,
    /// Tasks answered.
    answered: u64,
    /// Requests that were in flight at kills.
    broken: u64,
    /// Time in which a server served.
    live: Duration,
    /// Longest time from start to serving.
    slowest_start: Duration,
}

impl Figures {
    /// Tasks answered per second of service.
    #[allow(clippy::cast_precision_loss, reason = "counts of a test are small")]
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.live.as_secs_f64()
    }

    /// Requests that a kill found unanswered, on average; at least so many, since it counts the kills at a start too,
    /// which often find none.
    #[allow(clippy::cast_precision_loss, reason = "counts of a test are small")]
    pub(crate) fn in_flight(&self) -> f64 {
        self.broken as f64 / f64::from(self.kills + self.early_kills)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills under load and {} while starting, {:.0} tasks/s answered over {:.1} s of service, {:.1} requests \
             in flight at a kill, slowest start {} ms",
            self.kills,
            self.early_kills,
            self.rate(),
            self.live.as_secs_f64(),
            self.in_flight(),
            self.slowest_start.as_millis()
        )
    }
}

/// Kills the server so often and leaves a running one. The load has ended when this returns.
pub(crate) fn run(place: &Place, server: &mut Server, kills: u32, random: &mut Random) -> Figures {
    let before = totals(place);
    let mut figures =
        Figures { kills, early_kills: 0, answered: 0, broken: 0, live: Duration::ZERO, slowest_start: Duration::ZERO };
    let mut load = place.start_load();
    for kill in 1..=kills {
        let serving = Instant::now();
        if kill > STEADY {
            load.rest();
            std::thread::sleep(random.duration(60..300));
            load.go();
            std::thread::sleep(random.duration(10..50));
        } else {
            std::thread::sleep(random.duration(100..400));
        }
        server.kill_in_place();
        figures.live += serving.elapsed();
        if kill % STILLBORN == 0 {
            place.start_and_kill(random.duration(0..70));
            figures.early_kills += 1;
        }
        let starting = Instant::now();
        *server = place.start();
        figures.slowest_start = figures.slowest_start.max(starting.elapsed());
    }
    let serving = Instant::now();
    load.stop();
    figures.live += serving.elapsed();
    let after = totals(place);
    (figures.answered, figures.broken) = (after.0 - before.0, after.1 - before.1);
    figures
}

/// Tasks answered and requests broken so far.
fn totals(place: &Place) -> (u64, u64) {
    let entries = ledger::read(&place.ledger());
    let answered = entries.values().filter(|e| e.fate == Fate::Answered).map(|e| e.size).sum();
    let broken = entries.values().filter(|e| e.fate == Fate::Broken).count();
    (answered, broken as u64)
}
