-- Case hooks that the operator registered a module for.

CREATE TABLE registration (
    id           INTEGER PRIMARY KEY,   -- in the order of calls
    module       TEXT NOT NULL REFERENCES module (name) ON DELETE CASCADE,
    hook         TEXT NOT NULL,         -- its name in IRIS
    title        TEXT NOT NULL,         -- of the menu entry; empty for others
    asynchronous INTEGER NOT NULL,
    UNIQUE (module, hook, title)
) STRICT;
