-- Whose each set of users' files is. The files lie in a database of their own.

CREATE TABLE user_file_sets (
    name    TEXT    NOT NULL PRIMARY KEY,
    owner   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    code    BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX user_file_sets_by_owner ON user_file_sets (owner);
