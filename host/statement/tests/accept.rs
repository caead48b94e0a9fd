//! Every form of every statement: what is typed, and what each printer makes of it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use portolan_statement::{parse, parse_script};

/// Parses `sql` and compares both printed forms; the second is `None` where they are the same.
#[track_caller]
fn accept(sql: &str, masked: &str, with_secrets: Option<&str>) {
    let statement = parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    assert_eq!(statement.to_string(), masked, "{sql}");
    assert_eq!(
        statement.to_sql_with_secrets().expose(),
        with_secrets.unwrap_or(masked),
        "{sql}"
    );
    assert_eq!(
        parse(masked).expect("a masked print parses").to_string(),
        masked
    );
}

#[test]
fn the_forms_that_users_know_print_as_they_know_them() {
    accept(
        "CREATE EXTERNAL CONNECTION 'foo' AS 'bar'",
        "CREATE EXTERNAL CONNECTION 'foo' AS '*****'",
        Some("CREATE EXTERNAL CONNECTION 'foo' AS 'bar'"),
    );
    accept(
        "CREATE EXTERNAL CONNECTION IF NOT EXISTS 'foo' AS 'bar'",
        "CREATE EXTERNAL CONNECTION IF NOT EXISTS 'foo' AS '*****'",
        Some("CREATE EXTERNAL CONNECTION IF NOT EXISTS 'foo' AS 'bar'"),
    );
    accept(
        "ALTER EXTERNAL CONNECTION 'foo' AS 'bar'",
        "ALTER EXTERNAL CONNECTION 'foo' AS '*****'",
        Some("ALTER EXTERNAL CONNECTION 'foo' AS 'bar'"),
    );
    accept(
        "ALTER EXTERNAL CONNECTION IF EXISTS 'foo' AS 'bar'",
        "ALTER EXTERNAL CONNECTION IF EXISTS 'foo' AS '*****'",
        Some("ALTER EXTERNAL CONNECTION IF EXISTS 'foo' AS 'bar'"),
    );
    accept(
        "DROP EXTERNAL CONNECTION 'foo'",
        "DROP EXTERNAL CONNECTION 'foo'",
        None,
    );
    accept(
        "CHECK EXTERNAL CONNECTION 'foo'",
        "CHECK EXTERNAL CONNECTION '*****'",
        Some("CHECK EXTERNAL CONNECTION 'foo'"),
    );
    accept(
        "CHECK EXTERNAL CONNECTION 'foo' WITH CONCURRENTLY = 3, TRANSFER = '2 MiB', TIME = '1s'",
        "CHECK EXTERNAL CONNECTION '*****' WITH OPTIONS (CONCURRENTLY = 3, TRANSFER = '2 MiB', TIME = '1s')",
        Some(
            "CHECK EXTERNAL CONNECTION 'foo' WITH OPTIONS (CONCURRENTLY = 3, TRANSFER = '2 MiB', TIME = '1s')",
        ),
    );
    accept(
        "CHECK EXTERNAL CONNECTION 'foo' WITH TRANSFER = $1, CONCURRENTLY = $2, TIME = $3",
        "CHECK EXTERNAL CONNECTION '*****' WITH OPTIONS (CONCURRENTLY = $2, TRANSFER = $1, TIME = $3)",
        Some(
            "CHECK EXTERNAL CONNECTION 'foo' WITH OPTIONS (CONCURRENTLY = $2, TRANSFER = $1, TIME = $3)",
        ),
    );
}

#[test]
fn a_name_may_be_a_word_a_string_or_a_placeholder() {
    for (name, printed) in [
        ("Foo", "'foo'"),
        ("\"Foo\"", "'Foo'"),
        ("'Foo'", "'Foo'"),
        ("$$Foo$$", "'Foo'"),
        ("e'F\\157o'", "'Foo'"),
        ("full", "'full'"),
        ("if", "'if'"),
        ("connection", "'connection'"),
        ("\"table\"", "'table'"),
        ("$7", "$7"),
    ] {
        let sql = format!("SHOW EXTERNAL CONNECTION {name}");
        accept(&sql, &format!("SHOW EXTERNAL CONNECTION {printed}"), None);
    }
}

