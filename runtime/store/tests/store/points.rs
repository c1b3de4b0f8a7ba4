//! Deaths at every named place (K2): what was answered is there, the rest is there as a whole or not at all, and who
//! repeats all requests ends with the same database as if nothing had happened.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use tenter_store::{CRASH_POINTS, Store, StoreError, StoreOptions};

use crate::fixtures::*;
use crate::migration::old_database;
use crate::script;

const SIGABRT: i32 = 6;

/// Not a test by itself: the process that dies.
#[test]
fn tell_the_history_and_die() {
    let var = |name: &str| std::env::vars().find(|(k, _)| k == name).map(|(_, v)| v);
    let (Some(dir), Some(place)) = (var("TENTER_TEST_POINT_DIR"), var("TENTER_TEST_POINT")) else { return };
    let early = var("TENTER_TEST_POINT_EARLY").is_some();
    let options = StoreOptions { crash_at: Some(place), acknowledge_before_commit: early, ..quick() };
    let store = Store::open(Path::new(&dir), options, NOW).unwrap();
    if early {
        // The answer comes before the commit, at which this process dies; it is heard on the writer's own thread.
        store.admit(script::first_tasks(), NOW, Box::new(|_| println!("answered admitted")));
    } else {
        script::run(&store, &mut |step, _| println!("answered {step}"));
    }
    store.close().unwrap();
}

/// Lets a process die at a place; gives whether it did, and the steps that were answered before.
fn die_at(dir: &Path, place: &str, early: bool) -> (bool, BTreeSet<&'static str>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "points::tell_the_history_and_die", "--nocapture"])
        .env("TENTER_TEST_POINT_DIR", dir)
        .env("TENTER_TEST_POINT", place);
    if early {
        command.env("TENTER_TEST_POINT_EARLY", "1");
    }
    let output = command.output().unwrap();
    let died = output.status.signal() == Some(SIGABRT);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(died || output.status.success(), "{place}: {said}{}", String::from_utf8_lossy(&output.stderr));
    let answered = script::steps().filter(|step| said.contains(&format!("answered {step}"))).collect();
    (died, answered)
}

/// Repeats the history on what a death left and gives the answered steps of which nothing is there.
fn missing_after(dir: &Path, answered: &BTreeSet<&'static str>, expected: &str) -> Vec<&'static str> {
    let store = open(dir);
    script::assert_sound(&store);
    let mut missing = Vec::new();
    script::run(&store, &mut |step, done_before| {
        if answered.contains(step) && !done_before {
            missing.push(step);
        }
    });
    script::assert_sound(&store);
    assert_same_lines(&script::dump(&store.reader().unwrap()).unwrap(), expected);
    missing
}

fn assert_same_lines(found: &str, expected: &str) {
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

fn undisturbed() -> String {
    let dir = tempfile::tempdir().unwrap();
    old_database(dir.path());
    let store = open(dir.path());
    script::run(&store, &mut |_, _| {});
    script::dump(&store.reader().unwrap()).unwrap()
}

#[test]
fn a_death_at_any_place_loses_no_answer_and_doubles_nothing() {
    let expected = undisturbed();
    let mut deaths = 0;
    for place in CRASH_POINTS {
        for pass in 1..=script::extent(2, 5) {
            let dir = tempfile::tempdir().unwrap();
            old_database(dir.path());
            let (died, answered) = die_at(dir.path(), &format!("{place}#{pass}"), false);
            assert!(died || pass > 1, "nothing comes by {place}");
            if !died {
                break;
            }
            deaths += 1;
            let missing = missing_after(dir.path(), &answered, &expected);
            assert!(missing.is_empty(), "{place}#{pass}: answered and lost: {missing:?}");
        }
    }
    println!("{deaths} deaths at {} places: 0 answers lost, 0 effects doubled", CRASH_POINTS.len());
    assert!(deaths > CRASH_POINTS.len());
}

#[test]
fn the_same_deaths_find_losses_when_answers_precede_commits() {
    let expected = undisturbed();
    let dir = tempfile::tempdir().unwrap();
    old_database(dir.path());
    // The first group is the opening's own.
    let (died, answered) = die_at(dir.path(), "group-counted#2", true);
    assert!(died);
    assert_eq!(missing_after(dir.path(), &answered, &expected), ["admitted"], "the deaths prove nothing");
}

#[test]
fn an_unknown_place_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions { crash_at: Some("nowhere".into()), ..quick() };
    let error = Store::open(dir.path(), options, NOW).err().unwrap();
    assert!(matches!(&error, StoreError::Invalid(text) if text.contains("commit-raw")), "{error}");
}
