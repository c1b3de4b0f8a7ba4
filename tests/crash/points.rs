//! Deaths at named places (K2): the real server, under load, dies between two statements, between a commit and its
//! answer, in an upload, at its end. The checker is the one of the storm.
//!
//! Places that no request of these tests passes, such as the postponing of a task, are tried by the store's own tests,
//! which tell a whole history at every place.

use std::time::Instant;

use tenter_store::POISON_STOPS;

use crate::place::{Answers, Place};
use crate::random::Random;

/// Places that datapoints pass.
const UNDER_LOAD: [&str; 19] = [
    "open-marked",
    "group-begin",
    "admit-begin",
    "admit-id",
    "admit-task",
    "admit-end",
    "careful-row",
    "commit-begin",
    "commit-taken",
    "commit-record",
    "commit-raw",
    "commit-links",
    "commit-state",
    "commit-follow-ups",
    "commit-errors",
    "commit-end",
    "group-counted",
    "group-committed",
    "group-answered",
];
/// Places of an upload.
const IN_AN_UPLOAD: [&str; 5] =
    ["install-begin", "install-component", "install-version", "install-module", "install-end"];
/// Places of an end in order.
const AT_THE_END: [&str; 3] = ["close-begin", "close-marked", "close-end"];
/// Places of the first start, which makes the tables.
const AT_THE_FIRST_START: [&str; 4] = ["migrate-begin", "migrate-step", "migrate-end", "migrate-committed"];

/// Deaths at each place: one, or with `TENTER_EXTENT=full` as many as a release needs.
fn passes() -> u64 {
    if crate::is_full() { 5 } else { 1 }
}

#[test]
fn deaths_at_named_places_lose_nothing_that_was_answered_and_double_nothing() {
    let _alone = crate::alone();
    let mut random = Random::from_environment();
    for _ in 0..passes() {
        // A place of its own for each pass: histories that grow would make the later ones slow.
        let began = Instant::now();
        let place = Place::new(Answers::AfterCommit, &mut random);
        let mut deaths = die_without_load(&place);
        let load = place.start_load();
        deaths += die_under_load(&place, &mut random);
        let server = place.start();
        load.stop();
        let report = place.check();
        println!("{deaths} deaths at named places in {:.0} s: {report}", began.elapsed().as_secs_f64());
        report.assert_exact();
        assert!(report.answered > 0);
        assert_eq!(server.terminate().code, Some(0));
        place.assert_audit(&report);
    }
}

/// Dies at the places of the first start and of an upload, and leaves a place with the module in it. Gives the deaths.
fn die_without_load(place: &Place) -> usize {
    for point in AT_THE_FIRST_START {
        place.start_to_die(point).wait_for_death(point);
    }
    place.start().terminate();
    for point in IN_AN_UPLOAD {
        let mut server = place.start_to_die(point);
        server.wait_until_serving();
        assert!(place.try_upload().is_err(), "an upload was answered by a server that died of it");
        server.wait_for_death(point);
        let server = place.start();
        assert!(!place.modules().contains("echo-note"), "{point}: a part of an upload is there");
        server.kill();
    }
    let server = place.start();
    place.upload_module();
    server.kill();
    AT_THE_FIRST_START.len() + IN_AN_UPLOAD.len()
}

/// Dies at the places that datapoints pass, and at an end in order. Gives the deaths.
fn die_under_load(place: &Place, random: &mut Random) -> usize {
    for point in UNDER_LOAD {
        // The first time at all, or somewhere in the middle. Nobody opens twice, and few tasks are written down.
        let once = random.number(0..2) == 0 || ["open-marked", "careful-row"].contains(&point);
        let times = if once { 1 } else { random.number(2..100) };
        place.start_to_die(&format!("{point}#{times}")).wait_for_death(point);
        // Tasks that were running get done, or they would be taken for the cause of the deaths.
        let server = place.start();
        place.wait_until_applied(200);
        server.kill();
    }
    for point in AT_THE_END {
        let mut server = place.start_to_die(point);
        server.wait_until_serving();
        // By then it listens for signals as well.
        place.wait_until_applied(1);
        server.tell_to_end();
        server.wait_for_death(point);
    }
    UNDER_LOAD.len() + AT_THE_END.len()
}

/// A task that stops the process each time it is about to be committed (K5). The place stands for a fault of the host
/// that this one task brings out: with one lane it is always the same task, the first of the queue.
#[test]
fn a_task_that_stops_each_start_is_taken_out_and_the_others_go_on() {
    let _alone = crate::alone();
    let mut random = Random::from_environment();
    let place = Place::new(Answers::AfterCommit, &mut random);
    place.configure("lanes: 1\n");
    let server = place.start();
    place.upload_module();
    place.send_heap(crate::HEAP);
    server.kill();
    let (waiting, _) = place.waiting();
    assert!(waiting > 1, "the kill came too late to find tasks in the queue");
    // That look ended in order. Another death makes the next start a careful one.
    place.start_to_die("group-committed").wait_for_death("group-committed");

    for _ in 0..POISON_STOPS {
        place.start_to_die("commit-begin").wait_for_death("commit-begin");
    }
    let server = place.start();
    let tasks = place.drained();
    println!("a task that stops each start: {tasks}");
    assert_eq!(tasks["dead"], 1, "{tasks}");
    assert_eq!(server.terminate().code, Some(0));
    place.assert_one_poisoned();
}
