//! What is changed behind the catalog's back is refused and named.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{fill, open, raw, read, target, write};
use portolan_catalog::{AuditFilter, AuditId, CatalogError, Reader, SqliteCatalog};
use rusqlite::types::Value;

/// Reads every row of every table.
fn read_all(catalog: &SqliteCatalog) -> Result<(), CatalogError> {
    read(catalog, |reader| {
        reader.revision()?;
        for connection in reader.connections_after(None, 100)? {
            reader.secrets_of(&connection)?;
        }
        reader.principals()?;
        reader.memberships()?;
        reader.system_grants(None)?;
        reader.connection_grants(None)?;
        reader.providers()?;
        reader.key_slots()?;
        reader.key_state()?;
        for name in ["a.b.c", "a.b.cx"] {
            reader.user_file_set(name)?;
        }
        reader.audit_after(&AuditFilter::default(), None, 100)?;
        Ok(())
    })
}

/// Has every row of every table looked at in one go.
fn check(catalog: &SqliteCatalog) -> Result<(), CatalogError> {
    read(catalog, |reader| reader.authentic_rows().map(drop))
}

fn refused(result: Result<(), CatalogError>, what: &str) -> String {
    let error = result.expect_err(what);
    assert_eq!(error.sqlstate(), "XX001", "{what}: {error}");
    error.to_string()
}

/// The names of a table's columns.
fn columns(database: &rusqlite::Connection, table: &str) -> Vec<String> {
    let mut statement = database
        .prepare("SELECT name FROM pragma_table_info(?1)")
        .expect("prepares");
    statement
        .query_map([table], |row| row.get(0))
        .expect("queries")
        .map(|name| name.expect("a name"))
        .collect()
}

