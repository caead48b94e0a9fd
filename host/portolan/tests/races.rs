//! The commit rule: what happens while a statement plans and probes decides what it may write.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use portolan::{Error, Outcome, SqlState};
use support::{World, assert_state, notices, rows, run};

/// Runs `slow` up to its transaction, then `meanwhile`, then the rest of `slow`.
async fn race(world: &World, user: &str, slow: &str, meanwhile: &[&str]) -> Result<Outcome, Error> {
    world.pause.arm();
    let session = world.session(user);
    let sql = slow.to_owned();
    let running = tokio::spawn(async move { session.execute(&sql, &[]).await });
    world.pause.reached().await;
    for sql in meanwhile {
        run(&world.root(), sql).await;
    }
    world.pause.release();
    running.await.expect("no panic")
}

async fn with_carl() -> World {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER carl",
            "GRANT SYSTEM EXTERNALCONNECTION, EXTERNALIOIMPLICITACCESS TO carl",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
            "GRANT UPDATE, USAGE ON EXTERNAL CONNECTION a TO carl",
        ])
        .await;
    world
}

async fn uri_of(world: &World, name: &str) -> String {
    rows(&world.root(), &format!("SHOW EXTERNAL CONNECTION {name}")).await[0][1].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_alters_the_second_to_commit_fails() {
    let world = with_carl().await;
    let error = race(
        &world,
        "carl",
        "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/slow'",
        &["ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/quick'"],
    )
    .await
    .expect_err("the version changed");
    assert_state(
        &error,
        SqlState::SerializationFailure,
        "the external connection was changed meanwhile",
    );
    assert_eq!(uri_of(&world, "a").await, "nodelocal://1/quick");
    // It had been probed by then.
    assert!(
        world
            .external()
            .join("slow/crdb_external_storage_location")
            .exists()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_during_the_probe_is_not_undone() {
    let world = with_carl().await;
    let alter = "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'";
    let error = race(&world, "carl", alter, &["DROP EXTERNAL CONNECTION a"])
        .await
        .expect_err("it is gone");
    assert_eq!(error.sqlstate(), SqlState::SerializationFailure);
    assert!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_of_the_same_name_made_by_another_is_left_alone() {
    let world = with_carl().await;
    let error = race(
        &world,
        "carl",
        "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'",
        &[
            "DROP EXTERNAL CONNECTION a",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/another'",
            "GRANT UPDATE ON EXTERNAL CONNECTION a TO carl",
        ],
    )
    .await
    .expect_err("it is another");
    assert_eq!(error.sqlstate(), SqlState::SerializationFailure);
    assert_eq!(uri_of(&world, "a").await, "nodelocal://1/another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_privilege_that_is_revoked_during_the_probe_is_gone_at_its_end() {
    let world = with_carl().await;
    let error = race(
        &world,
        "carl",
        "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'",
        &["REVOKE UPDATE ON EXTERNAL CONNECTION a FROM carl"],
    )
    .await
    .expect_err("UPDATE was revoked");
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "user carl does not have UPDATE privilege on external_connection a",
    );
    let error = race(
        &world,
        "carl",
        "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c'",
        &["REVOKE SYSTEM EXTERNALCONNECTION FROM carl"],
    )
    .await
    .expect_err("EXTERNALCONNECTION was revoked");
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "only users with the EXTERNALCONNECTION system privilege are allowed to CREATE EXTERNAL \
         CONNECTION",
    );
    run(&world.root(), "GRANT SYSTEM EXTERNALCONNECTION TO carl").await;
    let error = race(
        &world,
        "carl",
        "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c'",
        &["REVOKE SYSTEM EXTERNALIOIMPLICITACCESS FROM carl"],
    )
    .await
    .expect_err("EXTERNALIOIMPLICITACCESS was revoked");
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "only users with the admin role or the EXTERNALIOIMPLICITACCESS system privilege are \
         allowed to access the specified nodelocal URI",
    );
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS").await.len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_creates_if_not_exists_the_second_says_that_it_did_nothing() {
    let world = with_carl().await;
    let outcome = race(
        &world,
        "carl",
        "CREATE EXTERNAL CONNECTION IF NOT EXISTS c AS 'nodelocal://1/slow'",
        &["CREATE EXTERNAL CONNECTION IF NOT EXISTS c AS 'nodelocal://1/quick'"],
    )
    .await
    .expect("no error");
    assert_eq!(
        notices(&outcome),
        ["external connection with name c already exists, skipping"]
    );
    assert_eq!(uri_of(&world, "c").await, "nodelocal://1/quick");
    let error = race(
        &world,
        "carl",
        "CREATE EXTERNAL CONNECTION d AS 'nodelocal://1/slow'",
        &["CREATE EXTERNAL CONNECTION d AS 'nodelocal://1/quick'"],
    )
    .await
    .expect_err("it is taken");
    assert_eq!(error.sqlstate(), SqlState::DuplicateObject);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_during_the_probe_is_no_conflict() {
    let world = with_carl().await;
    race(
        &world,
        "carl",
        "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'",
        &["ALTER EXTERNAL CONNECTION a RENAME TO b"],
    )
    .await
    .expect("the same connection, the same version");
    assert_eq!(uri_of(&world, "b").await, "nodelocal://1/b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_is_given_up_writes_nothing_but_its_audit_row() {
    let world = with_carl().await;
    let session = world.session("carl");
    {
        let alter = session.execute("ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'", &[]);
        // Polled once, then dropped.
        let dropped = tokio::time::timeout(std::time::Duration::ZERO, alter).await;
        assert!(dropped.is_err());
    }
    assert_eq!(uri_of(&world, "a").await, "nodelocal://1/a");
    for _ in 0..100 {
        let trail = world.audit().await;
        let row = trail.iter().find(|row| row.principal == "carl");
        if let Some(row) = row {
            assert_eq!(row.outcome.sqlstate(), Some("57014"));
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no audit row");
}
