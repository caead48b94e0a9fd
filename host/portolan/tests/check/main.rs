//! CHECK EXTERNAL CONNECTION: what it writes, reads, deletes and says.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod servers;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use portolan::SqlState;
use support::{World, assert_state, refused, rows, run, run_with};

async fn world() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER alice",
            "CREATE USER nobody",
            "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c' WITH VALIDATE = 'none'",
            "GRANT USAGE ON EXTERNAL CONNECTION c TO alice",
        ])
        .await;
    world
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        let Ok(entries) = std::fs::read_dir(directory) else {
            continue;
        };
        for entry in entries.map(|entry| entry.expect("an entry")) {
            if entry.path().is_dir() {
                left.push(entry.path());
            } else {
                found.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn each_worker_tells_how_fast_it_wrote_and_read_and_leaves_nothing() {
    let world = world().await;
    let checked = run(
        &world.session("alice"),
        "CHECK EXTERNAL CONNECTION 'external://c/below' WITH CONCURRENTLY = 3, TRANSFER = '2 MiB'",
    )
    .await
    .into_rows()
    .expect("rows");
    let columns: Vec<_> = checked
        .columns()
        .iter()
        .map(|it| it.name().to_owned())
        .collect();
    assert_eq!(
        columns,
        [
            "node",
            "locality",
            "ok",
            "error",
            "transferred",
            "read_speed",
            "write_speed",
            "can_delete"
        ]
    );
    let checked = checked.collect_all().await.expect("rows");
    assert_eq!(checked.len(), 3);
    for row in checked {
        let row: Vec<_> = row.into_iter().map(support::text).collect();
        assert_eq!(row[..5], ["1", "", "true", "", "2.0 MiB"]);
        assert!(
            row[5].ends_with("iB/s") && row[6].ends_with("iB/s"),
            "{row:?}"
        );
        assert_eq!(row[7], "true");
    }
    assert_eq!(files(&world.external()), Vec::<String>::new());
    let last = world.audit().await.pop().expect("a row");
    assert_eq!(last.action, "CHECK EXTERNAL CONNECTION");
    assert_eq!(
        last.object.map(|it| it.to_string()),
        Some("connection c".to_owned())
    );
    assert_eq!(last.detail.as_deref(), Some("3 of 3 workers ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_several_parts_come_back_whole() {
    let world = world().await;
    let checked = rows(
        &world.root(),
        "CHECK EXTERNAL CONNECTION c WITH TRANSFER = '20000001'",
    )
    .await;
    assert_eq!(checked[0][2..5], ["true", "", "19 MiB"]);
    assert_eq!(files(&world.external()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_go_on_until_the_time_is_over() {
    let world = world().await;
    let begun = Instant::now();
    let checked = run_with(
        &world.root(),
        "CHECK EXTERNAL CONNECTION $1 WITH TIME = $2, TRANSFER = $3, CONCURRENTLY = $4",
        &["external://c", "300ms", "1 KiB", "2"],
    )
    .await;
    let checked = checked.into_rows().expect("rows").collect_all().await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    let checked = checked.expect("rows");
    assert_eq!(checked.len(), 2);
    assert_ne!(checked[0][4], "1.0 KiB".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_that_fails_is_a_row_and_no_error() {
    let world = world().await;
    // A file is in the way of the connection's directory.
    std::fs::write(world.external().join("c"), "in the way").expect("a file");
    let checked = rows(
        &world.root(),
        "CHECK EXTERNAL CONNECTION c WITH TRANSFER = '1 KiB'",
    )
    .await;
    assert_eq!(checked.len(), 1);
    assert_eq!(checked[0][2], "false");
    assert!(checked[0][3].starts_with("writing chunk: "), "{checked:?}");
    assert_eq!(checked[0][4], "0 B");
    assert_eq!(checked[0][7], "false");
    let large = rows(
        &world.root(),
        "CHECK EXTERNAL CONNECTION c WITH TRANSFER = '9 MiB'",
    )
    .await;
    assert!(large[0][3].starts_with("opening writer: "), "{large:?}");
    let last = world.audit().await.pop().expect("a row");
    assert_eq!(last.detail.as_deref(), Some("0 of 1 workers ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_needs_usage_and_a_uri_the_right_to_implicit_access() {
    let world = world().await;
    let small = "WITH TRANSFER = '1 KiB'";
    let nobody = world.session("nobody");
    let no_usage = |name: &str| {
        format!("user nobody does not have USAGE privilege on external_connection {name}")
    };
    for (target, name) in [
        ("external://c", "c"),
        ("c", "c"),
        ("external://missing/x", "missing"),
    ] {
        let sql = format!("CHECK EXTERNAL CONNECTION '{target}' {small}");
        let error = refused(&nobody, &sql).await;
        assert_state(&error, SqlState::InsufficientPrivilege, &no_usage(name));
    }
    let raw = format!("CHECK EXTERNAL CONNECTION 'nodelocal://1/raw' {small}");
    assert_state(
        &refused(&nobody, &raw).await,
        SqlState::InsufficientPrivilege,
        "only users with the admin role or the EXTERNALIOIMPLICITACCESS system privilege are \
         allowed to access the specified nodelocal URI",
    );
    world
        .run(&["GRANT SYSTEM EXTERNALIOIMPLICITACCESS TO nobody"])
        .await;
    assert_eq!(rows(&nobody, &raw).await[0][2], "true");
    assert_eq!(files(&world.external()), Vec::<String>::new());
    let gone = format!("CHECK EXTERNAL CONNECTION missing {small}");
    assert_eq!(
        refused(&world.root(), &gone).await.sqlstate(),
        SqlState::UndefinedObject
    );
    let climbs = format!("CHECK EXTERNAL CONNECTION 'external://c/../d' {small}");
    assert_eq!(
        refused(&world.root(), &climbs).await.sqlstate(),
        SqlState::InvalidParameterValue
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_on_and_some_are_lifted_for_administrators() {
    let world = world().await;
    let wrong = SqlState::InvalidParameterValue;
    let refusal = SqlState::InsufficientPrivilege;
    for (options, state, message) in [
        (
            "CONCURRENTLY = 65",
            wrong,
            "CONCURRENTLY must be between 1 and 64",
        ),
        (
            "CONCURRENTLY = 0",
            wrong,
            "CONCURRENTLY must be between 1 and 64",
        ),
        ("TRANSFER = '0'", wrong, "TRANSFER must be at least 1 byte"),
        ("TRANSFER = 'much'", wrong, "TRANSFER is no size"),
        ("TIME = '1 day'", wrong, "TIME is no duration"),
        ("TIME = '-1s'", wrong, "TIME is no duration"),
        (
            "TRANSFER = '1025 MiB'",
            refusal,
            "only users with the admin role are allowed to CHECK EXTERNAL CONNECTION with TRANSFER \
             more than 1.0 GiB",
        ),
        (
            "TIME = '61m'",
            refusal,
            "only users with the admin role are allowed to CHECK EXTERNAL CONNECTION with a TIME of \
             more than 1h",
        ),
    ] {
        let sql = format!("CHECK EXTERNAL CONNECTION 'external://c' WITH {options}");
        let error = refused(&world.session("alice"), &sql).await;
        assert_state(&error, state, message);
        if options.starts_with("CONCURRENTLY") {
            let hint = match options {
                "CONCURRENTLY = 0" => "ask for at least one worker",
                _ => "ask for fewer workers",
            };
            assert_eq!(error.hint(), Some(hint));
        }
    }
    for (option, message) in [
        ("CONCURRENTLY = 65", "CONCURRENTLY must be between 1 and 64"),
        ("TRANSFER = '6 TiB'", "TRANSFER must be at most 5.0 TiB"),
        (
            "TRANSFER = '99999999999999999999 GiB'",
            "TRANSFER must be at most 5.0 TiB",
        ),
    ] {
        let sql = format!("CHECK EXTERNAL CONNECTION 'external://c' WITH {option}");
        let error = refused(&world.root(), &sql).await;
        assert_state(&error, wrong, message);
    }
    assert_eq!(files(&world.external()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_check_leaves_nothing_behind() {
    let world = world().await;
    let root = world.root();
    let sql = "CHECK EXTERNAL CONNECTION c WITH CONCURRENTLY = 4, TRANSFER = '64 KiB', TIME = '1h'";
    for milliseconds in [5, 20, 50, 120] {
        let checking = root.execute(sql, &[]);
        let ended = tokio::time::timeout(Duration::from_millis(milliseconds), checking).await;
        assert!(ended.is_err(), "it goes on for an hour");
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while !files(&world.external()).is_empty() {
        assert!(Instant::now() < deadline, "{:?}", files(&world.external()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_ends_during_a_check_fails_it_and_leaves_nothing_behind() {
    for end in [
        "REVOKE USAGE ON EXTERNAL CONNECTION c FROM alice",
        "DROP EXTERNAL CONNECTION c",
    ] {
        for transfer in ["64 KiB", "9 MiB"] {
            let world = world().await;
            let alice = world.session("alice");
            let sql = format!(
                "CHECK EXTERNAL CONNECTION 'external://c' WITH CONCURRENTLY = 4, \
                 TRANSFER = '{transfer}', TIME = '1h'"
            );
            let checking = tokio::spawn(async move { rows(&alice, &sql).await });
            let deadline = Instant::now() + Duration::from_secs(20);
            while files(&world.external()).is_empty() {
                assert!(Instant::now() < deadline, "nothing was written");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            run(&world.root(), end).await;
            let checked = checking.await.expect("no panic");
            assert_eq!(checked.len(), 4);
            for row in checked {
                assert_eq!(row[2], "false", "{end}: {row:?}");
                assert_ne!(row[3], "", "{end}: {row:?}");
                assert_eq!(row[7], "false", "{end}: {row:?}");
            }
            let left = files(&world.external());
            assert_eq!(left, Vec::<String>::new(), "{end}, {transfer}");
        }
    }
}
