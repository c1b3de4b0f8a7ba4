//! Spans of tasks and calls, as a collector of OpenTelemetry gets them.

use serde_json::{Value, json};

use crate::harness::{Dp3, Known, Server, Site, example, tenter, wait_for};

/// All spans that came, in the order of their start.
fn spans(requests: &[String]) -> Vec<Value> {
    let all = requests.iter().flat_map(|body| {
        let request: Value = serde_json::from_str(body).unwrap();
        let resource = &request["resourceSpans"][0];
        assert_eq!(
            resource["resource"]["attributes"][0],
            json!({"key": "service.name", "value": {"stringValue": "tenter"}})
        );
        resource["scopeSpans"][0]["spans"].as_array().unwrap().clone()
    });
    let mut all: Vec<Value> = all.collect();
    all.sort_by_key(|span| text(span, "startTimeUnixNano").parse::<u64>().unwrap());
    all
}

fn text<'v>(span: &'v Value, name: &str) -> &'v str {
    span[name].as_str().unwrap_or_else(|| panic!("no {name} in {span}"))
}

fn attribute<'v>(span: &'v Value, name: &str) -> Option<&'v str> {
    let found = span["attributes"].as_array().unwrap().iter().find(|a| a["key"] == name)?;
    found["value"]["stringValue"].as_str()
}

#[test]
fn a_task_and_all_that_follows_is_one_trace() {
    let collector = Dp3::start("", Known::default());
    let mut server = Server::start_with(&Site::new(), vec![("TENTER_TRACES", collector.url.clone())]);
    server.install("label", &example("label"));
    server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "a"}]));
    server.settle();
    // What waits leaves before the server ends.
    server.stop();
    let requests: Vec<String> = collector.seen().into_iter().map(|seen| seen.body).collect();
    let spans = spans(&requests);
    let tasks: Vec<&Value> = spans.iter().filter(|s| s["name"] == "task").collect();
    let [first, second] = tasks[..] else { panic!("not two tasks: {spans:?}") };
    let call = spans.iter().find(|s| s["name"] == "call" && attribute(s, "module") == Some("label")).unwrap();
    assert_eq!(text(first, "traceId"), attribute(first, "task").unwrap());
    assert_eq!((first.get("parentSpanId"), attribute(first, "outcome")), (None, Some("applied")));
    assert_eq!((text(call, "traceId"), text(call, "parentSpanId")), (text(first, "traceId"), text(first, "spanId")));
    assert_eq!((attribute(call, "hook"), attribute(call, "outcome")), (Some("on-entity-creation"), Some("ok")));
    assert_eq!(
        (text(second, "traceId"), text(second, "parentSpanId")),
        (text(first, "traceId"), text(first, "spanId"))
    );
    for span in &spans {
        let time = |name| text(span, name).parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"), "{span}");
    }
}

#[test]
fn a_share_of_nothing_sends_nothing_and_a_collector_that_is_gone_stops_nothing() {
    let collector = Dp3::start("", Known::default());
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nothing = vec![("TENTER_TRACES", collector.url.clone()), ("TENTER_TRACE_RATIO", "0".to_owned())];
    for variables in [nothing, vec![("TENTER_TRACES", format!("http://{gone}"))]] {
        let asked_in_vain = variables.len() == 1;
        let mut server = Server::start_with(&Site::new(), variables);
        server.post_datapoints(&json!([{"type": "ip", "id": "192.0.2.1", "attr": "hostname", "v": "a"}]));
        server.settle();
        assert_eq!(server.ids("ip"), vec![json!("192.0.2.1")]);
        if asked_in_vain {
            wait_for("a line on what was lost", || server.log().contains("spans were lost"));
        }
        server.stop();
    }
    assert!(collector.seen().is_empty());
}

#[test]
fn an_address_that_is_none_of_http_is_refused_at_the_start() {
    let home = tempfile::tempdir().unwrap();
    let output = tenter(home.path()).args(["serve", "site", "--traces", "localhost:4318"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("--traces \"localhost:4318\" is no address of HTTP")
            && said.contains("try `--traces http://localhost:4318`"),
        "{said}"
    );
}
