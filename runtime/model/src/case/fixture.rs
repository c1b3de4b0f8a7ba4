//! A world for tests: the seeded look-up tables, one case with one object of each kind, users 1 and 2 of whom 2 stays
//! outside.

use serde_json::{Value, json};

use super::look_up::{LookUpKind, LookUpRow, Lookups};
use super::object::{Acting, Body, CaseObject, ObjectRef, Relation};
use super::render::{Joins, PastChange};
use super::validate::validate_create;
use super::{ObjectKind, seed};
use crate::time::Timestamp;

pub(super) const CASE: Option<i64> = Some(1);

pub(super) struct World {
    rows: Vec<LookUpRow>,
    pub(super) defaults: Body,
}

pub(super) fn acting() -> Acting {
    Acting { user_id: 1, now: Timestamp(1_700_000_000_000_000) }
}

pub(super) fn world() -> World {
    let mut rows: Vec<_> =
        LookUpKind::ALL.iter().flat_map(|kind| seed::rows(*kind, &acting(), &mut || [7; 16])).collect();
    rows.push(LookUpRow { kind: LookUpKind::User, id: 2, name: "outsider".into(), body: Body::new() });
    let defaults = json!({"Ticket": {
        "number": {"type": "input_string", "mandatory": false, "value": ""},
        "level": {"type": "input_select", "mandatory": false, "value": "", "options": ["low", "high"]},
        "seen": {"type": "input_checkbox", "mandatory": false, "value": false},
        "report": {"type": "html", "mandatory": false, "value": "<b>none</b>"},
    }});
    World { rows, defaults: defaults.as_object().unwrap().clone() }
}

impl Lookups for World {
    fn row(&self, kind: LookUpKind, id: i64) -> Option<LookUpRow> {
        self.rows.iter().find(|row| row.kind == kind && row.id == id).cloned()
    }

    fn holds(&self, case_id: Option<i64>, _: ObjectKind, id: i64) -> bool {
        case_id == CASE && id == 5
    }

    fn may_enter(&self, user_id: i64, case_id: i64) -> bool {
        user_id == 1 && Some(case_id) == CASE
    }

    fn custom_defaults(&self, _: ObjectKind) -> Body {
        self.defaults.clone()
    }
}

/// The least request that creates an object of a kind.
pub(super) fn request(kind: ObjectKind) -> Value {
    match kind {
        ObjectKind::Case => seed::first_case(),
        ObjectKind::Asset => json!({"asset_name": "dc01", "asset_type_id": 11}),
        ObjectKind::Note => json!({"note_title": "Seen", "note_content": "# What", "directory_id": 5}),
        ObjectKind::NoteDirectory => json!({"name": "Findings"}),
        ObjectKind::Ioc => json!({"ioc_value": "203.0.113.7", "ioc_type_id": ioc_type("ip-dst"), "ioc_tlp_id": 2}),
        ObjectKind::Event => json!({
            "event_title": "Log-in", "event_date": "2024-03-01T00:30:00.000000", "event_tz": "+02:00",
            "event_category_id": "5", "event_assets": [5, "5", 6], "event_iocs": [],
        }),
        ObjectKind::Evidence => json!({"filename": "disk.e01", "file_size": 5}),
        ObjectKind::Task => json!({"task_title": "Look", "task_status_id": 1, "task_assignees_id": [1, 2, 9]}),
        ObjectKind::GlobalTask => json!({"task_title": "Look", "task_status_id": 1, "task_assignee_id": 1}),
        ObjectKind::Comment => json!({"comment_text": "Look here"}),
    }
}

/// The id of a type of indicators.
pub(super) fn ioc_type(name: &str) -> i64 {
    let rows = seed::rows(LookUpKind::IocType, &acting(), &mut || [7; 16]);
    rows.iter().find(|row| row.name == name).unwrap().id
}

/// The object that [`request`] makes, with id 5.
pub(super) fn object(kind: ObjectKind) -> CaseObject {
    let accepted = validate_create(kind, &request(kind), CASE, &world()).unwrap();
    CaseObject {
        target: ObjectRef { kind, id: 5 },
        uuid: "00000000-0000-4000-8000-000000000005".into(),
        case_id: CASE,
        about: None,
        version: 3,
        changed: acting().now,
        body: accepted.to_body(kind, &acting()),
    }
}

/// The world of the fixture; every link leads to object 5.
pub(super) struct Linked(pub(super) World);

impl Joins for Linked {
    fn case_id(&self) -> Option<i64> {
        Some(1)
    }
    fn row(&self, kind: LookUpKind, id: i64) -> Option<LookUpRow> {
        self.0.row(kind, id)
    }
    fn object(&self, target: ObjectRef) -> Option<CaseObject> {
        Some(CaseObject { target, ..object(target.kind) })
    }
    fn far(&self, relation: Relation, _: i64) -> Vec<i64> {
        if relation == Relation::TaskUser { vec![1] } else { vec![1, 5] }
    }
    fn comments(&self, _: ObjectRef) -> Vec<CaseObject> {
        vec![object(ObjectKind::Comment)]
    }
    fn history(&self, _: ObjectRef) -> Vec<PastChange> {
        vec![PastChange { at: acting().now, user_id: 1, action: "created".into() }]
    }
    fn namesakes(&self, _: &CaseObject) -> Vec<CaseObject> {
        vec![object(ObjectKind::Asset)]
    }
    fn access_level(&self, _: i64) -> i64 {
        4
    }
}
