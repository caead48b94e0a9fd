-- The first schema. Every table but `migrations` and `key_slots` carries in `code` an HMAC over its
-- readable columns; what a slot holds is sealed and bound to its number and kind.

CREATE TABLE store (
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    catalog    BLOB    NOT NULL,
    created    INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    audit_head INTEGER NOT NULL,
    code       BLOB    NOT NULL
) STRICT;

CREATE TABLE key_slots (
    id      INTEGER NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    wrapped BLOB    NOT NULL
) STRICT;

-- Ordered by name on disk, so that a page of the list is one stretch of the file.
CREATE TABLE connections (
    name             TEXT    NOT NULL PRIMARY KEY,
    id               BLOB    NOT NULL,
    version          INTEGER NOT NULL,
    connection_type  TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    provider_version TEXT    NOT NULL,
    redacted_uri     TEXT    NOT NULL,
    implicit_access  INTEGER NOT NULL,
    owner            TEXT    NOT NULL,
    comment          TEXT,
    created          INTEGER NOT NULL,
    updated          INTEGER NOT NULL,
    plan_format      INTEGER NOT NULL,
    code             BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX connections_by_id ON connections (id);
CREATE INDEX connections_by_owner ON connections (owner);

-- What is sealed lies apart, so that a list does not read over it.
CREATE TABLE sealed (
    connection BLOB NOT NULL PRIMARY KEY,
    row_key    BLOB NOT NULL,
    uri        BLOB NOT NULL,
    plan       BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connection_grants (
    connection BLOB    NOT NULL,
    grantee    TEXT    NOT NULL,
    privilege  TEXT    NOT NULL,
    grantable  INTEGER NOT NULL,
    code       BLOB    NOT NULL,
    PRIMARY KEY (connection, grantee, privilege)
) STRICT, WITHOUT ROWID;
CREATE INDEX connection_grants_by_grantee ON connection_grants (grantee);

CREATE TABLE system_grants (
    grantee   TEXT    NOT NULL,
    privilege TEXT    NOT NULL,
    grantable INTEGER NOT NULL,
    code      BLOB    NOT NULL,
    PRIMARY KEY (grantee, privilege)
) STRICT, WITHOUT ROWID;

CREATE TABLE principals (
    name    TEXT    NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    created INTEGER NOT NULL,
    code    BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    role         TEXT    NOT NULL,
    member       TEXT    NOT NULL,
    admin_option INTEGER NOT NULL,
    code         BLOB    NOT NULL,
    PRIMARY KEY (role, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_member ON memberships (member);

CREATE TABLE providers (
    name         TEXT    NOT NULL PRIMARY KEY,
    version      TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    file         TEXT    NOT NULL,
    manifest     TEXT    NOT NULL,
    allow_public TEXT    NOT NULL,
    approved_by  TEXT    NOT NULL,
    approved     INTEGER NOT NULL,
    code         BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbered without gaps up to `store.audit_head`, so that a record that was taken out is missed.
CREATE TABLE audit (
    id             INTEGER NOT NULL PRIMARY KEY,
    time           INTEGER NOT NULL,
    principal      TEXT    NOT NULL,
    on_behalf_of   TEXT,
    client_address TEXT,
    request_id     TEXT,
    action         TEXT    NOT NULL,
    object_kind    TEXT,
    object_name    TEXT,
    statement      TEXT,
    outcome        TEXT    NOT NULL,
    sqlstate       TEXT,
    detail         TEXT,
    code           BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_by_object ON audit (object_kind, object_name, id);