#[test]
fn a_change_to_any_column_of_any_table_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    write(&catalog, |writer| writer.begin_key_rotation()).expect("begins");
    write(&catalog, |writer| writer.rotate_rows(None, 1)).expect("goes on");
    read_all(&catalog).expect("is authentic");
    let raw = raw(directory.path());
    let mut tried = 0;
    for table in [
        "store",
        "connections",
        "sealed",
        "principals",
        "memberships",
        "system_grants",
        "connection_grants",
        "providers",
        "user_file_sets",
        "audit",
        "key_slots",
        "store_keys",
    ] {
        for column in columns(&raw, table) {
            if (table, column.as_str()) == ("store", "one") {
                // It can only be 1.
                continue;
            }
            // The last row, so that a changed key meets no other one.
            let order = format!("(SELECT max({column}) FROM {table})");
            let before: Value = raw
                .query_row(&format!("SELECT {order}"), [], |row| row.get(0))
                .expect("reads");
            let changed = match &before {
                Value::Integer(number) => Value::Integer(number + 1),
                Value::Text(text) => Value::Text(format!("{text}x")),
                Value::Blob(bytes) => {
                    let mut bytes = bytes.clone();
                    *bytes.last_mut().expect("not empty") ^= 1;
                    Value::Blob(bytes)
                }
                other => unreachable!("{table}.{column} is {other:?}"),
            };
            let change = format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2");
            raw.execute(&change, [&changed, &before]).expect("changes");
            let what = format!("{table}.{column}");
            refused(read_all(&catalog), &what);
            refused(check(&catalog), &what);
            raw.execute(&change, [&before, &changed])
                .expect("changes back");
            read_all(&catalog).expect("is authentic again");
            check(&catalog).expect("is authentic again");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn the_rows_of_every_table_are_counted() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    write(&catalog, |writer| writer.begin_key_rotation()).expect("begins");
    let counted = read(&catalog, |reader| reader.authentic_rows()).expect("is authentic");
    let counted: Vec<_> = counted.iter().map(|it| (it.table, it.rows)).collect();
    assert_eq!(
        counted,
        [
            ("store", 1),
            ("key_slots", 1),
            ("store_keys", 1),
            ("principals", 3),
            ("memberships", 2),
            ("system_grants", 1),
            ("connections", 2),
            ("connection_grants", 1),
            ("providers", 1),
            ("user_file_sets", 1),
            ("audit", 3),
        ]
    );
}

#[test]
fn an_edited_row_is_named_whichever_table_it_is_in() {
    for (change, row) in [
        ("store SET revision = 9", "the store itself"),
        ("key_slots SET label = 'x'", "key slot 1 (key-file)"),
        (
            "principals SET kind = 'role' WHERE name = 'bob'",
            "role or user bob",
        ),
        (
            "memberships SET admin_option = 1 WHERE member = 'bob'",
            "the membership of bob in admin",
        ),
        ("system_grants SET grantable = 1", "bob"),
        (
            "connections SET owner = 'bob' WHERE name = 'two'",
            "external connection two",
        ),
        (
            "sealed SET plan = uri",
            "what is sealed of external connection one",
        ),
        ("connection_grants SET privilege = 'ALL'", "bob"),
        ("providers SET digest = 'cd'", "provider mine"),
        (
            "user_file_sets SET owner = 'eve'",
            "set of user files a.b.c",
        ),
        ("audit SET principal = 'eve' WHERE id = 2", "audit record 2"),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        fill(&catalog);
        check(&catalog).expect("is authentic");
        raw(directory.path())
            .execute(&format!("UPDATE {change}"), [])
            .expect("changes");
        let message = refused(check(&catalog), change);
        assert!(message.contains(row), "{change}: {message}");
    }
}

#[test]
fn what_nobody_but_portolan_makes_in_a_store_is_refused_and_named() {
    for (change, message) in [
        (
            "CREATE TRIGGER forget AFTER INSERT ON audit BEGIN DELETE FROM audit; END",
            "the trigger forget on audit in the store was not made by Portolan",
        ),
        (
            "CREATE VIEW seen AS SELECT 1",
            "the view seen in the store was not made by Portolan",
        ),
        (
            "CREATE TABLE \"a\u{1b}\" (b)",
            r"the table a\u{1b} in the store was not made by Portolan",
        ),
        (
            "CREATE INDEX fast ON audit (time)",
            "the index fast on audit in the store was not made by Portolan",
        ),
        (
            "ALTER TABLE principals ADD COLUMN more TEXT",
            "the table principals in the store was not made by Portolan",
        ),
        (
            "ALTER TABLE providers RENAME TO theirs; CREATE VIEW providers AS SELECT * FROM theirs",
            "was not made by Portolan",
        ),
        (
            "DROP INDEX audit_by_object",
            "the store is damaged or is not a Portolan store",
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        fill(&catalog);
        raw(directory.path())
            .execute_batch(change)
            .expect("changes");
        let told = refused(check(&catalog), change);
        assert!(told.contains(message), "{change}: {told}");
        // Also by whoever opens the store after it.
        drop(catalog);
        refused(check(&open(directory.path()).expect("opens")), change);
    }
}

#[test]
fn an_empty_column_and_an_absent_one_differ() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let (one, _) = fill(&catalog);
    write(&catalog, |writer| writer.set_comment(one.id, Some(""))).expect("writes");
    raw(directory.path())
        .execute("UPDATE connections SET comment = NULL", [])
        .expect("changes");
    let message = refused(read_all(&catalog), "comment");
    assert_eq!(
        message,
        "the row of external connection one in the catalog is not authentic"
    );
}

#[test]
fn sealed_columns_do_not_open_in_another_row_or_column() {
    let other = "FROM sealed WHERE connection <> ?1";
    for change in [
        format!("uri = (SELECT uri {other})"),
        format!("plan = (SELECT plan {other})"),
        format!("row_key = (SELECT row_key {other})"),
        format!("(row_key, uri, plan) = (SELECT row_key, uri, plan {other})"),
        "uri = plan, plan = uri".to_owned(),
        "uri = x''".to_owned(),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        let (one, _) = fill(&catalog);
        let changed = raw(directory.path())
            .execute(
                &format!("UPDATE sealed SET {change} WHERE connection = ?1"),
                [one.id.0.as_bytes()],
            )
            .expect("changes");
        assert_eq!(changed, 1);
        let result = read(&catalog, |reader| reader.secrets_of(&one).map(drop));
        let message = refused(result, &change);
        assert!(message.contains("external connection one"), "{message}");
    }
}

#[test]
fn a_connection_without_its_sealed_columns_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    raw(directory.path())
        .execute("DELETE FROM sealed", [])
        .expect("deletes");
    refused(read_all(&catalog), "nothing is sealed");
}

