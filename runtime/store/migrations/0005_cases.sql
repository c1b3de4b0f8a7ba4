-- Case management: objects of all kinds, what links them, who may see them, and the jobs that their changes bring.

-- Ids of each kind of object, none of which is used again.
CREATE TABLE case_next (
    kind TEXT NOT NULL PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE case_object (
    seq     INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    id      INTEGER NOT NULL,
    uuid    TEXT NOT NULL,
    case_id INTEGER,             -- the case it lives in; null: it is a case or is in none
    about_kind TEXT,             -- of a comment: what it is about
    about_id   INTEGER,
    parent  INTEGER,             -- the directory of a note or directory
    version INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    name    TEXT NOT NULL,       -- what people call it by
    same    TEXT,                -- the same for what is the same thing
    body    BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX case_object_id ON case_object (kind, id);
CREATE INDEX case_object_case ON case_object (case_id, kind, id) WHERE case_id IS NOT NULL;
CREATE INDEX case_object_about ON case_object (about_kind, about_id) WHERE about_kind IS NOT NULL;
CREATE INDEX case_object_parent ON case_object (kind, parent) WHERE parent IS NOT NULL;
-- An indicator once in all, an asset once in its case.
CREATE UNIQUE INDEX case_object_same ON case_object (kind, same, coalesce(case_id, 0)) WHERE same IS NOT NULL;

-- Bodies that were replaced or deleted: that of each version but the present one.
CREATE TABLE case_revision (
    kind    TEXT NOT NULL,
    id      INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (kind, id, version)
) STRICT, WITHOUT ROWID;

-- What was done to an object; the version is that afterwards.
CREATE TABLE case_change (
    kind    TEXT NOT NULL,
    id      INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    action  TEXT NOT NULL,
    PRIMARY KEY (kind, id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE case_note_revision (
    note    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    title   TEXT NOT NULL,
    content TEXT NOT NULL,
    user_id INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (note, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE case_link (
    relation TEXT NOT NULL,
    near     INTEGER NOT NULL,
    far      INTEGER NOT NULL,
    PRIMARY KEY (relation, near, far)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_link_far ON case_link (relation, far);

-- The tags of objects, each in a row.
CREATE TABLE case_tag (
    tag  TEXT NOT NULL,
    kind TEXT NOT NULL,
    id   INTEGER NOT NULL,
    PRIMARY KEY (tag, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_tag_object ON case_tag (kind, id);

-- How often the objects of a kind changed in a case.
CREATE TABLE case_state (
    case_id INTEGER NOT NULL,
    name    TEXT NOT NULL,
    n       INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (case_id, name)
) STRICT, WITHOUT ROWID;

-- What users did.
CREATE TABLE case_activity (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    case_id  INTEGER,
    at       INTEGER NOT NULL,
    user_id  INTEGER NOT NULL,
    text     TEXT NOT NULL,
    typed    INTEGER NOT NULL,   -- a person wrote it
    from_api INTEGER NOT NULL,
    shown    INTEGER NOT NULL
) STRICT;
CREATE INDEX case_activity_case ON case_activity (case_id, seq);

-- Look-up tables, users, groups and customers among them.
CREATE TABLE case_look_up (
    kind TEXT NOT NULL,
    id   INTEGER NOT NULL,
    name TEXT NOT NULL,
    same TEXT NOT NULL,          -- the name in small letters
    body TEXT NOT NULL,          -- JSON
    PRIMARY KEY (kind, id),
    UNIQUE (kind, same)
) STRICT, WITHOUT ROWID;

-- Look-up tables that have their first rows.
CREATE TABLE case_seeded (
    kind TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What a user or a group may do with a case.
CREATE TABLE case_access (
    who     TEXT NOT NULL,       -- user, group
    who_id  INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    level   INTEGER NOT NULL,
    PRIMARY KEY (case_id, who, who_id)
) STRICT, WITHOUT ROWID;

-- Which user a token stands for.
CREATE TABLE case_token (
    digest  BLOB NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Calls of case hooks that are to be made or were made.
CREATE TABLE hook_job (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid       TEXT NOT NULL UNIQUE,
    state      TEXT NOT NULL,
    hook       TEXT NOT NULL,
    module     TEXT NOT NULL,
    kind       TEXT,
    object     INTEGER,
    case_id    INTEGER,
    user_id    INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    queued     INTEGER NOT NULL,
    started    INTEGER,
    ended      INTEGER,
    body       BLOB NOT NULL,
    result     BLOB
) STRICT;
CREATE INDEX hook_job_due ON hook_job (not_before, id) WHERE state = 'queued';
CREATE INDEX hook_job_running ON hook_job (id) WHERE state = 'running';
CREATE INDEX hook_job_object ON hook_job (kind, object, id);
CREATE INDEX hook_job_case ON hook_job (case_id, id);
