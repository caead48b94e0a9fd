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
            refused(read_all(&catalog), &format!("{table}.{column}"));
            raw.execute(&change, [&before, &changed])
                .expect("changes back");
            read_all(&catalog).expect("is authentic again");
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
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
    for id in 1..=3 {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = open(directory.path()).expect("opens");
        fill(&catalog);
        raw(directory.path())
            .execute("DELETE FROM audit WHERE id = ?1", [id])
            .expect("deletes");
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
