//! Host functions with random arguments, called by a guest. `TENTER_EXTENT=full` makes five times as many calls.

#![allow(clippy::disallowed_methods, reason = "the extent of a test comes from the environment")]

use tenter_model::host::Reason;

use crate::support::Host;

#[test]
fn host_functions_take_anything() {
    let full = std::env::var("TENTER_EXTENT").is_ok_and(|extent| extent == "full");
    let mut host = Host::granted(&[("state", ""), ("read-entities", "*")]);
    let (mut answered, mut stopped) = (0, 0);
    // Each act makes 40 calls.
    for seed in 0..if full { 250u64 } else { 50 } {
        match host.act(&format!("host-at-random {seed}")).outcome {
            Ok(tasks) => answered += tasks[0].tags[0].parse::<u64>().unwrap(),
            Err(failure) => {
                let allowed = [Reason::HostcallFuel, Reason::Fuel, Reason::Memory, Reason::Deadline];
                assert!(allowed.contains(&failure.reason), "seed {seed}: {failure:?}");
                stopped += 1;
            }
        }
    }
    println!("{answered} calls were answered well, {stopped} acts were stopped by a limit");
    assert!(answered > 100, "{answered}");
}
