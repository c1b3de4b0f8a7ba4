-- What operating needs: keys of requests, bounds of the queues, careful starts, an audit log, breakers, invocations.

-- Keys that senders gave to requests, so that a repeated request is answered and not done again.
CREATE TABLE request_key (
    scope  TEXT NOT NULL,
    key    TEXT NOT NULL,
    digest BLOB NOT NULL,
    answer BLOB NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_key_at ON request_key (at);

-- Bytes of the bodies in the queues, counted from now on with the rows.
INSERT INTO counter (name, n) SELECT 'pending_bytes', coalesce(sum(length(body)), 0) FROM task;

-- Starts, and whether each ended in order.
CREATE TABLE boot (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    at    INTEGER NOT NULL,
    clean INTEGER NOT NULL
) STRICT;
INSERT INTO boot (at, clean) SELECT 0, value = 'cleanly' FROM meta WHERE key = 'stopped';
DELETE FROM meta WHERE key IN ('stopped', 'opened');

-- Tasks written down before their run in a careful start, and how many stops found them running.
CREATE TABLE careful (
    seq     INTEGER PRIMARY KEY,
    id      BLOB NOT NULL,
    module  TEXT,
    hook    TEXT,
    stops   INTEGER NOT NULL,
    running INTEGER NOT NULL
) STRICT;

-- What operators changed, each row in the transaction of the change and chained to the row before it.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail  TEXT NOT NULL,
    hash    BLOB NOT NULL
) STRICT;

CREATE TABLE breaker (
    module TEXT NOT NULL,
    hook   TEXT NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (module, hook)
) STRICT, WITHOUT ROWID;

-- Calls of hooks; the oldest go first.
CREATE TABLE invocation (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      BLOB NOT NULL,
    at      INTEGER NOT NULL,
    module  TEXT NOT NULL,
    hook    TEXT NOT NULL,
    outcome TEXT NOT NULL,
    task    BLOB,
    etype   TEXT,
    eid     TEXT,
    body    BLOB NOT NULL
) STRICT;
CREATE INDEX invocation_id ON invocation (id);

ALTER TABLE token ADD COLUMN scopes TEXT NOT NULL DEFAULT '[]';