#[test]
fn a_uri_keeps_what_its_spelling_keeps() {
    for (uri, text) in [
        ("bar", "'bar'"),
        (
            "\"https://example.cloud?opt=Val\"",
            "'https://example.cloud?opt=Val'",
        ),
        ("$$it's$$", r"e'it\'s'"),
        ("'a\\b'", r"e'a\\b'"),
        ("$2", "$2"),
    ] {
        let masked = if uri == "$2" { "$2" } else { "'*****'" };
        accept(
            &format!("create external connection c as {uri};"),
            &format!("CREATE EXTERNAL CONNECTION 'c' AS {masked}"),
            Some(&format!("CREATE EXTERNAL CONNECTION 'c' AS {text}")),
        );
    }
}

#[test]
fn options_and_parameters_print_in_one_order() {
    accept(
        "CREATE EXTERNAL CONNECTION c AS 's3://b' PARAMETERS (AWS_ACCESS_KEY_ID = $1, \"x-y\" = 'z') WITH COMMENT = 'k', VALIDATE = None",
        "CREATE EXTERNAL CONNECTION 'c' AS '*****' PARAMETERS (AWS_ACCESS_KEY_ID = $1, \"x-y\" = '*****') WITH OPTIONS (VALIDATE = 'none', COMMENT = '*****')",
        Some(
            "CREATE EXTERNAL CONNECTION 'c' AS 's3://b' PARAMETERS (AWS_ACCESS_KEY_ID = $1, \"x-y\" = 'z') WITH OPTIONS (VALIDATE = 'none', COMMENT = 'k')",
        ),
    );
    accept(
        "ALTER EXTERNAL CONNECTION c SET (sasl_password = 'p', Sasl_Password = $3) WITH OPTIONS (VALIDATE = 'full')",
        "ALTER EXTERNAL CONNECTION 'c' SET (sasl_password = '*****', Sasl_Password = $3) WITH OPTIONS (VALIDATE = 'full')",
        Some(
            "ALTER EXTERNAL CONNECTION 'c' SET (sasl_password = 'p', Sasl_Password = $3) WITH OPTIONS (VALIDATE = 'full')",
        ),
    );
    accept(
        "ALTER EXTERNAL CONNECTION IF EXISTS c RESET (AS, b)",
        "ALTER EXTERNAL CONNECTION IF EXISTS 'c' RESET (AS, b)",
        None,
    );
    accept(
        "ALTER EXTERNAL CONNECTION c RENAME TO d",
        "ALTER EXTERNAL CONNECTION 'c' RENAME TO 'd'",
        None,
    );
    accept(
        "ALTER EXTERNAL CONNECTION c OWNER TO \"Foo\"",
        "ALTER EXTERNAL CONNECTION 'c' OWNER TO \"Foo\"",
        None,
    );
}

#[test]
fn the_statements_about_connections_read_and_print() {
    for sql in [
        "DROP EXTERNAL CONNECTION IF EXISTS 'a', $1, 'c'",
        "SHOW CREATE EXTERNAL CONNECTION 'a'",
        "SHOW CREATE ALL EXTERNAL CONNECTIONS",
        "SHOW EXTERNAL CONNECTIONS",
        "VALIDATE EXTERNAL CONNECTION 'a'",
        "VALIDATE EXTERNAL CONNECTION 'a' WITH OPTIONS (VALIDATE = 'read')",
        "COMMENT ON EXTERNAL CONNECTION 'a' IS NULL",
        "COMMENT ON EXTERNAL CONNECTION 'a' IS $1",
        "EXPLAIN CREATE EXTERNAL CONNECTION IF NOT EXISTS 'a' AS $1",
        "SHOW PROVIDERS",
        "SHOW AUDIT",
        "SHOW AUDIT FOR EXTERNAL CONNECTION 'a' SINCE '2026-11-23T10:00:00Z'",
        "SHOW AUDIT SINCE $1",
    ] {
        accept(sql, sql, None);
        accept(
            &format!(
                "/* x */ {} -- y",
                sql.replace(
                    ' ', "
	"
                )
            ),
            sql,
            None,
        );
    }
}

