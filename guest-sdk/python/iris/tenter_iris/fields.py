"""The kinds of case objects and their fields, as the host has them (`fields.json` is held against the host by a test).

`RELATIONS` are the rows that records have under a field's name: the name of the row's own name, and where the row is
found when a record has its id alone. `ALIASES` are names of IRIS's database that differ from those of its API.
"""

import json
from importlib import resources

KINDS = json.loads(resources.files(__package__).joinpath("fields.json").read_text())

#: Of a relation: the column with its id, and the column with its name.
RELATIONS = {
    "ioc": {"ioc_type": ("type_id", "type_name"), "tlp": ("tlp_id", "tlp_name")},
    "asset": {"asset_type": ("asset_id", "asset_name"), "analysis_status": ("id", "name")},
    "evidence": {"type": ("id", "name")},
    "task": {"status": ("id", "status_name")},
    "note": {"directory": ("id", "name")},
}

ALIASES = {
    "case": {
        "name": "case_name",
        "description": "case_description",
        "soc_id": "case_soc_id",
        "client_id": "case_customer",
    },
    "event": {"category": "event_category_id"},
    "task": {"task_id": "id"},
    "global-task": {"id": "task_id"},
}

#: Of people: the attribute of the database, and the field with the id.
PEOPLE = {
    "case": {"user": "user_id", "owner": "owner_id", "reviewer": "reviewer_id"},
    "note": {"user": "note_user"},
    "task": {
        "user_open": "task_userid_open",
        "user_close": "task_userid_close",
        "user_update": "task_userid_update",
    },
    "global-task": {
        "user_open": "task_userid_open",
        "user_close": "task_userid_close",
        "user_update": "task_userid_update",
    },
    "comment": {"user": "comment_user_id"},
}
