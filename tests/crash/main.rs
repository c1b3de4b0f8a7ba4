//! Kills the server, as a process, under load, and counts what is left: every task that was answered has its effects
//! exactly once.
//!
//! Four processes take part. The *test* starts and kills. The *server* is the real binary. The *load* sends datapoints
//! over many connections, each value unique, and writes into its ledger what it sends before it sends it and what is
//! answered after the answer. The *checker* takes the ledger and asks the server for all it has. The load never sends a
//! value twice: what was not answered may be there or not, a request whole or not at all, but never twice.
//!
//! The test of a guarantee proves something only if it can fail, so the same storm runs with answers sent before the
//! commit and must then find losses.
//!
//! `upgrade` replaces a module under load, `soak` lets the server live with hostile modules, and both look at what it holds.
//!
//! `cases` kills between an object of case management and the jobs of its hooks.
//!
//! `work` does the same to what the server does by itself: snapshot runs, sweeps, the care of histories.
//!
//! `TENTER_SEED` repeats the moments of the kills. `TENTER_CRASH_SLOW=1` accepts a machine that is too slow for the load
//! that the figures ask for; they are printed in any case (`--nocapture`).

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may fail loudly, its helpers too, and is told its extent through the environment"
)]

mod cases;
mod check;
mod http;
mod job;
mod ledger;
mod load;
mod picture;
mod place;
mod points;
mod random;
mod server;
mod soak;
mod storm;
mod upgrade;
mod vitals;
mod work;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use place::{Answers, Place};
use random::Random;
use server::TERM_BOUND;

/// Kills of the storm: few, or with `TENTER_EXTENT=full` as many as a release needs.
fn kills() -> u32 {
    if is_full() { 200 } else { 20 }
}

/// Whether tests take the time that a release is worth.
fn is_full() -> bool {
    std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full")
}

/// Tasks per second that must be answered while the server lives.
const LEAST_RATE: f64 = 500.0;
/// Requests that a kill must find unanswered, on average.
const LEAST_IN_FLIGHT: f64 = 10.0;
/// Kills of the negative control in one round, and at most.
const CONTROL_ROUND: u32 = 5;
const CONTROL_KILLS: u32 = 40;
/// Notes of one request that is answered just before the server ends: far more than it can work off in that moment.
const HEAP: u64 = 3000;

/// The tests measure a rate, so they run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn what_was_answered_survives_kills_under_load_exactly_once() {
    let _alone = alone();
    let mut random = Random::from_environment();
    let place = Place::new(Answers::AfterCommit, &mut random);
    let mut server = place.start();
    place.upload_module();

    let figures = storm::run(&place, &mut server, kills(), &mut random);
    let poisoned = place.replay_poisoned();
    let report = place.check();
    println!("kill -9 under load: {figures}; {poisoned} taken for poison and put back; {report}");
    report.assert_exact();
    assert!(report.answered > 0);

    let stopped = server.terminate();
    assert_eq!(stopped.code, Some(0), "after SIGTERM: {}", stopped.log);
    place.assert_audit(&report);

    let slow = std::env::var_os("TENTER_CRASH_SLOW").is_some();
    // Where a task takes longer than a server lives, the same one runs at each death.
    assert!(
        poisoned == 0 || slow,
        "{poisoned} tasks did not end in three lives of a server; run it on an idle machine"
    );
    let enough = figures.rate() >= LEAST_RATE && figures.in_flight() >= LEAST_IN_FLIGHT;
    assert!(
        enough || slow,
        "the load was too small for the figures to mean something: expected {LEAST_RATE} tasks/s and {LEAST_IN_FLIGHT} \
         requests in flight; run it on an idle machine, or accept this with TENTER_CRASH_SLOW=1"
    );
}

#[test]
fn the_same_storm_finds_losses_when_answers_precede_commits() {
    let _alone = alone();
    let mut random = Random::from_environment();
    let place = Place::new(Answers::BeforeCommit, &mut random);
    let mut server = place.start();
    place.upload_module();

    let (mut kills, mut lost) = (0, 0);
    while lost == 0 && kills < CONTROL_KILLS {
        let figures = storm::run(&place, &mut server, CONTROL_ROUND, &mut random);
        kills += figures.kills;
        let report = place.check();
        println!("negative control, after {kills} kills: {figures}; {report}");
        lost = report.lost;
    }
    assert!(lost > 0, "{kills} kills found no loss though answers precede commits: the storm proves nothing");
}

#[test]
fn a_kill_with_a_full_queue_loses_nothing_of_it() {
    let _alone = alone();
    let mut random = Random::from_environment();
    let place = Place::new(Answers::AfterCommit, &mut random);
    let server = place.start();
    place.upload_module();

    place.send_heap(HEAP);
    server.kill();
    let (waiting, clean) = place.waiting();
    assert!(waiting > 0, "the kill came too late to find tasks in the queue");
    assert!(!clean, "a kill is no end in order");

    let server = place.start();
    let report = place.check();
    println!("kill -9 with {waiting} tasks in the queue: {report}");
    report.assert_exact();
    assert_eq!(report.answered, HEAP);
    assert_eq!(server.terminate().code, Some(0));
    place.assert_audit(&report);
}

#[test]
fn sigterm_under_load_drains_in_time_and_loses_nothing() {
    let _alone = alone();
    let mut random = Random::from_environment();
    let place = Place::new(Answers::AfterCommit, &mut random);
    let server = place.start();
    place.upload_module();

    let load = place.start_load();
    std::thread::sleep(random.duration(300..600));
    place.send_heap(HEAP);
    let told = Instant::now();
    server.tell_to_end();
    let refused_after = place.wait_until_refused(told);
    let stopped = server.wait();
    load.stop();

    assert_eq!(stopped.code, Some(0), "{}", stopped.log);
    assert!(refused_after < Duration::from_secs(1), "new connections were taken for {refused_after:?}");
    assert!(told.elapsed() < TERM_BOUND, "took {:?}", told.elapsed());
    let (waiting, clean) = place.waiting();
    assert!(clean, "SIGTERM is an end in order");
    assert!(waiting > 0, "the end came too late to leave tasks in the queue");

    let server = place.start();
    let report = place.check();
    println!(
        "SIGTERM under load: refused new connections after {refused_after:?}, exit 0 after {:?}, left {waiting} tasks to \
         the next start; {report}",
        stopped.at.duration_since(told)
    );
    report.assert_exact();
    assert!(report.answered > HEAP);
    assert_eq!(report.unanswered_applied, 0, "what was taken in before the end is answered before the end");
    assert_eq!(server.terminate().code, Some(0));
    place.assert_audit(&report);
}

/// Where the load and the checker begin: this program, started again by the tests above.
#[test]
#[ignore = "no test: the other processes of the tests"]
fn process() {
    if let Some(job) = job::Job::given() {
        job.run();
    }
}
