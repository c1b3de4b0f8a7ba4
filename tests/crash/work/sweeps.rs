//! Deaths in sweeps of the update hooks. A sweep follows on a sweep, so what is compared is each visit with what came of it.

use std::time::Instant;

use tenter_model::Timestamp;
use tenter_store::{Produced, SweepState};

use super::{ADDRESSES, EACH_SECOND, NEVER, deaths, ended, on_twins, settings, wait_for_jobs, with_hooks};
use crate::picture::Picture;
use crate::place::Place;
use crate::random::Random;

/// What sweeps did, against what their hooks counted and what came of it. Nothing when all agrees.
fn doubts_about_sweeps(place: &Place, before: &Picture, after: &Picture) -> Vec<String> {
    let reader = place.open_store().reader().unwrap();
    let sweeps = reader.sweeps(false, u32::MAX).unwrap();
    let state = |kind: &str| after.0.get(&format!("state calls/{kind}")).map_or(0, |n| n.parse::<u64>().unwrap());
    let mut doubts = Vec::new();
    let mut visits = 0;
    for (kind, eid_only) in [("update-record", false), ("update-entity", true)] {
        let of_kind = || sweeps.iter().filter(|sweep| sweep.state.group.eid_only == eid_only);
        if !of_kind().any(|sweep| sweep.state.finished) {
            doubts.push(format!("no sweep of {kind} is finished"));
        }
        if of_kind().any(|sweep| sweep.state.finished && sweep.state.processed != u64::from(ADDRESSES)) {
            doubts.push(format!("a sweep of {kind} did not visit each entity once"));
        }
        let processed: u64 = of_kind().map(|sweep| sweep.state.processed).sum();
        if state(kind) != processed {
            doubts.push(format!("{kind}: {processed} visits, {} calls", state(kind)));
        }
        visits += processed;
    }
    let accepted = |picture: &Picture| picture.0["tasks"].split(' ').nth(1).unwrap().parse::<u64>().unwrap();
    if accepted(after) - accepted(before) != visits {
        doubts.push(format!("{visits} visits, {} tasks", accepted(after) - accepted(before)));
    }
    doubts
}

/// Lets sweeps go on after a death until one of each group is finished, then ends it all.
fn go_on_with_sweeps(place: &Place) -> Picture {
    let server = place.start();
    wait_for_jobs(place, &["updater"], 1);
    assert_eq!(server.terminate().code, Some(0));
    settings(NEVER).iter().for_each(|(path, text)| place.write(path, text));
    ended(place, place.start())
}

#[test]
fn deaths_in_a_sweep_leave_each_visit_with_its_task_once() {
    let _alone = crate::alone();
    let (mut random, began) = (Random::from_environment(), Instant::now());
    let prepared = with_hooks(&mut random);
    let before = Picture::of(&prepared);
    settings(EACH_SECOND).iter().for_each(|(path, text)| prepared.write(path, text));
    // A sweep follows on a sweep, so that twins differ in how many there were, and in which came last to an entity.
    let by_sweeps =
        |name: &str| name == "tasks" || name == "datapoints" || name.starts_with("state") || name.ends_with("label");
    let want = before.clone().without(by_sweeps);
    let works =
        deaths(&[("sweep-begun", 2), ("sweep-moved", 4), ("produced", 4), ("sweep-saved", 3), ("group-committed", 9)]);
    on_twins(&prepared, &mut random, &works, |place, work| {
        place.start_to_die(work).wait_for_death(work);
        let got = go_on_with_sweeps(&place);
        assert_eq!(doubts_about_sweeps(&place, &before, &got), Vec::<String>::new(), "{work}");
        let labels = || got.0.iter().filter(|(name, _)| name.starts_with("record ip/") && name.ends_with("label"));
        assert_eq!(labels().filter(|(_, label)| label.contains("update-")).count(), ADDRESSES as usize, "{work}");
        let got = got.without(by_sweeps);
        assert!(got == want, "{work}: {:#?}", got.difference(&want));
    });
    println!("{} deaths in sweeps in {:.0} s", works.len(), began.elapsed().as_secs_f64());

    // The control: a sweep that is taken back to its begin calls hooks for the same entities again, and that is seen.
    let place = prepared.copy(&mut random);
    place.start_to_die("sweep-saved#2").wait_for_death("sweep-saved#2");
    let store = place.open_store();
    let row = store.reader().unwrap().sweeps(true, 1).unwrap().remove(0);
    assert!(row.state.processed > 0 && row.state.cursor.is_some(), "{row:?}");
    let back = SweepState { processed: 0, cursor: None, iteration: 0, ..row.state };
    store.save_sweep_blocking(row.number, back, Produced::default(), Timestamp(1_800_000_000_000_000)).unwrap();
    store.close().unwrap();
    let got = go_on_with_sweeps(&place);
    assert!(!doubts_about_sweeps(&place, &before, &got).is_empty(), "visits that came twice are not seen");
}
