use super::*;
use serde_json::json;

fn answer(status: u16, body: Value) -> Result<Answer, Broken> {
    Ok(Answer { status, retry_after: None, body })
}

fn ok() -> Result<Answer, Broken> {
    answer(200, json!({"detail": "OK"}))
}

fn broken(reached: bool) -> Result<Answer, Broken> {
    Err(Broken { error: CliError::new(Kind::Unreachable, "no server"), reached })
}

/// Runs with scripted answers; success when they are used up. Gives the result, the bodies and the pauses in ms.
fn run(
    input: &str,
    batch: usize,
    skip: u64,
    script: Vec<Result<Answer, Broken>>,
) -> (Result<Sent, CliError>, Vec<String>, Vec<u128>) {
    run_at(true, input, batch, skip, script)
}

/// The same with a server that knows keys or does not.
fn run_at(
    keyed: bool,
    input: &str,
    batch: usize,
    skip: u64,
    script: Vec<Result<Answer, Broken>>,
) -> (Result<Sent, CliError>, Vec<String>, Vec<u128>) {
    let (mut bodies, mut pauses, mut script) = (Vec::new(), Vec::new(), script.into_iter());
    let mut keys: Vec<String> = Vec::new();
    let stop = AtomicBool::new(false);
    let result = Sender {
        name: "points.ndjson",
        batch,
        skip,
        run: "r1",
        post: |body: &[u8], key: &str| {
            keys.push(key.to_owned());
            bodies.push(String::from_utf8(body.to_vec()).unwrap());
            script.next().unwrap_or_else(ok)
        },
        keyed,
        pause: |time: Duration| pauses.push(time.as_millis()),
        progress: |_, _| {},
        stop: &stop,
    }
    .run(Items::new(input.as_bytes()));
    // A key stands for one body and for no other.
    for (key, body) in keys.iter().zip(&bodies) {
        let same = keys.iter().zip(&bodies).filter(|(other, _)| *other == key);
        assert!(same.into_iter().all(|(_, other)| other == body), "{keys:?}");
    }
    (result, bodies, pauses)
}

fn text(error: CliError) -> String {
    format!("{error}\nhelp: {}\nexit: {}", error.help.clone().unwrap_or_default(), error.kind.code())
}

const FIVE: &str = "{\"n\":1}\n\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n";

#[test]
fn batches_hold_what_was_asked_for() {
    let (sent, bodies, _) = run(FIVE, 2, 0, vec![]);
    assert_eq!(sent.unwrap(), Sent { datapoints: 5, batches: 3 });
    assert_eq!(bodies, ["[{\"n\":1},{\"n\":2}]", "[{\"n\":3},{\"n\":4}]", "[{\"n\":5}]"]);
    let (sent, bodies, _) = run(FIVE, 500, 4, vec![]);
    assert_eq!(sent.unwrap(), Sent { datapoints: 1, batches: 1 });
    assert_eq!(bodies, ["[{\"n\":5}]"]);
    assert_eq!(run("[]", 2, 0, vec![]).0.unwrap(), Sent::default());
    assert_eq!(run(FIVE, 2, 9, vec![]).0.unwrap(), Sent::default());
}

#[test]
fn no_request_is_larger_than_the_server_takes() {
    let large = format!("{{\"v\":\"{}\"}}\n", "x".repeat(3 << 20)).repeat(5);
    let (sent, bodies, _) = run(&large, 500, 0, vec![]);
    assert_eq!(sent.unwrap(), Sent { datapoints: 5, batches: 3 });
    assert!(bodies.iter().all(|b| b.len() <= MAX_BODY_BYTES));
}

