-- The first schema of `userfiles.db`. Contents are written before a file shows them and never change
-- afterwards; one row of `files` makes a file visible.

-- Where the versions of files have come to.
CREATE TABLE store (
    one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO store VALUES (1, 0);

CREATE TABLE contents (
    id    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    size  INTEGER NOT NULL,
    -- How many files show it.
    files INTEGER NOT NULL
) STRICT;

-- At most 1 MiB each, by where they begin; `sum` is the CRC-32 of the bytes.
CREATE TABLE chunks (
    content INTEGER NOT NULL,
    start   INTEGER NOT NULL,
    sum     INTEGER NOT NULL,
    bytes   BLOB    NOT NULL,
    PRIMARY KEY (content, start)
) STRICT;

CREATE TABLE files (
    set_name   TEXT    NOT NULL,
    path       TEXT    NOT NULL,
    content    INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    modified   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    attributes TEXT,
    PRIMARY KEY (set_name, path)
) STRICT, WITHOUT ROWID;

-- Contents that no file shows yet, and which process writes them.
CREATE TABLE uploads (
    content  INTEGER NOT NULL PRIMARY KEY,
    set_name TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    process  TEXT    NOT NULL,
    touched  INTEGER NOT NULL
) STRICT;

-- Contents that no file shows any more, and since when, or when one was last read.
CREATE TABLE retired (
    content INTEGER NOT NULL PRIMARY KEY,
    since   INTEGER NOT NULL
) STRICT;
CREATE INDEX retired_by_since ON retired (since);