#[test]
fn the_statements_about_privileges_read_and_print() {
    for sql in [
        "GRANT USAGE, DROP ON EXTERNAL CONNECTION a, \"foo-bar\" TO b, \"user\"",
        "GRANT ALL ON EXTERNAL CONNECTION \"full\" TO b WITH GRANT OPTION",
        "GRANT SELECT ON EXTERNAL CONNECTION a TO b",
        "GRANT SYSTEM EXTERNALCONNECTION, CREATEROLE TO b WITH GRANT OPTION",
        "GRANT SYSTEM ALL TO b",
        "GRANT system TO b",
        "GRANT system, admin TO b WITH ADMIN OPTION",
        "GRANT \"Usage\" TO b",
        "REVOKE UPDATE ON EXTERNAL CONNECTION a FROM b",
        "REVOKE GRANT OPTION FOR USAGE ON EXTERNAL CONNECTION a FROM b",
        "REVOKE GRANT OPTION FOR SYSTEM EXTERNALCONNECTION FROM b",
        "REVOKE ADMIN OPTION FOR admin FROM b",
        "REVOKE admin FROM b",
        "SHOW GRANTS ON EXTERNAL CONNECTION a, b FOR c, public",
        "SHOW GRANTS ON EXTERNAL CONNECTION a",
        "SHOW SYSTEM GRANTS",
        "SHOW SYSTEM GRANTS FOR a",
        "CREATE USER a",
        "CREATE ROLE IF NOT EXISTS \"A\"",
        "DROP USER IF EXISTS a, b",
        "DROP ROLE a",
        "SHOW USERS",
        "SHOW ROLES",
    ] {
        accept(sql, sql, None);
    }
    accept(
        "grant all privileges on external connection A to B",
        "GRANT ALL ON EXTERNAL CONNECTION a TO b",
        None,
    );
}

#[test]
fn the_statements_about_transactions_read() {
    for (sql, printed) in [
        ("BEGIN", "BEGIN"),
        ("begin transaction;", "BEGIN"),
        ("START TRANSACTION", "BEGIN"),
        ("COMMIT WORK", "COMMIT"),
        ("END", "COMMIT"),
        ("ROLLBACK", "ROLLBACK"),
        ("ABORT TRANSACTION", "ROLLBACK"),
    ] {
        accept(sql, printed, None);
    }
}

#[test]
fn a_script_is_any_number_of_statements() {
    let script = ";; SHOW USERS; -- one\n SHOW ROLES;/* two; */;";
    let statements = parse_script(script).expect("a script");
    assert_eq!(
        statements.iter().map(|it| it.tag()).collect::<Vec<_>>(),
        ["SHOW USERS", "SHOW ROLES"]
    );
    assert_eq!(parse_script(" -- nothing"), Ok(Vec::new()));
    assert!(parse_script("SHOW USERS SHOW ROLES").is_err());
}

#[test]
fn a_name_that_cannot_be_one_is_masked() {
    accept(
        "DROP EXTERNAL CONNECTION 's3://bucket?K=hunter2'",
        "DROP EXTERNAL CONNECTION '*****'",
        Some("DROP EXTERNAL CONNECTION 's3://bucket?K=hunter2'"),
    );
    accept(
        "DROP USER \"a b\"",
        "DROP USER \"*****\"",
        Some("DROP USER \"a b\""),
    );
}

#[test]
fn the_placeholders_of_a_statement_are_listed_once() {
    let sql = "CREATE EXTERNAL CONNECTION $3 AS $1 PARAMETERS (A = $1, B = $9) WITH COMMENT = $2";
    let statement = parse(sql).expect("a statement");
    assert_eq!(
        statement.placeholders().into_iter().collect::<Vec<_>>(),
        [1, 2, 3, 9]
    );
}
