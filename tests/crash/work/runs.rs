//! Deaths in snapshot runs.

use std::time::{Duration, Instant};

use serde_json::json;
use tenter_model::Timestamp;
use tenter_store::RunState;

use super::{BOUND, IDLE, TIME, WITH_HOOKS, deaths, ended, on_twins, passes, snapshot, with_hooks};
use crate::picture::Picture;
use crate::place::Place;
use crate::random::Random;

fn undisturbed_run(twin: &Place) -> Picture {
    let server = twin.start();
    snapshot(twin, TIME);
    ended(twin, server)
}

/// Goes on after a death. A run that was under way goes on by itself; one that had not begun is asked for again.
fn go_on_with_run(place: &Place) -> Picture {
    let server = place.start();
    let bound = Instant::now() + BOUND;
    loop {
        let runs = place.connect().get("/api/v1/snapshots");
        let last = &runs["runs"][0];
        if last["state"] == "complete" && last["time"] == TIME {
            break;
        }
        assert!(Instant::now() < bound, "the run is not complete: {runs}");
        if last["state"] == "complete" {
            snapshot(place, TIME);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    ended(place, server)
}

#[test]
fn deaths_in_a_snapshot_run_leave_what_an_undisturbed_run_leaves() {
    let _alone = crate::alone();
    let (mut random, began) = (Random::from_environment(), Instant::now());
    let prepared = with_hooks(&mut random);
    let want = undisturbed_run(&prepared.copy(&mut random));
    let documents = want.0.keys().filter(|name| name.starts_with("document ")).count();
    assert!(documents as u32 >= WITH_HOOKS + IDLE, "{documents}");

    let mut works = deaths(&[
        ("run-begun", 1),
        ("run-documents", 3),
        ("run-unchanged", 3),
        ("produced", 3),
        ("run-saved", 4),
        ("run-completed", 1),
        ("group-committed", 12),
        ("group-answered", 14),
    ]);
    works.extend((0..passes()).map(|_| format!("kill {}", random.number(0..400))));
    on_twins(&prepared, &mut random, &works, |place, work| {
        if let Some(after) = work.strip_prefix("kill ") {
            let server = place.start();
            place.operate("POST", "/api/v1/snapshots", json!({"time": TIME}).to_string().as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(after.parse().unwrap()));
            server.kill();
        } else {
            let mut server = place.start_to_die(work);
            server.wait_until_serving();
            // The answer does not come.
            place.operate("POST", "/api/v1/snapshots", json!({"time": TIME, "wait": true}).to_string().as_bytes()).ok();
            server.wait_for_death(work);
        }
        let got = go_on_with_run(&place);
        assert!(got == want, "{work}: {:#?}", got.difference(&want));
    });
    println!("{} deaths in snapshot runs in {:.0} s", works.len(), began.elapsed().as_secs_f64());

    // The control: who begins anew instead of going on does the work of hooks twice, and that is seen.
    let place = prepared.copy(&mut random);
    let mut server = place.start_to_die("run-saved#3");
    server.wait_until_serving();
    place.operate("POST", "/api/v1/snapshots", json!({"time": TIME, "wait": true}).to_string().as_bytes()).ok();
    server.wait_for_death("run-saved#3");
    let store = place.open_store();
    let run = store.reader().unwrap().unfinished_run().unwrap().expect("a run is under way");
    assert_eq!(run.state, RunState::Running);
    store.abort_run(run.number, "to see what is seen", Timestamp(1_800_000_000_000_000)).unwrap();
    store.close().unwrap();
    let server = place.start();
    snapshot(&place, TIME);
    let difference = ended(&place, server).difference(&want);
    assert!(difference.iter().any(|d| d.starts_with("tasks: ")), "tasks that came twice are not seen: {difference:#?}");
}
