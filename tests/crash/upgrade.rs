//! Upgrades under load: a module is replaced again and again while its hooks run, and no effect is lost or doubled.

use crate::place::{Answers, Place};
use crate::random::Random;

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

    let load = place.start_load();
    for number in 0..upgrades() {
        let (status, body) = place.try_upload_of(&build(&component, number)).unwrap();
        assert_eq!(status, 200, "{body}");
        assert!(body.contains("\"state\":\"active\""), "{body}");
        // Each build serves before the next one comes.
        place.wait_until_applied(20);
    }
    load.stop();
    assert_ne!(place.modules(), before, "no upgrade took place");

    let report = place.check();
    println!("{} upgrades under load: {report}", upgrades());
    report.assert_exact();
    assert!(report.answered > 20 * u64::from(upgrades()), "{report}");
    assert_eq!(server.terminate().code, Some(0));
    place.assert_audit(&report);
}
