//! Deaths between a case object and the jobs of its hooks: each object that is stored has its job, no job is of an object
//! that is not, what was answered is there, and in the end each job has done its work once.
//!
//! The server is killed at random moments and at the places of the store that lie between the two writes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tenter_model::case::{LookUpKind, ObjectKind};
use tenter_store::{CaseWorld, JobFilter, JobState};

use crate::place::Place;
use crate::random::Random;

const NODE: &str = "entity: {id: node, id_data_type: string, name: Node, snapshot: false}\nattribs: {}\n";

/// Places between the object and its jobs, and between a job and what comes of it.
const PLACES: [&str; 6] =
    ["case-begin", "hook-job-queued", "case-end", "group-committed", "hook-job-claimed", "hook-job-finished"];
/// Connections that add indicators.
const WRITERS: u32 = 4;
/// What the module tags addresses of private networks at.
const HOOK: &str = "on_postload_ioc_create";

/// Deaths: few, or with `TENTER_EXTENT=full` as many as a release needs.
fn deaths() -> u32 {
    if crate::is_full() { 50 } else { 6 }
}

#[test]
fn objects_of_cases_and_the_jobs_of_their_hooks_are_there_together_or_not_at_all() {
    let _alone = crate::alone();
    let mut random = Random::from_environment();
    let site = [("db_entities/node.yml", NODE), ("processing_core.yml", "enabled_modules: [defang]\n")];
    let place = Place::of_site(&site, &mut random);
    let server = place.start();
    place.upload("defang", &std::fs::read(tenter_guest_build::at_test("example-defang")).unwrap());
    assert_eq!(server.terminate().code, Some(0));
    let kind = read(&place, |world| world.row_by_name(LookUpKind::IocType, "ip-dst").unwrap().id);
    let writing =
        Writing { kind, next: AtomicU32::new(1), is_over: AtomicBool::new(false), answered: Mutex::default() };

    let mut most = (0, 0);
    for death in 0..deaths() {
        let at = PLACES[death as usize / 2 % PLACES.len()];
        // Every other death is at any moment.
        let named = (death % 2 == 0).then(|| format!("{at}#{}", random.number(1..40)));
        let server = named.as_ref().map_or_else(|| place.start(), |named| place.start_to_die(named));
        writing.is_over.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| writing.write(&place));
            }
            if named.is_some() {
                server.wait_for_death(at);
            } else {
                std::thread::sleep(random.duration(50..400));
                server.kill();
            }
            writing.is_over.store(true, Ordering::SeqCst);
        });
        most = writing.check(&place);
    }
    let (objects, answered) = most;
    println!("{} deaths left {objects} indicators, {answered} of them answered, each with its one job", deaths());
    assert!(answered > 0);
    // Ends in order, until nothing waits any more.
    let until = Instant::now() + Duration::from_secs(120);
    let jobs = loop {
        let server = place.start();
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(server.terminate().code, Some(0));
        let jobs = read(&place, |world| world.jobs(&JobFilter::default(), 1 << 20));
        if jobs.iter().all(|job| !matches!(job.state, JobState::Queued | JobState::Running)) {
            break jobs;
        }
        assert!(Instant::now() < until, "jobs do not come to an end");
    };
    assert_eq!(writing.check(&place).0, objects);
    for job in jobs {
        // A job that was running at each of several deaths is given up, and says so.
        let reason = job.result.as_ref().and_then(|result| result.reason.as_deref());
        let done = job.state == JobState::Succeeded;
        assert!(done || reason == Some("process-ended"), "{job:?}");
        let ioc = read(&place, |world| world.object_in(job.spec.written[0].target, None)).unwrap();
        let expected = if done { ("private-address", 2) } else { ("", 1) };
        assert_eq!((ioc.text("ioc_tags"), ioc.version), expected, "{job:?}");
    }
}

/// Reads what a server that has ended left.
fn read<T>(place: &Place, look: impl FnOnce(&CaseWorld<'_>) -> T) -> T {
    place.open_store().reader().unwrap().cases(None, None, look).unwrap()
}

struct Writing {
    kind: i64,
    next: AtomicU32,
    /// The server is dead.
    is_over: AtomicBool,
    answered: Mutex<BTreeSet<String>>,
}

impl Writing {
    /// Adds one indicator after the other, each once, until the server is dead. It may die before it serves.
    fn write(&self, place: &Place) {
        // The bound is for a test that has failed elsewhere.
        let until = Instant::now() + Duration::from_secs(90);
        while !self.is_over.load(Ordering::SeqCst) && Instant::now() < until {
            let n = self.next.fetch_add(1, Ordering::SeqCst);
            let [_, a, b, c] = n.to_be_bytes();
            let value = format!("10.{a}.{b}.{c}");
            let body = json!({"ioc_value": value, "ioc_type_id": self.kind, "ioc_tlp_id": 2, "cid": 1}).to_string();
            let path = "/case/ioc/add?cid=1";
            match place.operate("POST", path, body.as_bytes()) {
                Ok((200, _)) => drop(self.answered.lock().unwrap().insert(value)),
                Ok((status, body)) => panic!("{status}: {body}"),
                // No connection, or one that broke off.
                Err(_) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    /// Looks at what a server that is dead has left. Gives the number of indicators and of those that were answered.
    fn check(&self, place: &Place) -> (usize, usize) {
        let store = place.open_store();
        let reader = store.reader().unwrap();
        let (iocs, jobs) = reader
            .cases(None, None, |world| {
                (world.objects(ObjectKind::Ioc, None), world.jobs(&JobFilter::default(), 1 << 20))
            })
            .unwrap();
        let mut of = BTreeMap::<_, u32>::new();
        for job in &jobs {
            assert_eq!((job.hook.as_str(), job.spec.written.len()), (HOOK, 1), "{job:?}");
            *of.entry(job.spec.written[0].target).or_default() += 1;
        }
        let objects: BTreeMap<_, u32> = iocs.iter().map(|ioc| (ioc.target, 1)).collect();
        assert_eq!(of, objects, "each indicator has one job, and each job its indicator");
        let there: BTreeSet<&str> = iocs.iter().map(|ioc| ioc.label()).collect();
        assert_eq!(there.len(), iocs.len(), "an indicator is there twice");
        let answered = self.answered.lock().unwrap();
        let lost: Vec<_> = answered.iter().filter(|value| !there.contains(value.as_str())).collect();
        assert!(lost.is_empty(), "answered and not there: {lost:?}");
        assert_eq!(reader.check().unwrap(), Vec::<String>::new(), "the database is damaged");
        (iocs.len(), answered.len())
    }
}