#[test]
fn sealed_columns_do_not_open_in_another_version() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let (one, _) = fill(&catalog);
    let raw = raw(directory.path());
    raw.execute_batch("CREATE TEMP TABLE old AS SELECT * FROM sealed")
        .expect("copies");
    let newer = write(&catalog, |writer| {
        writer.replace_connection(one.id, 1, &target("new"))
    })
    .expect("writes");
    read(&catalog, |reader| reader.secrets_of(&newer)).expect("opens");
    raw.execute("INSERT OR REPLACE INTO sealed SELECT * FROM old", [])
        .expect("puts back");
    let result = read(&catalog, |reader| reader.secrets_of(&newer).map(drop));
    refused(result, "the older version");
}

#[test]
fn every_version_of_a_connection_has_a_data_key_of_its_own() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let (one, _) = fill(&catalog);
    let raw = raw(directory.path());
    let row_key = || -> Vec<u8> {
        let sql = "SELECT row_key FROM sealed WHERE connection = ?1";
        raw.query_row(sql, [one.id.0.as_bytes()], |row| row.get(0))
            .expect("reads")
    };
    let first = row_key();
    write(&catalog, |writer| {
        writer.set_comment(one.id, Some("more"))?;
        writer.rename_connection(one.id, "other")
    })
    .expect("writes");
    assert_eq!(row_key(), first, "what is sealed stayed as it was");
    raw.execute_batch("CREATE TEMP TABLE old AS SELECT * FROM sealed")
        .expect("copies");
    // Where it leads to is the same as before.
    let newer = write(&catalog, |writer| {
        writer.replace_connection(one.id, 1, &target("one"))
    })
    .expect("writes");
    assert_ne!(row_key(), first);
    raw.execute_batch("CREATE TEMP TABLE new AS SELECT * FROM sealed")
        .expect("copies");
    for columns in ["uri", "plan", "uri, plan", "row_key"] {
        let put = |table: &str| {
            let there = format!("SELECT {columns} FROM {table} WHERE connection = ?1");
            let sql = format!("UPDATE sealed SET ({columns}) = ({there}) WHERE connection = ?1");
            raw.execute(&sql, [one.id.0.as_bytes()]).expect("changes");
        };
        put("old");
        let result = read(&catalog, |reader| reader.secrets_of(&newer).map(drop));
        let message = refused(result, columns);
        assert!(message.contains("external connection other"), "{message}");
        put("new");
        read(&catalog, |reader| reader.secrets_of(&newer)).expect("opens again");
    }
}

#[test]
fn rows_do_not_pass_in_another_store() {
    let directories = [
        tempfile::tempdir().expect("a directory"),
        tempfile::tempdir().expect("a directory"),
    ];
    let catalogs = directories
        .each_ref()
        .map(|directory| open(directory.path()).expect("opens"));
    fill(&catalogs[0]);
    let raw = raw(directories[1].path());
    raw.execute(
        "ATTACH ?1 AS other",
        [common::database(directories[0].path())
            .to_str()
            .expect("is text")],
    )
    .expect("attaches");
    for table in ["connections", "system_grants", "providers"] {
        raw.execute(
            &format!("INSERT INTO {table} SELECT * FROM other.{table}"),
            [],
        )
        .expect("copies");
        refused(read_all(&catalogs[1]), table);
        raw.execute(&format!("DELETE FROM {table}"), [])
            .expect("deletes");
    }
    read_all(&catalogs[1]).expect("is authentic again");
}

#[test]
fn a_grant_that_nobody_gave_is_refused_and_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    raw(directory.path())
        .execute_batch(
            "INSERT INTO memberships SELECT role, 'mallory', 1, code FROM memberships LIMIT 1",
        )
        .expect("inserts");
    let result = read(&catalog, |reader| {
        portolan_catalog::Identity::resolve(reader, "mallory", &[]).map(drop)
    });
    assert_eq!(
        refused(result, "a membership"),
        "the row of the membership of mallory in admin in the catalog is not authentic"
    );
}

#[test]
fn a_name_that_was_changed_cannot_send_control_characters() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    raw(directory.path())
        .execute(
            "UPDATE principals SET name = 'a' || char(27) || '[2J' WHERE name = 'bob'",
            [],
        )
        .expect("changes");
    let message = refused(read_all(&catalog), "the name");
    assert!(message.contains(r"a\u{1b}[2J"), "{message}");
}

