//! The texts.

use super::{Term, Topic};
use crate::ast::StatementKind as S;

pub(super) const TERMS: &[Term] = &[
    Term {
        name: "name",
        meaning: "the name of a connection: a word (folded to lower case), a string or a placeholder; \
                  letters, digits, _, . and -, at most 128",
        samples: &["backup", "'Backup-1'", "$1"],
    },
    Term {
        name: "new_name",
        meaning: "as a name",
        samples: &["archive", "'Archive-1'", "$1"],
    },
    Term {
        name: "connection",
        meaning: "the name of a connection as an identifier; one with a - or a . needs quotes: \"foo-bar\"",
        samples: &["backup", "\"Backup-1\""],
    },
    Term {
        name: "uri",
        meaning: "the provider's URI: a string or a placeholder",
        samples: &["'nodelocal://1/a'", "$$s3://it's$$", "$2"],
    },
    Term {
        name: "parameter",
        meaning: "OPTION = value, the value a string or a placeholder, not percent-encoded; an option's \
                  name with a - or a . needs quotes",
        samples: &[
            "AWS_REGION = 'eu-west-1'",
            "sasl_password = $3",
            "\"x-y\" = e'a\\nb'",
        ],
    },
    Term {
        name: "option_name",
        meaning: "the name of an option of the URI, in its own case",
        samples: &["AWS_REGION", "sasl_password", "\"x-y\""],
    },
    Term {
        name: "option",
        meaning: "VALIDATE = 'none' | 'read' | 'full', or COMMENT = 'text'; each at most once",
        samples: &["VALIDATE = 'none'", "COMMENT = $4"],
    },
    Term {
        name: "mode",
        meaning: "'none', 'read' or 'full'",
        samples: &["'none'", "read", "full", "$2"],
    },
    Term {
        name: "check_option",
        meaning: "CONCURRENTLY = number of workers, TRANSFER = amount ('32 MiB'), TIME = duration \
                  ('10s'); each at most once",
        samples: &["CONCURRENTLY = 3", "TRANSFER = '1 MiB'", "TIME = $2"],
    },
    Term {
        name: "text",
        meaning: "a string or a placeholder",
        samples: &["'words'", "$$it's$$", "$2"],
    },
    Term {
        name: "time",
        meaning: "a date or a time, as in '2026-11-24' or '2026-11-24T12:00:00Z', or a placeholder",
        samples: &["'2026-11-24T12:00:00Z'", "$2"],
    },
    Term {
        name: "privilege",
        meaning: "USAGE, UPDATE or DROP",
        samples: &["USAGE", "update"],
    },
    Term {
        name: "system_privilege",
        meaning: "EXTERNALCONNECTION, VIEWCLUSTERMETADATA, EXTERNALIOIMPLICITACCESS or CREATEROLE",
        samples: &["EXTERNALCONNECTION", "CREATEROLE"],
    },
    Term {
        name: "role",
        meaning: "the name of a user or a role, as an identifier",
        samples: &["ann", "\"Bob-1\""],
    },
];

/// A synopsis with the options of `WITH` behind it.
macro_rules! with_options {
    ($start:literal) => {
        concat!($start, " [WITH {option [, …] | OPTIONS (option [, …])}]")
    };
}

macro_rules! topics {
    ($($kind:ident: $synopsis:expr, $text:expr, $example:expr;)*) => {
        pub(super) const TOPICS: &[Topic] = &[$(Topic {
            kind: S::$kind,
            synopsis: $synopsis,
            text: $text,
            example: $example,
        },)*];
    };
}

