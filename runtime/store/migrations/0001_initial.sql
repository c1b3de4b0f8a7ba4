-- Names of entity types, attributes and modules as small numbers.
CREATE TABLE name (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- Numbers that must survive a restart: counts of tasks and the next sequence numbers.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The queues. The top of `seq` says which queue: below 1 << 62 priority, from there on normal. Thus a range scan of
-- the primary key serves each queue in order, and no secondary index is needed.
CREATE TABLE task (
    seq        INTEGER PRIMARY KEY,
    id         BLOB NOT NULL,
    root       BLOB,             -- null: the task came from outside and is its own root
    part       INTEGER NOT NULL, -- stable hash of the entity, modulo 64
    attempts   INTEGER NOT NULL,
    not_before INTEGER,
    body       BLOB NOT NULL
) STRICT;

-- Ids of tasks that were ever taken in, finished ones too, so that none enters twice.
CREATE TABLE task_id (
    id      BLOB NOT NULL PRIMARY KEY,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How many descendants a task from outside has had. A row exists only once it has one.
CREATE TABLE root (
    id          BLOB NOT NULL PRIMARY KEY,
    descendants INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE master (
    etype    INTEGER NOT NULL REFERENCES name (id),
    eid      TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (etype, eid)
) STRICT;

CREATE TABLE entity_count (
    etype INTEGER NOT NULL PRIMARY KEY,
    n     INTEGER NOT NULL
) STRICT;

-- Append-only, in the order of arrival. An index here would cost a third of the whole throughput.
CREATE TABLE raw (
    seq    INTEGER PRIMARY KEY,
    etype  INTEGER NOT NULL,
    eid    TEXT NOT NULL,
    attr   INTEGER NOT NULL,
    src    TEXT,
    t1     INTEGER,
    t2     INTEGER,
    c      REAL,
    v      BLOB NOT NULL,
    task   BLOB NOT NULL,
    module INTEGER,              -- who wrote it; null: it came from outside
    at     INTEGER NOT NULL
) STRICT;

CREATE TABLE link (
    etype    INTEGER NOT NULL,
    eid      TEXT NOT NULL,
    attr     INTEGER NOT NULL,
    to_etype INTEGER NOT NULL,
    to_eid   TEXT NOT NULL,
    until    INTEGER,            -- null: holds until replaced
    PRIMARY KEY (etype, eid, attr, to_etype, to_eid)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_target ON link (to_etype, to_eid);
CREATE INDEX link_until ON link (until) WHERE until IS NOT NULL;

CREATE TABLE component (
    digest TEXT NOT NULL PRIMARY KEY,
    bytes  BLOB NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE TABLE module (
    name     TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE, -- order of first upload
    enabled  INTEGER NOT NULL,
    active   INTEGER NOT NULL REFERENCES module_version (id) DEFERRABLE INITIALLY DEFERRED,
    config   TEXT                     -- JSON; null: the configuration directory decides
) STRICT;

CREATE TABLE module_version (
    id            INTEGER PRIMARY KEY,
    module        TEXT NOT NULL REFERENCES module (name) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    version       TEXT NOT NULL,
    digest        TEXT NOT NULL REFERENCES component (digest),
    uploaded_at   INTEGER NOT NULL,
    descriptor    TEXT NOT NULL,
    requests      TEXT NOT NULL,
    families      TEXT NOT NULL,
    subscriptions TEXT NOT NULL,
    UNIQUE (module, digest)
) STRICT;

CREATE TABLE module_grant (
    module     TEXT NOT NULL REFERENCES module (name) ON DELETE CASCADE,
    capability TEXT NOT NULL,
    scope      TEXT NOT NULL,
    PRIMARY KEY (module, capability, scope)
) STRICT, WITHOUT ROWID;

-- Subscriptions that the operator switched off; the module need not have them at present.
CREATE TABLE subscription_off (
    module       TEXT NOT NULL REFERENCES module (name) ON DELETE CASCADE,
    subscription TEXT NOT NULL,
    PRIMARY KEY (module, subscription)
) STRICT, WITHOUT ROWID;

-- Failures of hooks, newest last; the oldest rows are dropped.
CREATE TABLE error (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    module TEXT NOT NULL,
    hook   TEXT NOT NULL,
    reason TEXT NOT NULL,
    etype  TEXT,
    eid    TEXT,
    body   BLOB NOT NULL
) STRICT;

-- Tasks that ended without effect through a fault; kept whole so that an operator can replay them.
CREATE TABLE dead (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    kind   TEXT NOT NULL,
    module TEXT,
    id     BLOB NOT NULL,
    etype  TEXT NOT NULL,
    eid    TEXT NOT NULL,
    body   BLOB NOT NULL
) STRICT;

-- Private state of modules. Versions come from one counter and are never used twice.
CREATE TABLE kv (
    module  TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   BLOB NOT NULL,
    version INTEGER NOT NULL,
    until   INTEGER,
    PRIMARY KEY (module, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX kv_until ON kv (until) WHERE until IS NOT NULL;

CREATE TABLE kv_size (
    module TEXT NOT NULL PRIMARY KEY,
    bytes  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
    digest    BLOB NOT NULL PRIMARY KEY,
    role      TEXT NOT NULL,
    label     TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    last_used INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