#[test]
fn a_deleted_audit_record_is_missed_wherever_it_was() {
    for id in 1_u32..=3 {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        fill(&catalog);
        raw(directory.path())
            .execute("DELETE FROM audit WHERE id = ?1", [id])
            .expect("deletes");
        let error = check(&catalog).expect_err("is missed");
        assert!(
            matches!(error, CatalogError::AuditIncomplete { after, .. } if after == u64::from(id) - 1),
            "{error}"
        );
        let find = |filter: AuditFilter, limit: usize| {
            read(&catalog, |reader| pages(reader, &filter, limit))
        };
        for limit in [1, 2, 100] {
            refused(find(AuditFilter::default(), limit), "all");
            let object = Some(common::audit("two").object.expect("an object"));
            refused(
                find(
                    AuditFilter {
                        object,
                        since: None,
                    },
                    limit,
                ),
                "of one",
            );
        }
        let error = find(AuditFilter::default(), 100).expect_err("is missed");
        assert!(
            matches!(error, CatalogError::AuditIncomplete { .. }),
            "{error}"
        );
    }
}

#[test]
fn an_audit_record_that_stands_where_the_next_one_goes_is_refused_and_named() {
    for (change, stands) in [
        ("UPDATE audit SET id = id + 1 WHERE id = 3", 4),
        ("UPDATE audit SET id = id + 5 WHERE id = 3", 8),
        (
            "UPDATE store SET audit_head = 1, code = (SELECT code FROM old)",
            2,
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        write(&catalog, |writer| {
            writer.append_audit(&common::audit("first"))
        })
        .expect("writes");
        let raw = raw(directory.path());
        raw.execute_batch("CREATE TEMP TABLE old AS SELECT * FROM store")
            .expect("copies");
        for name in ["second", "third"] {
            // The trail alone changes, and no revision with it.
            write(&catalog, |writer| writer.append_audit(&common::audit(name))).expect("writes");
        }
        raw.execute(change, []).expect("changes");
        refused(check(&catalog), change);
        for _ in 0..2 {
            let error = write(&catalog, |writer| {
                writer.append_audit(&common::audit("next"))
            })
            .expect_err("stands in the way");
            assert_eq!(error.sqlstate(), "XX001", "{change}: {error}");
            assert_eq!(
                error.to_string(),
                format!("the row of audit record {stands} in the catalog is not authentic")
            );
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains("Restore it from a backup"), "{hint}");
        }
    }
}

fn pages(reader: &dyn Reader, filter: &AuditFilter, limit: usize) -> Result<(), CatalogError> {
    let mut after: Option<AuditId> = None;
    loop {
        let page = reader.audit_after(filter, after, limit)?;
        match page.last() {
            Some(last) => after = Some(last.id),
            None => return Ok(()),
        }
    }
}

/// Deleting a row takes away what it gave. This is not detected, and gives nobody anything.
#[test]
fn a_deleted_grant_or_membership_only_takes_away() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    let (one, _) = fill(&catalog);
    raw(directory.path())
        .execute_batch(
            "DELETE FROM memberships WHERE member = 'bob'; DELETE FROM connection_grants",
        )
        .expect("deletes");
    read(&catalog, |reader| {
        let bob = portolan_catalog::Identity::resolve(reader, "bob", &[])?;
        assert!(!bob.is_admin());
        let usage = portolan_catalog::ConnectionPrivilege::Usage;
        assert!(!bob.has_connection(reader, &one, usage)?);
        Ok(())
    })
    .expect("reads");
}

#[test]
fn a_damaged_connection_can_be_dropped_and_made_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let catalog = open(directory.path()).expect("opens");
    fill(&catalog);
    raw(directory.path())
        .execute(
            "UPDATE connections SET owner = 'mallory' WHERE name = 'one'",
            [],
        )
        .expect("changes");
    let result = read(&catalog, |reader| reader.connection("one").map(drop));
    refused(result, "the owner");
    let taken = write(&catalog, |writer| {
        writer.insert_connection(&common::new_connection("one"))
    });
    assert!(matches!(taken, Err(CatalogError::ConnectionExists { .. })));
    write(&catalog, |writer| {
        assert!(writer.delete_connection_unchecked("one")?);
        writer.insert_connection(&common::new_connection("one"))
    })
    .expect("replaces it");
    read_all(&catalog).expect("is authentic again");
}
