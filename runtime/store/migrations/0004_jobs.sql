-- What runs by the clock: snapshots, sweeps, slots of timers, and what they leave.

-- Snapshot runs. At most one is running. The latest picture is that of the highest complete number, so that
-- completing a run is one row.
CREATE TABLE run (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL UNIQUE,
    time     INTEGER NOT NULL,  -- the time that values were computed for
    state    TEXT NOT NULL,     -- running, complete, aborted
    base     INTEGER,           -- the run that was the latest when this one began
    began    INTEGER NOT NULL,
    ended    INTEGER,
    settings TEXT NOT NULL,     -- JSON, the engine's
    counts   TEXT NOT NULL,     -- JSON
    reason   TEXT               -- why it was aborted
) STRICT;
CREATE INDEX run_state ON run (state, number);
CREATE INDEX run_base ON run (base);

CREATE TABLE run_cursor (
    run  INTEGER NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

-- Values, apart from the rows that say whose they are, since one document serves many runs while nothing changes.
CREATE TABLE document (
    id   INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;

-- Who has which document in which run. By run first: a run is written, read and removed as one range.
CREATE TABLE snapshot (
    run      INTEGER NOT NULL,
    etype    INTEGER NOT NULL,
    eid      TEXT NOT NULL,
    document INTEGER NOT NULL,
    taken    INTEGER,           -- the run that took it, where this run only kept it; null: this run
    revision INTEGER,           -- of the record that it was computed from
    until    INTEGER,           -- computed later than this it could differ; null: never by time alone
    partial  INTEGER NOT NULL,
    PRIMARY KEY (run, etype, eid)
) STRICT, WITHOUT ROWID;

-- Entities that were removed: their rows in runs up to this number count as gone until cleaning removes them.
CREATE TABLE snapshot_gone (
    etype INTEGER NOT NULL,
    eid   TEXT NOT NULL,
    run   INTEGER NOT NULL,
    PRIMARY KEY (etype, eid)
) STRICT, WITHOUT ROWID;

-- Sweeps over the entities of a type, one row for each begun, the unfinished one of a group with its cursor.
CREATE TABLE sweep (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    etype    TEXT NOT NULL,
    period   INTEGER NOT NULL,
    eid_only INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    body     TEXT NOT NULL      -- JSON
) STRICT;
CREATE INDEX sweep_group ON sweep (etype, period, eid_only, number);

-- The last slot of each timer that was dealt with.
CREATE TABLE slot (
    module       TEXT NOT NULL,
    subscription TEXT NOT NULL,
    lane         INTEGER NOT NULL,
    slot         INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (module, subscription, lane)
) STRICT, WITHOUT ROWID;

-- What the entity specification was.
CREATE TABLE schema_version (
    number INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    body   TEXT NOT NULL        -- JSON
) STRICT;

-- Runs of other jobs: history, garbage collection, archiving.
CREATE TABLE job (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL,
    began   INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    ended   INTEGER,
    body    TEXT NOT NULL       -- JSON
) STRICT;
CREATE INDEX job_kind ON job (kind, number);

-- Until when each source has told anything.
CREATE TABLE source (
    src TEXT NOT NULL PRIMARY KEY,
    t2  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Results that are computed now and then and asked for often, by name.
CREATE TABLE report (
    name TEXT NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL,
    body TEXT NOT NULL          -- JSON
) STRICT, WITHOUT ROWID;
