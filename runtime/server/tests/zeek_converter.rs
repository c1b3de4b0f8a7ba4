//! The example that converts Zeek logs, on logs made for the purpose: both formats, the fields of old and new versions
//! of Zeek, and what it says about logs that it cannot use.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail loudly, its helpers too; the converter is linted where it is built as an example"
)]

use std::fs;

use tempfile::TempDir;

#[path = "../examples/zeek-to-datapoints/certificate.rs"]
mod certificate;
#[path = "../examples/zeek-to-datapoints/convert.rs"]
mod convert;
#[path = "../examples/zeek-to-datapoints/log.rs"]
mod log;
#[path = "../examples/zeek-to-datapoints/output.rs"]
mod output;
#[path = "../examples/zeek-to-datapoints/profile.rs"]
mod profile;

/// A directory with these logs.
fn logs(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// The datapoints made of the logs that a line says something about, without their sources.
fn converted(files: &[(&str, &str)], about: &str) -> String {
    let ndjson = convert::convert(logs(files).path()).unwrap().ndjson;
    ndjson.lines().filter(|line| line.contains(about)).map(|line| format!("{line}\n")).collect()
}

/// What is said instead of converting the logs.
fn error(files: &[(&str, &str)]) -> String {
    let dir = logs(files);
    let error = convert::convert(dir.path()).err().unwrap();
    error.replace(dir.path().to_str().unwrap(), "LOGDIR")
}

const X509: &str = "#path\tx509\n#fields\tts\tid\tcertificate.serial\tcertificate.subject\tcertificate.issuer\tsan.dns\n\
    #types\ttime\tstring\tstring\tstring\tstring\tvector[string]\n\
    1.5\tFleaf\t0A\tCN=leaf\tO=A\\x09B\\\\, Inc\tWWW.a.example,b.example\n";

#[test]
fn handshakes_find_their_certificate_by_file_id() {
    let ssl = r#"{"ts":2.25,"id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.2","id.resp_p":443,"established":true,
        "server_name":"A.example.","cert_chain_fuids":["Fleaf","Froot"],"subject":"CN=leaf","issuer":"O=A\tB\\, Inc"}"#;
    let files = [("x509.log", X509), ("new/ssl.2020-01-01.log", &ssl.replace('\n', " "))];
    insta::assert_snapshot!(converted(&files, r#""certificate""#), @r#"
    {"type":"certificate","id":"serial:0a-b003239c","attr":"subject","v":"CN=leaf","src":"zeek/new/ssl.2020-01-01.log"}
    {"type":"certificate","id":"serial:0a-b003239c","attr":"issuer","v":"O=A\tB\\, Inc","src":"zeek/new/ssl.2020-01-01.log"}
    {"type":"certificate","id":"serial:0a-b003239c","attr":"names","v":["www.a.example","b.example"],"src":"zeek/x509.log"}
    {"type":"certificate","id":"serial:0a-b003239c","attr":"seen_on","v":{"eid":"192.0.2.2"},"t1":"1970-01-01T00:00:02.250Z","t2":"1970-01-01T00:00:02.250Z","src":"zeek/new/ssl.2020-01-01.log"}
    {"type":"certificate","id":"serial:0a-b003239c","attr":"presented_for","v":{"eid":"a.example"},"t1":"1970-01-01T00:00:02.250Z","t2":"1970-01-01T00:00:02.250Z","src":"zeek/new/ssl.2020-01-01.log"}
    "#);
    insta::assert_snapshot!(converted(&files, r#""type":"domain""#), @r#"
    {"type":"domain","id":"a.example","attr":"served_by","v":{"eid":"192.0.2.2"},"t1":"1970-01-01T00:00:02.250Z","t2":"1970-01-01T00:00:02.250Z","src":"zeek/new/ssl.2020-01-01.log"}
    {"type":"domain","id":"a.example","attr":"queries","v":0,"src":"zeek"}
    {"type":"domain","id":"a.example","attr":"entropy","v":2.522,"src":"zeek"}
    {"type":"domain","id":"a.example","attr":"labels","v":["a","example"],"src":"zeek"}
    "#);
}

#[test]
fn ends_of_a_connection_are_told_once() {
    let conn = r#"{"ts":60,"uid":"C1","id.orig_h":"192.0.2.1","id.resp_h":"2001:db8::1","id.resp_p":53,"proto":"udp",
        "duration":0.5,"orig_bytes":30,"resp_bytes":70,"orig_pkts":1,"resp_pkts":2,"conn_state":"SF"}"#;
    let dns = r#"{"ts":60,"uid":"C1","id.orig_h":"192.0.2.1","id.resp_h":"192.0.2.53","id.resp_p":53,"proto":"udp",
        "query":"a.example","qtype_name":"A","rcode_name":"NOERROR","answers":["b.example","192.0.2.9","2001:db8::9"],
        "TTLs":[60,30.5,30]}"#;
    let files = [("conn.log", &*conn.replace('\n', " ")), ("dns.log", &*dns.replace('\n', " "))];
    insta::assert_snapshot!(converted(&files, r#""192.0.2."#), @r#"
    {"type":"ip","id":"192.0.2.1","attr":"role","v":"client","t1":"1970-01-01T00:01:00Z","t2":"1970-01-01T00:01:00.500Z","src":"zeek/conn.log"}
    {"type":"domain","id":"a.example","attr":"resolves_to","v":{"eid":"192.0.2.9"},"t1":"1970-01-01T00:01:00Z","t2":"1970-01-01T00:01:30.500Z","src":"zeek/dns.log"}
    {"type":"ip","id":"192.0.2.1","attr":"first_seen","v":"1970-01-01T00:01:00Z","src":"zeek"}
    {"type":"ip","id":"192.0.2.1","attr":"last_seen","v":"1970-01-01T00:01:00.500Z","src":"zeek"}
    {"type":"ip","id":"192.0.2.1","attr":"seen_in","v":["conn","dns"],"src":"zeek"}
    {"type":"ip","id":"192.0.2.1","attr":"bytes_total","v":100,"src":"zeek"}
    {"type":"ip","id":"192.0.2.1","attr":"activity","v":{"bytes_received":[70],"bytes_sent":[30],"packets_received":[2],"packets_sent":[1],"time_first":["1970-01-01T00:01:00Z"],"time_last":["1970-01-01T00:01:00.500Z"]},"t1":"1970-01-01T00:01:00Z","t2":"1970-01-01T00:01:00.500Z","src":"zeek"}
    {"type":"ip","id":"192.0.2.1","attr":"connections","v":{"answered":[0],"opened":[1]},"t1":"1970-01-01T00:01:00Z","t2":"1970-01-01T00:02:00Z","src":"zeek"}
    {"type":"ip","id":"192.0.2.53","attr":"first_seen","v":"1970-01-01T00:01:00Z","src":"zeek"}
    {"type":"ip","id":"192.0.2.53","attr":"last_seen","v":"1970-01-01T00:01:00Z","src":"zeek"}
    {"type":"ip","id":"192.0.2.53","attr":"seen_in","v":["dns"],"src":"zeek"}
    {"type":"ip","id":"192.0.2.53","attr":"resolver","v":true,"src":"zeek"}
    "#);
    let report = convert::convert(logs(&files).path()).unwrap().report;
    insta::assert_snapshot!(report, @r"
    read 2 lines of 2 logs
           1 lines of conn in conn.log
           1 lines of dns in dns.log
    wrote 23 datapoints of 5 entities
          11 datapoints of 2 entities of type domain
          11 datapoints of 2 entities of type ip
           1 datapoints of 1 entities of type port
    left out 2
           2 IPv6 address, for which there is no entity type
    ");
}

#[test]
fn leases_of_old_and_new_logs_are_read() {
    let old = "#path\tdhcp\n#fields\tts\tid.resp_h\tmac\tassigned_ip\tlease_time\n0.5\t192.0.2.1\t00:00:5E:00:53:01\t192.0.2.7\t60\n";
    let new = r#"{"ts":100.5,"server_addr":"192.0.2.1","mac":"00:00:5e:00:53:01","assigned_addr":"192.0.2.8"}"#;
    insta::assert_snapshot!(converted(&[("dhcp.log", old), ("json/dhcp.log", new)], r#""lease""#), @r#"
    {"type":"ip","id":"192.0.2.7","attr":"lease","v":{"mac":"00:00:5e:00:53:01","seconds":60.0,"server":"192.0.2.1"},"t1":"1970-01-01T00:00:00.500Z","t2":"1970-01-01T00:00:00.500Z","src":"zeek/dhcp.log"}
    {"type":"ip","id":"192.0.2.8","attr":"lease","v":{"mac":"00:00:5e:00:53:01","server":"192.0.2.1"},"t1":"1970-01-01T00:01:40.500Z","t2":"1970-01-01T00:01:40.500Z","src":"zeek/json/dhcp.log"}
    "#);
}

#[test]
fn lines_that_say_nothing_are_counted() {
    let conn = "#path\tconn\n#fields\tts\tuid\nx\ty\n1.5\n";
    let dir = logs(&[("conn.log", conn), ("files.log", "{\"ts\":1.5}\n{\"ts\":\n"), ("notes.txt", "not a log")]);
    insta::assert_snapshot!(convert::convert(dir.path()).unwrap().report, @r"
    read 4 lines of 2 logs
           2 lines of conn in conn.log
           2 lines of files in files.log
    wrote 0 datapoints of 0 entities
    left out 4
           1 line has not as many fields as the header names
           2 line of a log of another kind
           1 line without a time in seconds
    ");
}

#[test]
fn errors_say_what_was_expected() {
    insta::assert_snapshot!(error(&[]), @"LOGDIR: expected Zeek logs, found no file that ends in .log");
    insta::assert_snapshot!(error(&[("conn.log", "#separator \\x09\n1379288667.7\tCoy\n")]), @"LOGDIR/conn.log:2: expected a JSON object, or a line `#fields` before the first line of data");
}