topics! {
    CreateConnection:
        with_options!("CREATE EXTERNAL CONNECTION [IF NOT EXISTS] name AS uri\n    [PARAMETERS (parameter [, …])]"),
        "Gives an external resource a name. The URI is checked and, as far as VALIDATE says, tried out \
         before anything is stored; then external://NAME stands for it. PARAMETERS are raw values that \
         are percent-encoded into the URI. Needs the system privilege EXTERNALCONNECTION, and \
         EXTERNALIOIMPLICITACCESS where the URI uses the machine's own files or credentials. The \
         creator becomes the owner.",
        "CREATE EXTERNAL CONNECTION backup AS 'nodelocal://1/backup' WITH VALIDATE = 'full'";
    ExplainCreateConnection:
        with_options!("EXPLAIN CREATE EXTERNAL CONNECTION [IF NOT EXISTS] name AS uri\n    [PARAMETERS (parameter [, …])]"),
        "Shows what the CREATE would do without doing it: provider, redacted URI, endpoints and the \
         policy's verdict on them, operations, privileges. Nothing is stored and no network is \
         touched. Needs the system privilege EXTERNALCONNECTION.",
        "EXPLAIN CREATE EXTERNAL CONNECTION backup AS 'nodelocal://1/backup'";
    AlterConnection:
        "ALTER EXTERNAL CONNECTION [IF EXISTS] name\n    \
         {{AS uri [PARAMETERS (parameter [, …])] | SET (parameter [, …]) | RESET (option_name [, …])}\n     \
         [WITH {option [, …] | OPTIONS (option [, …])}]\n     \
         | RENAME TO new_name | OWNER TO role}",
        "Changes a connection. AS replaces its whole URI, SET and RESET some options of it; the result \
         is checked and tried out as at CREATE. Handles that are open keep what they have. Needs \
         UPDATE on the connection; OWNER TO needs to be its owner and a member of the new role, or \
         admin.",
        "ALTER EXTERNAL CONNECTION backup SET (AWS_SECRET_ACCESS_KEY = $1)";
    DropConnection:
        "DROP EXTERNAL CONNECTION [IF EXISTS] name [, …]",
        "Takes names away with their URIs and grants; what they stand for stays as it is. Open handles \
         fail at their next operation. Needs DROP on each connection.",
        "DROP EXTERNAL CONNECTION IF EXISTS backup";
    ShowCreateConnection:
        "SHOW CREATE {EXTERNAL CONNECTION name | ALL EXTERNAL CONNECTIONS}",
        "Shows the statement that makes the connection again, with its secrets in clear, and is \
         audited. Needs to own the connection, or the system privilege VIEWCLUSTERMETADATA.",
        "SHOW CREATE EXTERNAL CONNECTION backup";
    ShowConnections:
        "SHOW {EXTERNAL CONNECTION name | EXTERNAL CONNECTIONS} [WITH COMMENT]",
        "Lists connections with their redacted URIs, and with their comments where these are asked for: \
         all on which you have USAGE; admins see every one.",
        "SHOW EXTERNAL CONNECTIONS";
    CheckConnection:
        "CHECK EXTERNAL CONNECTION uri\n    [WITH {check_option [, …] | OPTIONS (check_option [, …])}]",
        "Writes, reads back, compares and deletes files in a storage, usually external://NAME/PATH, and \
         reports how fast. At most 64 workers; more than 1 GiB each only for admins. Needs USAGE on \
         the connection.",
        "CHECK EXTERNAL CONNECTION 'external://backup' WITH CONCURRENTLY = 2, TRANSFER = '1 MiB'";
    ValidateConnection:
        "VALIDATE EXTERNAL CONNECTION name\n    [WITH {VALIDATE = mode | OPTIONS (VALIDATE = mode)}]",
        "Tries a connection out as it is stored, step by step: outcome, duration and, where a step \
         failed, what to do. A holder of UPDATE renews its plan with it. Needs USAGE on the connection.",
        "VALIDATE EXTERNAL CONNECTION backup WITH VALIDATE = 'read'";
    CommentOnConnection:
        "COMMENT ON EXTERNAL CONNECTION name IS {text | NULL}",
        "Sets what SHOW … WITH COMMENT tells about a connection, or takes it away. Needs UPDATE on the connection.",
        "COMMENT ON EXTERNAL CONNECTION backup IS 'nightly backups'";
    Grant:
        "GRANT {{ALL [PRIVILEGES] | privilege [, …]} ON EXTERNAL CONNECTION connection [, …]\n       \
         | SYSTEM system_privilege [, …]} TO role [, …] [WITH GRANT OPTION]\n\
         GRANT role [, …] TO role [, …] [WITH ADMIN OPTION]",
        "Gives privileges on connections, system privileges, or membership in roles; with the option, \
         the receivers may pass it on. Everybody is in the role public. Needs the privilege with its \
         option, to own the connection, or admin.",
        "GRANT USAGE ON EXTERNAL CONNECTION backup TO ann WITH GRANT OPTION";
    Revoke:
        "REVOKE [GRANT OPTION FOR]\n       \
         {{ALL [PRIVILEGES] | privilege [, …]} ON EXTERNAL CONNECTION connection [, …]\n       \
         | SYSTEM system_privilege [, …]} FROM role [, …]\n\
         REVOKE [ADMIN OPTION FOR] role [, …] FROM role [, …]",
        "Takes what GRANT gave, or only the right to pass it on. Nothing else goes with it: grants that \
         others made stay. Open handles fail at their next operation. Needs what GRANT needs.",
        "REVOKE USAGE ON EXTERNAL CONNECTION backup FROM ann";
    ShowGrants:
        "SHOW GRANTS ON EXTERNAL CONNECTION connection [, …] [FOR role [, …]]",
        "Lists who has which privilege on connections, and whether it may be passed on.",
        "SHOW GRANTS ON EXTERNAL CONNECTION backup";
    ShowSystemGrants:
        "SHOW SYSTEM GRANTS [FOR role [, …]]",
        "Lists who has which system privilege, and whether it may be passed on.",
        "SHOW SYSTEM GRANTS FOR ann";
    CreateUser:
        "CREATE USER [IF NOT EXISTS] role",
        "Makes a user of this catalog. There are no passwords: who someone is decides whoever opens the \
         session. Needs the system privilege CREATEROLE.",
        "CREATE USER ann";
    CreateRole:
        "CREATE ROLE [IF NOT EXISTS] role",
        "Makes a role, to which privileges and members are given with GRANT. Needs the system privilege \
         CREATEROLE.",
        "CREATE ROLE operators";
    DropUser:
        "DROP USER [IF EXISTS] role [, …]",
        "Removes users with their grants and memberships; the owner of a connection cannot be removed. \
         Needs the system privilege CREATEROLE.",
        "DROP USER IF EXISTS ann";
    DropRole:
        "DROP ROLE [IF EXISTS] role [, …]",
        "Removes roles with their grants and memberships; the owner of a connection cannot be removed. \
         Needs the system privilege CREATEROLE.",
        "DROP ROLE operators";
    ShowUsers:
        "SHOW USERS",
        "Lists the users and the roles that they are in.",
        "SHOW USERS";
    ShowRoles:
        "SHOW ROLES",
        "Lists the roles and the roles that they are in.",
        "SHOW ROLES";
    ShowProviders:
        "SHOW PROVIDERS",
        "Lists the providers with their versions, schemes, operations, sources and digests.",
        "SHOW PROVIDERS";
    ShowAudit:
        "SHOW AUDIT [FOR EXTERNAL CONNECTION name] [SINCE time]",
        "Lists what was done and refused, by whom and when.",
        "SHOW AUDIT FOR EXTERNAL CONNECTION backup SINCE '2026-11-24'";
    Begin:
        "BEGIN [{TRANSACTION | WORK}]\nSTART TRANSACTION",
        "Refused: each statement is a transaction of its own.",
        "BEGIN";
    Commit:
        "{COMMIT | END} [{TRANSACTION | WORK}]",
        "Refused: each statement is a transaction of its own.",
        "COMMIT";
    Rollback:
        "{ROLLBACK | ABORT} [{TRANSACTION | WORK}]",
        "Refused: each statement is a transaction of its own.",
        "ROLLBACK";
}
