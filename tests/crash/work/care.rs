//! Deaths in the care of what is stored: merging and cleaning of histories, cleaning of snapshots, archiving, removal of
//! expired entities.

use std::time::Instant;

use serde_json::json;

use super::{BEFORE, EACH_SECOND, TIME, deaths, ended, on_twins, place, send, snapshot, wait_for_jobs};
use crate::picture::Picture;
use crate::place::Place;
use crate::random::Random;

const HOST: &str = "
entity: {id: host, id_data_type: string, name: Host, snapshot: true}
attribs:
  x: {name: X, type: plain, data_type: string}
  session: {name: Session, type: plain, data_type: link<session>}
  port: {name: Port, type: observations, data_type: int, history_params: {pre_validity: 1m, post_validity: 1m, aggregate: true}}
  old: {name: Old, type: observations, data_type: int, history_params: {max_age: 1d, aggregate: false}}
";
const SESSION: &str = "
entity: {id: session, id_data_type: string, name: Session, snapshot: true, lifetime: {type: ttl, on_create: 1s}}
attribs:
  x: {name: X, type: plain, data_type: string}
";

const CARE: [&str; 5] = ["aggregation", "datapoint-cleaning", "snapshot-cleaning", "archiving", "garbage-collector"];

/// A place where there is something to do for each job that takes care of what is stored, each second.
fn to_be_cared_for(random: &mut Random) -> Place {
    let place = place(&[("db_entities/host.yml", HOST), ("db_entities/session.yml", SESSION)], random);
    let server = place.start();
    let mut points = Vec::new();
    for n in 0..150 {
        let id = format!("h{n}");
        for minute in 0..6 {
            let (t1, v) = (format!("2025-06-01T00:0{minute}:00Z"), if minute < 4 { 22 } else { 80 });
            points.push(json!({"type": "host", "id": id, "attr": "port", "v": v, "t1": t1, "t2": t1}));
            points.push(json!({"type": "host", "id": id, "attr": "old", "v": minute, "t1": t1, "t2": t1}));
        }
        let session = format!("s{n}");
        points.push(json!({"type": "session", "id": session, "attr": "x", "v": "v"}));
        points.push(json!({"type": "host", "id": id, "attr": "session", "v": {"eid": session}}));
    }
    send(&place, points);
    snapshot(&place, BEFORE);
    send(&place, vec![json!({"type": "host", "id": "h7", "attr": "x", "v": "b"})]);
    snapshot(&place, TIME);
    assert_eq!(server.terminate().code, Some(0));
    place.write("garbage_collector.yml", &format!("collection_rate: {EACH_SECOND}\n"));
    place.write(
        "history_manager.yml",
        &format!(
            "aggregation_schedule: {EACH_SECOND}\ndatapoint_cleaning_schedule: {EACH_SECOND}\n\
             snapshot_cleaning: {{schedule: {EACH_SECOND}, older_than: 1h}}\n\
             datapoint_archivation: {{schedule: {EACH_SECOND}, older_than: 1d, archive_dir: archive}}\n"
        ),
    );
    place
}

fn go_on_with_care(place: &Place) -> Picture {
    let server = place.start();
    // The second run of each begins after the first of the others.
    wait_for_jobs(place, &CARE, 2);
    ended(place, server)
}

#[test]
fn deaths_in_the_care_of_histories_leave_what_undisturbed_care_leaves() {
    let _alone = crate::alone();
    let (mut random, began) = (Random::from_environment(), Instant::now());
    let prepared = to_be_cared_for(&mut random);
    let before = Picture::of(&prepared);
    let want = go_on_with_care(&prepared.copy(&mut random));
    let count = |picture: &Picture, part: &str| picture.0.keys().filter(|name| name.contains(part)).count();
    assert_eq!((count(&before, "document session/"), count(&want, "document session/")), (150, 0));
    assert_eq!((count(&before, "run "), count(&want, "run ")), (2, 1));
    assert!(want.0["datapoints"].contains("archived 1800"), "{}", want.0["datapoints"]);
    assert!(want.0["record host/h1 port"].len() < before.0["record host/h1 port"].len(), "nothing was merged");
    // The control: a death without going on is seen.
    assert!(!before.difference(&want).is_empty());

    let works = deaths(&[
        ("rewrite-record", 120),
        ("raw-removed", 1),
        ("clean-rows", 1),
        ("clean-run", 1),
        ("clean-entities", 2),
        ("delete-record", 100),
        ("delete-sources", 40),
        ("delete-end", 150),
        ("job-begun", 5),
        ("job-updated", 5),
    ]);
    on_twins(&prepared, &mut random, &works, |place, work| {
        place.start_to_die(work).wait_for_death(work);
        let got = go_on_with_care(&place);
        assert!(got == want, "{work}: {:#?}", got.difference(&want));
    });
    println!("{} deaths in the care of histories in {:.0} s", works.len(), began.elapsed().as_secs_f64());
}
