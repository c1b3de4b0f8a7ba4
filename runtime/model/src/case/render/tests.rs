use serde_json::{Value, json};

use super::*;
use crate::case::fixture::{Linked, object, world};

fn shown(kind: ObjectKind, view: View) -> Value {
    render(&object(kind), view, &Linked(world()))
}

/// The names of part 5.2 of the specification.
#[test]
fn records_and_rows_have_the_columns_that_clients_read() {
    use ObjectKind::{Asset, Case, Event, Evidence, GlobalTask, Ioc, Note, Task};
    use View::{Record, Row};
    let lists = [
        (
            Case,
            Row,
            "case_id case_uuid case_name case_description client_name case_open_date case_close_date \
            case_soc_id opened_by opened_by_user_id owner owner_id classification classification_id state_id \
            state_name access_level",
        ),
        (
            Case,
            Record,
            "case_id case_uuid case_name case_description case_soc_id customer_id customer_name open_date \
            close_date open_by_user open_by_user_id owner owner_id status_id status_name state_id state_name \
            classification classification_id reviewer reviewer_id custom_attributes modification_history \
            initial_date case_tags protagonists",
        ),
        (
            Asset,
            Row,
            "asset_id asset_uuid asset_name asset_type asset_type_id asset_description asset_domain asset_ip \
            asset_compromise_status_id analysis_status analysis_status_id asset_tags link ioc_links",
        ),
        (Asset, Record, "asset_id asset_uuid asset_name asset_info linked_ioc case_id date_added custom_attributes"),
        (Note, Record, "note_id note_title note_content note_case_id directory_id directory comments"),
        (
            Ioc,
            Row,
            "ioc_id ioc_uuid ioc_value ioc_type ioc_type_id ioc_description ioc_tags ioc_misp tlp_name \
            tlp_bscolor ioc_tlp_id link misp_link",
        ),
        (Ioc, Record, "ioc_id ioc_uuid ioc_value ioc_type ioc_type_id ioc_tlp_id custom_attributes"),
        (
            Event,
            Record,
            "event_id event_uuid case_id event_date event_date_wtz event_assets event_iocs \
            event_category_id event_comments_map",
        ),
        (Event, Row, "event_id event_title category_name user event_added assets iocs"),
        (Evidence, Row, "id file_uuid filename file_size file_hash user username"),
        (
            Task,
            Row,
            "task_id task_uuid task_title task_description task_open_date task_tags task_status_id \
            status_name status_bscolor task_assignees",
        ),
        (Task, Record, "id task_uuid task_title task_case_id task_assignees"),
        (
            GlobalTask,
            Row,
            "task_id task_uuid task_title task_description task_last_update task_tags user_name \
            task_assignee_id task_status_id status_name status_bscolor",
        ),
    ];
    for (kind, view, names) in lists {
        let record = shown(kind, view);
        for name in names.split_whitespace() {
            assert!(record.get(name).is_some(), "{kind} {view:?} has no {name}: {record}");
        }
    }
}

#[test]
fn names_of_other_rows_are_joined() {
    let case = shown(ObjectKind::Case, View::Record);
    assert_eq!((&case["customer_name"], &case["state_name"]), (&json!("IrisInitialClient"), &json!("Open")));
    assert_eq!((&case["owner"], &case["status_name"]), (&json!("administrator"), &json!("Unknown")));
    assert_eq!(
        case["modification_history"],
        json!({
            "1700000000.000000": {"user": "administrator", "user_id": 1, "action": "created"},
        })
    );
    let row = shown(ObjectKind::Case, View::Row);
    assert_eq!((&row["case_open_date"], &row["case_close_date"]), (&json!("11/14/2023"), &json!("")));
    let ioc = shown(ObjectKind::Ioc, View::Record);
    assert_eq!(ioc["ioc_type"]["type_name"], json!("ip-dst"));
    assert_eq!(shown(ObjectKind::Ioc, View::Row)["link"][0]["case_id"], json!(5), "not the case that is looked at");
    assert_eq!(shown(ObjectKind::Event, View::Row)["assets"][0]["name"], json!("dc01 (Windows - DC)"));
    assert_eq!(
        shown(ObjectKind::Task, View::Record)["task_assignees"],
        json!([
            {"id": 1, "user": "administrator", "name": "administrator"},
        ])
    );
    assert_eq!(shown(ObjectKind::Asset, View::Row)["asset_type"], json!("Windows - DC"));
    assert_eq!(shown(ObjectKind::Note, View::Record)["comments"][0]["user"]["user_login"], json!("administrator"));
}

#[test]
fn directories_are_a_tree() {
    let directory = |id, parent: Option<i64>| {
        let mut one = object(ObjectKind::NoteDirectory);
        one.target.id = id;
        one.body.insert("parent_id".into(), json!(parent));
        one
    };
    let tree = directory_tree(&[directory(5, None), directory(6, Some(5))], &[object(ObjectKind::Note)]);
    assert_eq!(
        tree,
        json!([{
            "id": 5, "name": "Findings", "parent_id": null, "note_count": 1, "notes": [{"id": 5, "title": "Seen"}],
            "subdirectories": [{
                "id": 6, "name": "Findings", "parent_id": 5, "note_count": 0, "notes": [], "subdirectories": [],
            }],
        }])
    );
}
