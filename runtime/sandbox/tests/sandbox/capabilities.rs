//! Host imports: what they do, and what they refuse.

use serde_json::json;
use tenter_model::host::{LogLevel, StateRead, StateWrite};
use tenter_model::limits::MAX_STATE_BYTES;
use tenter_model::record::MasterRecord;
use tenter_model::time::Timestamp;

use crate::support::{Host, NOW, datapoint, settings};

fn new() -> Host {
    Host::new(settings(json!({})))
}

#[test]
fn nothing_of_the_world_outside_is_seen() {
    let mut host = new();
    let wall = format!("wall {0} {0}", NOW.0);
    let seen = host.tags("probe");
    assert_eq!(seen[..2], ["env 0", "args 0"]);
    assert!(seen[2..6].iter().all(|s| s.contains("Err(")), "{seen:?}");
    assert_eq!(seen[6..], [wall, "passed 0ns".to_owned()]);
    host.time = Timestamp(NOW.0 + 1_000_000);
    assert_eq!(host.tags("probe")[6], format!("wall {0} {0}", NOW.0 + 1_000_000));
}

#[test]
fn a_flood_of_log_lines_is_cut_and_escaped() {
    let flood = new().act("log 500");
    assert!(flood.outcome.is_ok());
    assert_eq!((flood.logs.len(), flood.logs_dropped), (100, 400));
    let first = &flood.logs[0];
    assert_eq!(first.level, LogLevel::Warning);
    assert_eq!(first.message, "line 0 \\u{1b}[31mred\\n{\"level\":\"error\"}");
    let long = new().act("host-bytes 5000");
    assert_eq!(long.logs[0].message.chars().count(), 2001);
}

#[test]
fn what_is_printed_is_logged_line_by_line() {
    let mut host = new();
    let printed = host.act("print");
    let lines: Vec<_> = printed.logs.iter().map(|l| (l.level, l.message.as_str())).collect();
    assert_eq!(lines, [(LogLevel::Info, "to stdout"), (LogLevel::Warning, "to stderr \\u{1b}[2J")]);
    assert!(host.act("count").logs.is_empty());
}

#[test]
fn state_needs_its_grant() {
    assert_eq!(new().tags("state put:k:v get:k add:k:1 del:k keys:k"), ["Err(StateError::Denied)"; 5]);
}

#[test]
fn state_reads_its_own_writes() {
    let mut host = Host::granted(&[("state", "")]);
    host.data
        .state
        .lock()
        .unwrap()
        .extend([("old".to_owned(), (b"41".to_vec(), 7)), ("text".to_owned(), (b"none".to_vec(), 8))]);
    let call = host.act(
        "state get:old add:old:1 get:old put:k:v get:k del:k get:k add:k:5 get:k get:no add:text:2 get:text keys:o",
    );
    let said = call.outcome.unwrap().remove(0).tags;
    let some = |t: &str| format!("Ok(Some({t:?}))");
    let want = [
        &some("41"),
        "Ok(())",
        &some("42"),
        "Ok(())",
        &some("v"),
        "Ok(())",
        "Ok(None)",
        "Ok(())",
        &some("5"),
        "Ok(None)",
        "Ok(())",
        &some("2"),
        "Ok([\"old\"])",
    ];
    assert_eq!(said, want);
    let key = || "k".to_owned();
    assert_eq!(
        call.state,
        [
            StateWrite::Add { key: "old".into(), by: 1 },
            StateWrite::Put { key: key(), value: b"v".to_vec(), until: None },
            StateWrite::Delete { key: key() },
            StateWrite::Add { key: key(), by: 5 },
            StateWrite::Add { key: "text".into(), by: 2 },
        ]
    );
    let read = |key: &str, version| StateRead { key: key.into(), version };
    assert_eq!(call.reads, [read("old", Some(7)), read("no", None), read("text", Some(8))]);
    // Nothing of it is left for the next call but what was committed.
    assert_eq!(host.tags("state get:k get:old"), ["Ok(None)", "Ok(Some(\"41\"))"]);
}

#[test]
fn state_has_bounds() {
    let mut settings = settings(json!({}));
    settings.grants.push(tenter_model::capability::Grant { capability: "state".into(), scope: String::new() });
    settings.limits.insert("hostcall_bytes".into(), 16 << 20);
    let mut host = Host::new(settings);
    let said = host.tags("state big:k:262144 big:k:262145 long:x:512 long:x:513 get:");
    let large = "Err(StateError::TooLarge)";
    assert_eq!(said, ["Ok(())", large, "Ok(None)", large, large]);
    *host.data.bytes.lock().unwrap() = MAX_STATE_BYTES - (3 * (200 << 10) + 100);
    let filled = host.act("state-fill 10");
    assert_eq!(filled.outcome.unwrap()[0].tags, ["3 StateError::Quota"]);
    assert_eq!(filled.state.len(), 3);
}

#[test]
fn entities_are_read_with_a_grant_for_their_type() {
    let mut host = Host::granted(&[("read-entities", "ip")]);
    assert_eq!(host.tags("read asn/1"), ["Err(ReadError::Denied)"; 2]);
    assert_eq!(host.tags("read ip/192.0.2.9"), ["Ok(false)", "Ok(None)"]);
    let mut record = MasterRecord::new(NOW);
    record.stage(&datapoint("a.example"), NOW);
    *host.data.record.lock().unwrap() = Some(record);
    let said = host.tags("read ip/192.0.2.1");
    assert_eq!(said[0], "Ok(true)");
    assert!(said[1].contains("Texts([\"a.example\"])") || said[1].contains("a.example"), "{said:?}");
    assert!(host.tags("read ip/no-address")[0].contains("ReadError::Other("));
    // The store's own words stay with the operator.
    let failed = host.tags("read ip/192.0.2.66");
    assert_eq!(failed[1], "Err(ReadError::Other(\"the host's store failed\"))");
    let mut all = Host::granted(&[("read-entities", "*")]);
    assert_eq!(all.tags("read nothing/1")[0], "Err(ReadError::UnknownType)");
    // Any spelling of an id finds the entity.
    assert_eq!(all.tags("read asn/+0042")[0], all.tags("read asn/42")[0]);
    assert_eq!(all.data.asked.lock().unwrap().last().unwrap(), "asn/42");
}

#[test]
fn the_specification_is_open_to_all() {
    assert_eq!(new().tags("schema"), ["{\"ip\":{}}", "90"]);
}

#[test]
fn what_this_host_does_not_grant_is_denied() {
    let said = new().tags("denied");
    assert_eq!(said[0], "Err(SubmitError::Denied)");
    assert!(said[1].contains("no grant of module villain lets GET http://192.0.2.1/ through"), "{said:?}");
    let rest = ["Err(ResolveError::Denied)", "Err(ResolveError::Denied)", "[]", "Err(SecretError::Denied)"];
    assert_eq!(said[2..], rest);
    assert_eq!(new().tags("resume"), ["false", "None"]);
}
