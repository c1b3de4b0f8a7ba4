-- Files of cases, and the first templates of reports.

-- Contents of files, each once whatever number of files has it.
CREATE TABLE case_content (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    state  TEXT NOT NULL,        -- coming: it is being sent; whole; going: no file has it any more
    sha256 BLOB UNIQUE,          -- of a whole one
    size   INTEGER NOT NULL
) STRICT;
CREATE INDEX case_content_other ON case_content (state, id) WHERE state <> 'whole';

CREATE TABLE case_content_piece (
    content INTEGER NOT NULL,
    n       INTEGER NOT NULL,    -- from 0
    bytes   BLOB NOT NULL,       -- behind their sum
    PRIMARY KEY (content, n)
) STRICT;

CREATE TABLE case_folder (
    id      INTEGER PRIMARY KEY,
    uuid    TEXT NOT NULL,
    case_id INTEGER NOT NULL,
    parent  INTEGER,             -- null: all of the case is below it
    name    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX case_folder_root ON case_folder (case_id) WHERE parent IS NULL;
CREATE INDEX case_folder_case ON case_folder (case_id, id);

CREATE TABLE case_file (
    id          INTEGER PRIMARY KEY,
    uuid        TEXT NOT NULL,
    case_id     INTEGER NOT NULL,
    folder      INTEGER NOT NULL,
    content     INTEGER NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    password    TEXT NOT NULL,
    tags        TEXT NOT NULL,
    is_ioc      INTEGER NOT NULL,
    is_evidence INTEGER NOT NULL,
    added       INTEGER NOT NULL,
    user_id     INTEGER NOT NULL
) STRICT;
CREATE INDEX case_file_case ON case_file (case_id, id);
CREATE INDEX case_file_content ON case_file (content);

-- The table of templates was seeded without any; nobody could add one before this format.
DELETE FROM case_seeded WHERE kind = 'report-template'
    AND NOT EXISTS (SELECT 1 FROM case_look_up WHERE kind = 'report-template');
DELETE FROM case_next WHERE kind = 'look-up:report-template'
    AND NOT EXISTS (SELECT 1 FROM case_look_up WHERE kind = 'report-template');
