//! Upgrades under load: a module is replaced again and again while its hooks run. No call fails, no effect is lost or
//! doubled, and what the replaced versions held is given back.

use std::time::{Duration, Instant};

use crate::place::{Answers, Place};
use crate::random::Random;
use crate::server::Server;
use crate::vitals::Vitals;

/// A replaced version is given back after this time: each lane has then looked at what it holds.
const BOUND: Duration = Duration::from_secs(10);
/// Versions whose upgrade warms up what stays: caches, and room that the allocator keeps.
const WARM_UP: u32 = 5;
/// Tasks that wait without more of them.
const BACKLOG: u64 = 3000;
/// Most growth per later upgrade, in KiB, of the resident memory: a fraction of what a loaded component takes.
const GROWTH: u64 = 100;

/// Upgrades: few, or with `TENTER_EXTENT=full` as many as a release needs.
fn upgrades() -> u32 {
    if crate::is_full() { 100 } else { 10 }
}

/// The component with a custom section of its own: the same code under another digest.
fn build(component: &[u8], number: u32) -> Vec<u8> {
    let content = number.to_le_bytes();
    let name = b"build";
    let size = u8::try_from(1 + name.len() + content.len()).unwrap();
    let mut bytes = component.to_vec();
    bytes.extend([0, size, u8::try_from(name.len()).unwrap()]);
    bytes.extend(name);
    bytes.extend(content);
    bytes
}

#[test]
fn upgrades_under_load_lose_nothing_and_double_nothing() {
    let _alone = crate::alone();
    let mut random = Random::from_environment();
    let place = Place::new(Answers::AfterCommit, &mut random);
    let server = place.start();
    let component = std::fs::read(tenter_guest_build::at_test("test-echo-note")).unwrap();
    place.upload_module();
    let before = place.modules();

    let mut load = place.start_load();
    let mut warm = None;
    for number in 0..upgrades() {
        let (status, body) = place.try_upload_of(&build(&component, number)).unwrap();
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("\"state\":\"active\""), "{body}");
        // Each build serves before the next one comes. There is always work, and never more than can be done.
        place.wait_until_applied(20);
        if place.pending() > BACKLOG {
            load.rest();
        } else {
            load.go();
        }
        if number + 1 == WARM_UP {
            warm = Vitals::of(server.id());
        }
    }
    load.stop();
    assert_ne!(place.modules(), before, "no upgrade took place");

    let report = place.check();
    println!("{} upgrades under load: {report}", upgrades());
    report.assert_exact();
    assert_eq!(place.errors_of("echo-note"), Vec::<serde_json::Value>::new(), "calls failed");
    if let Some(warm) = warm {
        assert_given_back(&server, warm);
    }
    assert!(report.answered > 20 * u64::from(upgrades()), "{report}");
    assert_eq!(server.terminate().code, Some(0));
    place.assert_audit(&report);
}

/// As much code is loaded as before the later upgrades, and their memory is free again.
fn assert_given_back(server: &Server, warm: Vitals) {
    let until = Instant::now() + BOUND;
    let after = loop {
        let now = Vitals::of(server.id()).unwrap();
        if now.code <= warm.code && now.files <= warm.files {
            break now;
        }
        assert!(Instant::now() < until, "versions that were replaced are still held: {warm:?}, now {now:?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    println!("after {WARM_UP} upgrades: {warm:?}; after {}: {after:?}", upgrades());
    let most = warm.resident + GROWTH * u64::from(upgrades() - WARM_UP);
    assert!(!crate::is_full() || after.resident <= most, "resident memory grew: {warm:?}, now {after:?}");
}
