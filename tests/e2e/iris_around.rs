//! What of IRIS's API is no JSON: forms with files, contents, documents, pages.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Server, Site, component, wait_for};

/// A form of several parts, as `requests` writes one.
fn form(fields: &[(&str, &str)], file: Option<(&str, &str, &[u8])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        write!(out, "--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").unwrap();
    }
    if let Some((name, file_name, bytes)) = file {
        write!(out, "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\r\n")
            .unwrap();
        out.extend_from_slice(bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--b--\r\n");
    out
}

fn send(client: &Client, path: &str, fields: &[(&str, &str)], file: Option<(&str, &str, &[u8])>) -> Answer {
    client.send("POST", path, &form(fields, file), &[("content-type", "multipart/form-data; boundary=b")])
}

fn data(answer: &Answer) -> Value {
    answer.expect(200)["data"].clone()
}

/// The number of the folder that all of the first case is in.
fn root(server: &Server) -> String {
    let tree = data(&server.get("/datastore/list/tree?cid=1"));
    let (name, folder) = tree.as_object().unwrap().iter().next().unwrap();
    assert_eq!((&folder["is_root"], &folder["type"]), (&json!(true), &json!("directory")), "{tree}");
    name.strip_prefix("d-").unwrap().to_owned()
}

#[test]
fn a_file_comes_is_marked_moves_and_goes() {
    let mut server = Server::start(&Site::new());
    let root = root(&server);
    // More than one piece, and every byte there is.
    let bytes: Vec<u8> = (0..2_500_000u32).map(|n| (n % 253) as u8).collect();
    let fields =
        [("file_original_name", "dump.bin"), ("file_is_ioc", "y"), ("file_is_evidence", "y"), ("file_tags", "a,b")];
    let added = data(&send(
        &server,
        &format!("/datastore/file/add/{root}?cid=1"),
        &fields,
        Some(("file_content", "x", &bytes)),
    ));
    assert_eq!((&added["file_is_ioc"], &added["file_is_evidence"]), (&json!(true), &json!(true)), "{added}");
    assert_eq!((&added["file_size"], &added["file_original_name"]), (&json!(bytes.len()), &json!("dump.bin")));
    let id = &added["file_id"];
    let found = server.send("GET", &format!("/datastore/file/view/{id}?cid=1"), &[], &[]);
    assert_eq!((found.status, found.bytes.len()), (200, bytes.len()));
    assert!(found.bytes == bytes);
    let iocs = data(&server.get("/case/ioc/list?cid=1"))["ioc"].clone();
    assert_eq!((&iocs[0]["ioc_value"], &iocs[0]["ioc_type"]), (&added["file_sha256"], &json!("sha256")), "{iocs}");
    let evidences = data(&server.get("/case/evidences/list?cid=1"))["evidences"].clone();
    assert_eq!((&evidences[0]["filename"], &evidences[0]["file_hash"]), (&json!("dump.bin"), &added["file_sha256"]));

    // Without a file the official client sends a line.
    let line = b"file_original_name=renamed.bin&file_description=What+it+is&file_is_ioc=y&file_is_evidence=n";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let updated = data(&server.send("POST", &format!("/datastore/file/update/{id}?cid=1"), line, &headers));
    assert_eq!(
        (&updated["file_description"], &updated["file_tags"]),
        (&json!("What it is"), &json!("a,b")),
        "{updated}"
    );
    let inner =
        data(&server.post("/datastore/folder/add?cid=1", &json!({"parent_node": root, "folder_name": "inner"})));
    let to = json!({"destination-node": inner["path_id"]});
    assert_eq!(
        data(&server.post(&format!("/datastore/file/move/{id}?cid=1"), &to))["file_parent_id"],
        inner["path_id"]
    );
    let tree = data(&server.get("/datastore/list/tree?cid=1"));
    let at = format!("/d-{root}/children/d-{}/children/f-{id}/name", inner["path_id"]);
    assert_eq!(tree.pointer(&at), Some(&json!("renamed.bin")), "{tree}");

    let refused = |answer: Answer| (answer.status, answer.json()["message"].clone(), answer.json()["data"].clone());
    let none = send(&server, &format!("/datastore/file/add/{root}?cid=1"), &fields, None);
    assert_eq!(refused(none), (400, json!("Data error"), json!(["No file provided"])));
    let nowhere = send(&server, "/datastore/file/add/999?cid=1", &fields, Some(("file_content", "x", &bytes)));
    assert_eq!(refused(nowhere).1, "Invalid path node for this case");
    assert_eq!(refused(server.get("/datastore/file/view/999?cid=1")).1, "Unable to get requested file ID");
    assert_eq!(refused(send(&server, &format!("/datastore/file/add/{root}?cid=9"), &fields, None)).0, 403);
    server.post(&format!("/datastore/folder/delete/{}?cid=1", inner["path_id"]), &json!({})).expect(200);
    assert_eq!(refused(server.get(&format!("/datastore/file/info/{id}?cid=1"))).0, 400);
    server.assert_well();
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing_and_harms_nobody() {
    let mut server = Server::start(&Site::new());
    let root = root(&server);
    let host = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&host).unwrap();
    let head = format!(
        "POST /datastore/file/add/{root}?cid=1 HTTP/1.1\r\nHost: {host}\r\nContent-Length: 90000000\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nAuthorization: Bearer {}\r\n\r\n\
         --b\r\nContent-Disposition: form-data; name=\"file_content\"; filename=\"x\"\r\n\r\n",
        server.token.clone().unwrap()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![7; 3 << 20]).unwrap();
    drop(stream);
    let bytes = b"whole".as_slice();
    data(&send(&server, &format!("/datastore/file/add/{root}?cid=1"), &[], Some(("file_content", "whole.txt", bytes))));
    let tree = data(&server.get("/datastore/list/tree?cid=1"));
    let children = tree.pointer(&format!("/d-{root}/children")).unwrap().as_object().unwrap();
    assert_eq!(children.values().map(|file| &file["name"]).collect::<Vec<_>>(), ["whole.txt"]);
    // A restart finds nothing half, and the books in order.
    server.restart();
    assert_eq!(server.get("/api/v1/reconcile").expect(200)["misfits"], json!([]));
    server.assert_well();
}

#[test]
fn reports_are_made_of_templates_that_were_there_or_came() {
    let mut server = Server::start(&Site::new());
    let ioc =
        json!({"ioc_value": "203.0.113.7", "ioc_type_id": 1, "ioc_tlp_id": 2, "ioc_description": "<script>", "cid": 1});
    server.post("/case/ioc/add", &ioc).expect(200);
    server.post("/case/tasklog/add?cid=1", &json!({"log_content": "called the customer"})).expect(200);
    let templates = data(&server.get("/manage/templates/list"));
    let id = |name: &str| templates.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["id"].clone();
    let report = |path: String| server.send("GET", &path, &[], &[]);
    let markdown = report(format!("/case/report/generate-investigation/{}?cid=1", id("Investigation")));
    assert_eq!(markdown.status, 200);
    assert!(markdown.body.contains("203.0.113.7") && markdown.body.contains("<script>"), "{}", markdown.body);
    let html = report(format!("/case/report/generate-investigation/{}?cid=1", id("Investigation (HTML)")));
    assert!(html.body.contains("&lt;script&gt;") && !html.body.contains("<script>"), "{}", html.body);
    let activities = report(format!("/case/report/generate-activities/{}?cid=1&safe-mode=true", id("Activities")));
    assert!(activities.body.contains("Called the customer") && activities.body.contains("ioc"), "{}", activities.body);

    // A template makes reports of its sort alone, and one that is not there makes none.
    for path in [
        format!("/case/report/generate-activities/{}?cid=1", id("Investigation")),
        "/case/report/generate-investigation/999?cid=1".to_owned(),
    ] {
        let answer = report(path);
        assert_eq!((answer.status, answer.json()["message"].clone()), (404, json!("Unknown report")));
    }
    let fields = [("report_name", "Mine"), ("report_type", "1"), ("report_name_format", "%case_name%")];
    let add = |file_name: &str, text: &str| {
        send(&server, "/manage/templates/add?cid=1", &fields, Some(("file", file_name, text.as_bytes())))
    };
    let told = |answer: Answer| (answer.status, answer.json()["message"].clone(), answer.json()["data"].clone());
    insta::assert_snapshot!(told(add("a.docx", "x")).1.as_str().unwrap(), @r#"Invalid template: "a.docx" is neither Markdown (.md) nor HTML (.html)"#);
    insta::assert_snapshot!(told(add("a.md", "{% if %}")).2["content"][0].as_str().unwrap().split(" (").next().unwrap(), @"the template cannot be read: syntax error: unexpected end of block");
    let mine = data(&add("a.md", "{{ case.name }}: {{ iocs|length }} of {{ gen_user }}"));
    assert_eq!(told(add("a.md", "again")).0, 400);
    let answer = report(format!("/case/report/generate-investigation/{}?cid=1", mine["report_id"]));
    assert_eq!(answer.body, "#1 - Initial Demo: 1 of administrator");
    server.post(&format!("/manage/templates/delete/{}?cid=1", mine["report_id"]), &json!({})).expect(200);
    assert_eq!(report(format!("/case/report/generate-investigation/{}?cid=1", mine["report_id"])).status, 404);
    server.assert_well();
}

#[test]
fn a_new_user_is_who_its_token_says_and_sees_what_it_may() {
    let mut server = Server::start(&Site::new());
    let wish = json!({"user_login": "ann", "user_name": "Ann", "user_email": "ann@example.org", "user_password": "x"});
    let ann = data(&server.post("/manage/users/add", &wish));
    let client = Client::new(&server.url, ann["user_api_key"].as_str().map(str::to_owned));
    assert_eq!(client.get("/case/ioc/list?cid=1").status, 403);
    assert_eq!(data(&client.get("/dim/tasks/list/10")), json!([]));
    assert_eq!(client.get("/manage/users/list").status, 403);
    let access = |level: u8| {
        let wish = json!({"cases_list": [1], "access_level": level});
        server.post(&format!("/manage/users/{}/cases-access/update", ann["user_id"]), &wish).expect(200);
    };
    access(2);
    assert_eq!(client.get("/case/ioc/list?cid=1").status, 200);
    let ioc = json!({"ioc_value": "198.51.100.9", "ioc_type_id": 1, "ioc_tlp_id": 2, "cid": 1});
    assert_eq!(client.post("/case/ioc/add", &ioc).status, 403);
    access(4);
    let id = data(&client.post("/case/ioc/add", &ioc))["ioc_id"].clone();

    // Remarks are changed by who wrote them.
    let at = format!("/case/ioc/{id}/comments");
    let remark = data(&client.post(&format!("{at}/add?cid=1"), &json!({"comment_text": "seen"})));
    assert_eq!(remark["name"], "Ann");
    let own = format!("{at}/{}", remark["comment_id"]);
    assert_eq!(server.post(&format!("{own}/edit?cid=1"), &json!({"comment_text": "x"})).status, 403);
    assert_eq!(server.post(&format!("{own}/delete?cid=1"), &json!({})).status, 403);
    assert_eq!(data(&client.post(&format!("{own}/edit?cid=1"), &json!({"comment_text": "y"})))["comment_text"], "y");
    assert_eq!(
        client.post(&format!("/case/ioc/999/comments/{}/delete?cid=1", remark["comment_id"]), &json!({})).status,
        400
    );
    client.post(&format!("{own}/delete?cid=1"), &json!({})).expect(200);

    server.get(&format!("/manage/users/deactivate/{}", ann["user_id"])).expect(200);
    assert_eq!(client.get("/api/ping").status, 401);
    assert_eq!(server.get("/manage/users/deactivate/1").status, 400);
    wait_for("the search to find it", || {
        let found = server.post("/search", &json!({"search_value": "198.51.%", "search_type": "ioc"})).expect(200);
        found["data"][0]["case_name"] == "#1 - Initial Demo"
    });
    server.assert_well();
}

/// How often each hook was called, by the jobs that there are once all have ended.
fn called(server: &Server) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    wait_for("all jobs to end", || {
        found.clear();
        let jobs = data(&server.get("/dim/tasks/list/1000"));
        for job in jobs.as_array().unwrap() {
            let (module, hook) = job["module"].as_str().unwrap().split_once("::").unwrap();
            assert_eq!(module, "rogue", "{job}");
            *found.entry(hook.to_owned()).or_default() += 1;
        }
        jobs.as_array().unwrap().iter().all(|job| job["state"] == "success")
    });
    found
}

/// A module that is called at every hook, once before the answer and once after it, hears of all that is done around
/// objects, each time once.
#[test]
fn hooks_are_called_for_remarks_reports_and_files() {
    // What the module asks for in other families.
    let ip = "entity: {id: ip, id_data_type: ipv4, name: IP, description: d, snapshot: true}
attribs:
  label: {name: Label, description: d, type: plain, data_type: string}
  hostname: {name: Name, description: d, type: plain, data_type: string}
  traffic:
    name: Traffic
    description: d
    type: timeseries
    timeseries_type: regular
    timeseries_params: {max_age: 36500d, time_step: 10m}
    series: {flows: {data_type: int}}
";
    let site = Site::new().file("db_entities/ip.yml", ip);
    let mut server = Server::start(&site);
    let made = |path: &str, body: Value, id: &str| data(&server.post(path, &body))[id].clone();
    let directory = made("/case/notes/directories/add", json!({"name": "d", "cid": 1}), "id");
    let note = json!({"note_title": "n", "note_content": "", "directory_id": directory, "cid": 1});
    let event = json!({
        "event_title": "event", "event_date": "2024-05-01T12:00:00.000000", "event_tz": "+00:00",
        "event_category_id": 1, "event_assets": [], "event_iocs": [], "cid": 1,
    });
    let task = json!({"task_title": "task", "task_status_id": 1, "task_assignees_id": [], "cid": 1});
    let objects = [
        (
            "assets",
            "asset",
            made("/case/assets/add", json!({"asset_name": "a", "asset_type_id": 1, "cid": 1}), "asset_id"),
        ),
        ("notes", "note", made("/case/notes/add", note, "note_id")),
        ("ioc", "ioc", made("/case/ioc/add", json!({"ioc_value": "192.0.2.4", "ioc_type_id": 1, "cid": 1}), "ioc_id")),
        ("events", "event", made("/case/timeline/events/add", event, "event_id")),
        ("evidences", "evidence", made("/case/evidences/add", json!({"filename": "file", "cid": 1}), "id")),
        ("tasks", "task", made("/case/tasks/add", task, "id")),
    ];
    let root = root(&server);
    server.install("rogue", &component("tenter-rogue"));
    let mut expected = BTreeMap::new();
    let mut twice = |hook: String| expected.insert(hook, 2);
    for (path, object, id) in &objects {
        let at = format!("/case/{path}/{id}/comments");
        let remark = made(&format!("{at}/add?cid=1"), json!({"comment_text": "seen"}), "comment_id");
        server.post(&format!("{at}/{remark}/edit?cid=1"), &json!({"comment_text": "looked at"})).expect(200);
        server.post(&format!("{at}/{remark}/delete?cid=1"), &json!({})).expect(200);
        for action in ["commented", "comment_update", "comment_delete"] {
            twice(format!("on_postload_{object}_{action}"));
        }
    }
    for (kind, template) in [("investigation", 1), ("activities", 3)] {
        assert_eq!(server.get(&format!("/case/report/generate-{kind}/{template}?cid=1")).status, 200);
    }
    twice("on_postload_report_create".into());
    twice("on_postload_activities_report_create".into());
    let fields = [("file_is_ioc", "y"), ("file_is_evidence", "y")];
    let file = Some(("file_content", "dump.bin", b"dump".as_slice()));
    data(&send(&server, &format!("/datastore/file/add/{root}?cid=1"), &fields, file));
    twice("on_postload_ioc_create".into());
    twice("on_postload_evidence_create".into());
    let menu = data(&server.get("/dim/hooks/options/asset/list"));
    let entry = json!({
        "manual_hook_ui_name": "Misbehave", "hook_name": "on_manual_trigger_asset", "module_name": "rogue",
    });
    assert_eq!(menu, json!([entry]));
    // As the official client asks, whatever the object is.
    let click = json!({
        "hook_name": "on_manual_trigger_ioc", "hook_ui_name": "Misbehave", "module_name": "rogue",
        "targets": [objects[0].2], "type": "asset", "cid": 1,
    });
    assert_eq!(server.post("/dim/hooks/call", &click).expect(200)["message"], "Queued task with 1 objects");
    expected.insert("on_manual_trigger_asset".into(), 1);
    assert_eq!(called(&server), expected);

    let jobs = data(&server.get("/dim/tasks/list/1"));
    let page = server.get(&format!("/dim/tasks/status/{}", jobs[0]["task_id"].as_str().unwrap()));
    assert!(page.content_type.starts_with("text/html") && page.body.contains("rogue"), "{}", page.body);
    // Who may not see the case does not see what was called for it.
    let stranger = data(&server.post("/manage/users/add", &json!({"user_login": "eve", "user_name": "Eve"})));
    let eve = Client::new(&server.url, stranger["user_api_key"].as_str().map(str::to_owned));
    assert_eq!(data(&eve.get("/dim/tasks/list/1000")), json!([]));
    assert_eq!(eve.get(&format!("/dim/tasks/status/{}", jobs[0]["task_id"].as_str().unwrap())).status, 404);
    let hooks = data(&server.get("/manage/modules/hooks/list"));
    let known = |name: &str| hooks.as_array().unwrap().iter().any(|row| row["hook_name"] == name);
    assert!(known("on_preload_report_create") && known("on_manual_trigger_asset"), "{hooks}");
    server.post("/manage/modules/disable/rogue", &json!({})).expect(200);
    assert_eq!(data(&server.get("/manage/modules/list"))[0]["is_active"], false);
    server.assert_well();
}