#[test]
fn a_busy_server_is_waited_for() {
    let asked = Ok(Answer { status: 429, retry_after: Some(Duration::from_secs(2)), body: Value::Null });
    let script = vec![broken(false), answer(503, Value::Null), asked, ok()];
    let (sent, bodies, pauses) = run(FIVE, 5, 0, script);
    assert_eq!(sent.unwrap(), Sent { datapoints: 5, batches: 1 });
    assert_eq!((bodies.len(), pauses), (4, vec![250, 500, 2000]));
    let script = std::iter::once(ok()).chain((0..10).map(|_| broken(false))).collect();
    let (sent, bodies, pauses) = run(FIVE, 2, 0, script);
    assert_eq!((bodies.len(), pauses.len()), (8, 6));
    insta::assert_snapshot!(text(sent.unwrap_err()), @"
    no server
    2 datapoints were sent before
    help: go on with `--skip 2`
    exit: 7
    ");
}

#[test]
fn a_bad_datapoint_is_found_by_its_line() {
    let detail = json!({"detail": [
        {"loc": ["body", 1, "v"], "msg": "not an integer\u{7}", "type": "value_error"},
        {"loc": ["body", 0], "msg": "no attribute \"n\"", "type": "value_error"},
    ]});
    let (sent, ..) = run(FIVE, 2, 0, vec![ok(), answer(422, detail)]);
    insta::assert_snapshot!(text(sent.unwrap_err()), @r#"
    the server refused the batch (HTTP 422):
      points.ndjson:5: v: not an integer\u{7}
      points.ndjson:4: no attribute "n"
    2 datapoints were sent before
    help: correct it, then go on with `--skip 2`
    exit: 6
    "#);
    let (sent, ..) = run("{}\n{]\n", 1, 0, vec![]);
    insta::assert_snapshot!(text(sent.unwrap_err()), @"
    points.ndjson:2: not JSON: key must be a string, column 2
    nothing was sent before
    help: correct it, then send again
    exit: 6
    ");
    let (sent, ..) = run(FIVE, 2, 0, vec![answer(403, json!({"detail": "role viewer may not send"}))]);
    insta::assert_snapshot!(text(sent.unwrap_err()), @"
    role viewer may not send (HTTP 403)
    nothing was sent before
    help: the token does not allow it; `tenter token create --role operator` makes one that does; send again
    exit: 4
    ");
}

#[test]
fn what_may_have_arrived_is_sent_again_under_its_key() {
    let (sent, bodies, _) = run(FIVE, 2, 0, vec![ok(), broken(true), ok()]);
    assert_eq!(sent.unwrap(), Sent { datapoints: 5, batches: 3 });
    assert_eq!(bodies[1], bodies[2]);
    let script = std::iter::once(ok()).chain((0..10).map(|_| broken(true))).collect();
    let (sent, bodies, pauses) = run(FIVE, 2, 0, script);
    assert_eq!((bodies.len(), pauses.len()), (8, 6));
    insta::assert_snapshot!(text(sent.unwrap_err()), @"
    no server; whether the batch of lines 4 to 5 was taken is not known
    2 datapoints were sent before
    help: with `--run r1` and the same `--batch` it is taken once; go on with `--skip 2`
    exit: 7
    ");
}

#[test]
fn a_server_without_keys_gets_nothing_twice() {
    let (sent, bodies, pauses) = run_at(false, FIVE, 2, 0, vec![broken(false), ok(), broken(true)]);
    assert_eq!((bodies.len(), pauses.len()), (3, 1));
    insta::assert_snapshot!(text(sent.unwrap_err()), @"
    no server; whether the batch of lines 4 to 5 was taken is not known
    2 datapoints were sent before
    help: DP³ takes a batch as often as it comes: `tenter entity raw` shows whether it came, and `--skip` leaves it out; go on with `--skip 2`
    exit: 7
    ");
}

#[test]
fn an_interrupt_ends_between_batches() {
    let stop = AtomicBool::new(false);
    let sent = Sender {
        name: "-",
        batch: 2,
        skip: 0,
        run: "r1",
        post: |_: &[u8], _: &str| {
            stop.store(true, Ordering::Relaxed);
            ok()
        },
        keyed: true,
        pause: |_| {},
        progress: |_, _| {},
        stop: &stop,
    }
    .run(Items::new(FIVE.as_bytes()));
    insta::assert_snapshot!(text(sent.unwrap_err()), @"
    interrupted
    2 datapoints were sent before
    help: go on with `--skip 2`
    exit: 130
    ");
}
