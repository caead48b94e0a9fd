//! What statements show, and what they leave in the audit trail.

#![allow(missing_docs, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use futures::StreamExt;
use portolan::SqlState;
use portolan::catalog::{
    AuditOutcome, CatalogError, ConnectionSecrets, ConnectionTarget, NewConnection,
};
use portolan::{RequestContext, SecretText};
use support::{World, assert_state, refused, rows, run, run_with, tag};

const CREATE: &str = "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/c' WITH VALIDATE = 'none'";

/// The trail from `start` on: action, object, outcome and SQLSTATE, detail.
async fn trail(world: &World, start: usize) -> Vec<[String; 4]> {
    let records = world.audit().await.into_iter().skip(start);
    records
        .map(|record| {
            let outcome = match &record.outcome {
                AuditOutcome::Ok => "ok".to_owned(),
                other => format!(
                    "{} {}",
                    other.as_str(),
                    other.sqlstate().unwrap_or_default()
                ),
            };
            [
                record.action,
                record.object.map(|it| it.to_string()).unwrap_or_default(),
                outcome,
                record.detail.unwrap_or_default(),
            ]
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_but_the_harmless_shows_leaves_a_row() {
    let world = World::new().await;
    let start = world.audit().await.len();
    world
        .run(&[
            CREATE,
            "CREATE USER alice",
            "CREATE ROLE readers",
            "GRANT readers TO alice",
            "GRANT USAGE ON EXTERNAL CONNECTION c TO readers",
            "GRANT SYSTEM EXTERNALCONNECTION, CREATEROLE TO alice",
            "COMMENT ON EXTERNAL CONNECTION c IS 'of the night'",
            "EXPLAIN CREATE EXTERNAL CONNECTION e AS 'nodelocal://1/e'",
            "ALTER EXTERNAL CONNECTION c SET (TOKEN = 'swordfish') WITH VALIDATE = 'none'",
            "ALTER EXTERNAL CONNECTION c RESET (TOKEN) WITH VALIDATE = 'none'",
            "ALTER EXTERNAL CONNECTION c AS 'nodelocal://1/d' WITH VALIDATE = 'none'",
            "ALTER EXTERNAL CONNECTION c RENAME TO d",
            "ALTER EXTERNAL CONNECTION d RENAME TO c",
            "ALTER EXTERNAL CONNECTION c OWNER TO root",
            "SHOW CREATE EXTERNAL CONNECTION c",
            "SHOW EXTERNAL CONNECTIONS",
            "SHOW EXTERNAL CONNECTION c",
            "SHOW GRANTS ON EXTERNAL CONNECTION c",
            "SHOW SYSTEM GRANTS",
            "SHOW USERS",
            "SHOW ROLES",
            "SHOW PROVIDERS",
            "SHOW AUDIT",
            "REVOKE USAGE ON EXTERNAL CONNECTION c FROM readers",
            "REVOKE SYSTEM ALL FROM alice",
            "REVOKE readers FROM alice",
            "DROP ROLE readers",
            "DROP USER alice",
            "DROP EXTERNAL CONNECTION c, missing",
        ])
        .await;
    let expected = [
        ["CREATE EXTERNAL CONNECTION", "connection c", "ok", ""],
        ["CREATE USER", "principal alice", "ok", ""],
        ["CREATE ROLE", "principal readers", "ok", ""],
        ["GRANT", "principal readers", "ok", ""],
        ["GRANT", "connection c", "ok", ""],
        ["GRANT", "system EXTERNALCONNECTION, CREATEROLE", "ok", ""],
        ["COMMENT ON EXTERNAL CONNECTION", "connection c", "ok", ""],
        [
            "EXPLAIN CREATE EXTERNAL CONNECTION",
            "connection e",
            "ok",
            "",
        ],
        ["ALTER EXTERNAL CONNECTION", "connection c", "ok", ""],
        ["ALTER EXTERNAL CONNECTION", "connection c", "ok", ""],
        ["ALTER EXTERNAL CONNECTION", "connection c", "ok", ""],
        ["ALTER EXTERNAL CONNECTION", "connection d", "ok", "from c"],
        ["ALTER EXTERNAL CONNECTION", "connection c", "ok", "from d"],
        ["ALTER EXTERNAL CONNECTION", "connection c", "ok", "to root"],
        ["SHOW CREATE EXTERNAL CONNECTION", "connection c", "ok", ""],
        ["REVOKE", "connection c", "ok", ""],
        ["REVOKE", "system ALL", "ok", ""],
        ["REVOKE", "principal readers", "ok", ""],
        ["DROP ROLE", "principal readers", "ok", ""],
        ["DROP USER", "principal alice", "ok", ""],
        ["DROP EXTERNAL CONNECTION", "connection c", "ok", ""],
        [
            "DROP EXTERNAL CONNECTION",
            "connection missing",
            "ok",
            "external connection with name missing does not exist, skipping",
        ],
    ];
    assert_eq!(trail(&world, start).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_no_statement_leaves_no_row() {
    let world = World::new().await;
    let start = world.audit().await.len();
    for text in [
        "",
        "SELECT 1",
        "CREATE EXTERNAL CONNECTION c AS 'nodelocal://1/swordfish",
    ] {
        let error = refused(&world.root(), text).await;
        assert_eq!(error.sqlstate(), SqlState::Syntax, "{text}");
    }
    assert_eq!(trail(&world, start).await, Vec::<[String; 4]>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_leaves_a_row_that_names_what_was_refused() {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER alice",
            CREATE,
            "CREATE EXTERNAL CONNECTION d AS 'nodelocal://1/d' WITH VALIDATE = 'none'",
            "GRANT DROP ON EXTERNAL CONNECTION c TO alice",
        ])
        .await;
    let start = world.audit().await.len();
    let alice = world.session("alice");
    for sql in [
        "DROP EXTERNAL CONNECTION c, d",
        "SHOW EXTERNAL CONNECTION c",
        "SHOW CREATE EXTERNAL CONNECTION c",
        "SHOW CREATE ALL EXTERNAL CONNECTIONS",
        "SHOW GRANTS ON EXTERNAL CONNECTION d",
        "SHOW AUDIT",
        "CREATE USER bob",
        "GRANT USAGE ON EXTERNAL CONNECTION d TO alice",
        "GRANT SYSTEM ALL TO alice",
        "GRANT admin TO alice",
    ] {
        assert_eq!(
            refused(&alice, sql).await.sqlstate(),
            SqlState::InsufficientPrivilege,
            "{sql}"
        );
    }
    let seen: Vec<_> = trail(&world, start)
        .await
        .into_iter()
        .map(|[action, object, outcome, _]| [action, object, outcome])
        .collect();
    let refused = "refused 42501";
    assert_eq!(
        seen,
        [
            ["DROP EXTERNAL CONNECTION", "connection d", refused],
            ["SHOW EXTERNAL CONNECTIONS", "connection c", refused],
            ["SHOW CREATE EXTERNAL CONNECTION", "connection c", refused],
            ["SHOW CREATE EXTERNAL CONNECTION", "", refused],
            ["SHOW GRANTS", "connection d", refused],
            ["SHOW AUDIT", "", refused],
            ["CREATE USER", "principal bob", refused],
            ["GRANT", "connection d", refused],
            ["GRANT", "system ALL", refused],
            ["GRANT", "principal admin", refused],
        ]
    );
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS").await.len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_fails_in_the_middle_changes_nothing_and_leaves_one_row() {
    let world = World::new().await;
    world.run(&[CREATE, "CREATE USER alice"]).await;
    let start = world.audit().await.len();
    let error = refused(
        &world.root(),
        "GRANT USAGE ON EXTERNAL CONNECTION c, missing TO alice",
    )
    .await;
    assert_eq!(error.sqlstate(), SqlState::UndefinedObject);
    assert_eq!(
        trail(&world, start).await,
        [[
            "GRANT",
            "connection missing",
            "failed 42704",
            "failed to resolve External Connection: external connection with name missing does not \
             exist",
        ]]
    );
    let grants = "SHOW GRANTS ON EXTERNAL CONNECTION c FOR alice";
    assert!(rows(&world.root(), grants).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_whole_parses_to_what_was_given_and_is_in_the_trail() {
    let world = World::new().await;
    world
        .run(&[
            CREATE,
            "CREATE EXTERNAL CONNECTION \"D.1\" AS 'NodeLocal://self/a b?x=it''s' WITH VALIDATE = 'none'",
        ])
        .await;
    let start = world.audit().await.len();
    let expected = [
        [
            "D.1",
            "CREATE EXTERNAL CONNECTION 'D.1' AS e'nodelocal://self/a b?x=it\\'s'",
        ],
        ["c", "CREATE EXTERNAL CONNECTION 'c' AS 'nodelocal://1/c'"],
    ];
    let all = rows(&world.root(), "SHOW CREATE ALL EXTERNAL CONNECTIONS").await;
    assert_eq!(all, expected);
    assert_eq!(
        rows(&world.root(), "SHOW CREATE EXTERNAL CONNECTION 'D.1'").await,
        expected[..1]
    );
    let action = "SHOW CREATE EXTERNAL CONNECTION";
    assert_eq!(
        trail(&world, start).await,
        [
            [action, "", "ok", ""],
            [action, "connection D.1", "ok", ""],
            [action, "connection c", "ok", ""],
            [action, "connection D.1", "ok", ""],
        ]
    );
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTION \"D.1\"").await,
        [["D.1", "nodelocal://self/a b?x=redacted", "STORAGE"]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_literal_is_in_the_trail_and_the_request_is() {
    let world = World::new().await;
    let session = world.root().with_context(
        RequestContext::default()
            .on_behalf_of("carol")
            .client_address("10.0.0.7")
            .request_id("r-1"),
    );
    let start = world.audit().await.len();
    run(&session, CREATE).await;
    let record = world.audit().await.remove(start);
    assert_eq!(
        record.statement.as_deref(),
        Some("CREATE EXTERNAL CONNECTION 'c' AS '*****' WITH OPTIONS (VALIDATE = 'none')")
    );
    let shown = rows(&world.root(), "SHOW AUDIT FOR EXTERNAL CONNECTION c").await;
    assert_eq!(shown.len(), 1);
    assert_eq!(
        shown[0][1..],
        [
            "root",
            "carol",
            "10.0.0.7",
            "r-1",
            "CREATE EXTERNAL CONNECTION",
            "connection",
            "c",
            "ok",
            "NULL",
            "CREATE EXTERNAL CONNECTION 'c' AS '*****' WITH OPTIONS (VALIDATE = 'none')",
            "NULL",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_shown_since_a_time_and_to_holders_of_viewclustermetadata() {
    let world = World::new().await;
    world.run(&["CREATE USER alice", CREATE]).await;
    let root = world.root();
    let all = rows(&root, "SHOW AUDIT").await;
    assert_eq!(rows(&root, "SHOW AUDIT SINCE '1h'").await, all);
    assert_eq!(
        run_with(&root, "SHOW AUDIT SINCE $1", &["2026-01-01"])
            .await
            .notices,
        []
    );
    assert!(
        rows(&root, "SHOW AUDIT SINCE '9999-01-01'")
            .await
            .is_empty()
    );
    let error = refused(&root, "SHOW AUDIT SINCE 'some day'").await;
    assert_state(
        &error,
        SqlState::InvalidParameterValue,
        "the time after SINCE cannot be read",
    );
    let error = refused(&world.session("alice"), "SHOW AUDIT").await;
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "must have VIEWCLUSTERMETADATA privilege to run `SHOW AUDIT`",
    );
    world
        .run(&["GRANT SYSTEM VIEWCLUSTERMETADATA TO alice"])
        .await;
    run(&world.session("alice"), "SHOW AUDIT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_refused_with_what_to_do() {
    let world = World::new().await;
    for (sql, message) in [
        ("BEGIN", "BEGIN is not supported"),
        ("COMMIT", "COMMIT is not supported"),
        ("ROLLBACK", "ROLLBACK is not supported"),
    ] {
        let error = refused(&world.root(), sql).await;
        assert_state(&error, SqlState::FeatureNotSupported, message);
        assert_eq!(
            error.hint(),
            Some(
                "each statement is a transaction of its own; leave BEGIN, COMMIT and ROLLBACK out"
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_are_shown_from_their_manifests() {
    let world = World::new().await;
    let shown = rows(&world.session("anybody"), "SHOW PROVIDERS").await;
    let nodelocal = shown.iter().find(|row| row[0] == "nodelocal");
    let nodelocal = nodelocal.expect("it is built in");
    assert_eq!(
        nodelocal[2..6],
        [
            "nodelocal",
            "STORAGE",
            "BACKUP, RESTORE, IMPORT, EXPORT, CHANGEFEED, TRANSFER",
            "built-in"
        ]
    );
    assert_eq!(nodelocal[6].len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_taken_as_words_quoted_strings_and_parameters() {
    let world = World::new().await;
    let root = world.root();
    let made = run_with(
        &root,
        "CREATE EXTERNAL CONNECTION $1 AS $2 WITH VALIDATE = 'none'",
        &["Mixed-Case.1", "nodelocal://1/x"],
    )
    .await;
    assert_eq!(tag(&made), "CREATE EXTERNAL CONNECTION");
    for sql in [
        "SHOW EXTERNAL CONNECTION \"Mixed-Case.1\"",
        "SHOW EXTERNAL CONNECTION 'Mixed-Case.1'",
        "SHOW GRANTS ON EXTERNAL CONNECTION \"Mixed-Case.1\"",
    ] {
        assert_eq!(rows(&root, sql).await[0][0], "Mixed-Case.1", "{sql}");
    }
    for (sql, state) in [
        ("SHOW EXTERNAL CONNECTION mixed", SqlState::UndefinedObject),
        ("DROP EXTERNAL CONNECTION 'a b'", SqlState::InvalidName),
        ("DROP EXTERNAL CONNECTION 'ü'", SqlState::InvalidName),
        (
            "GRANT USAGE ON EXTERNAL CONNECTION \"a;b\" TO root",
            SqlState::InvalidName,
        ),
        ("SHOW EXTERNAL CONNECTION $1", SqlState::UndefinedParameter),
        (
            "GRANT USAGE ON EXTERNAL CONNECTION 'x' TO root",
            SqlState::Syntax,
        ),
    ] {
        assert_eq!(refused(&root, sql).await.sqlstate(), state, "{sql}");
    }
    let long = format!("DROP EXTERNAL CONNECTION {}", "n".repeat(129));
    assert_state(
        &refused(&root, &long).await,
        SqlState::InvalidName,
        "the name of a connection has 129 bytes; the most is 128",
    );
    let comment = format!(
        "COMMENT ON EXTERNAL CONNECTION \"Mixed-Case.1\" IS '{}'",
        "x".repeat(4097)
    );
    assert_state(
        &refused(&root, &comment).await,
        SqlState::InvalidParameterValue,
        "the comment has 4097 bytes; the most is 4096",
    );
}

/// Puts connections into the catalog without planning them.
async fn insert(world: &World, count: usize) {
    world
        .catalog
        .write::<_, CatalogError, _>(move |writer| {
            for number in 0..count {
                writer.insert_connection(&NewConnection {
                    name: format!("n{number:04}"),
                    owner: "root".to_owned(),
                    comment: None,
                    target: ConnectionTarget {
                        connection_type: "STORAGE".to_owned(),
                        provider: "nodelocal".to_owned(),
                        provider_version: "0.1.0".to_owned(),
                        redacted_uri: format!("nodelocal://1/{number}"),
                        implicit_access: true,
                        plan_format: 1,
                        secrets: ConnectionSecrets {
                            uri: SecretText::new(format!("nodelocal://1/{number}")),
                            plan: portolan_secret::SecretBytes::new(*b"{}"),
                        },
                    },
                })?;
            }
            Ok(())
        })
        .await
        .expect("they are written");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_come_page_by_page_and_hold_no_transaction() {
    let world = World::new().await;
    insert(&world, 600).await;
    let root = world.root();
    let mut shown = run(&root, "SHOW EXTERNAL CONNECTIONS")
        .await
        .into_rows()
        .expect("rows");
    let first = shown.next().await.expect("a row").expect("read");
    assert_eq!(first[0], "n0000".into());
    // What is changed between pages is seen by the later ones, and nothing waits for the reader.
    world
        .run(&["DROP EXTERNAL CONNECTION n0001, n0599, n0300"])
        .await;
    let names: Vec<_> = shown
        .collect_all()
        .await
        .expect("the rest")
        .into_iter()
        .map(|row| support::text(row[0].clone()))
        .collect();
    assert_eq!(names.len(), 597);
    assert!(names.contains(&"n0001".to_owned()));
    assert!(!names.contains(&"n0599".to_owned()));
    assert_eq!(
        rows(&root, "SHOW CREATE ALL EXTERNAL CONNECTIONS")
            .await
            .len(),
        597
    );
    assert_eq!(rows(&root, "SHOW EXTERNAL CONNECTIONS").await.len(), 597);
    let trail = rows(&root, "SHOW AUDIT").await;
    let whole = world.audit().await.len();
    assert!(
        trail.len() >= 597 && trail.len() == whole,
        "{} of {whole}",
        trail.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_privilege_that_is_revoked_ends_a_list_at_its_next_page() {
    let world = World::new().await;
    insert(&world, 600).await;
    world
        .run(&[
            "CREATE USER alice",
            "GRANT SYSTEM VIEWCLUSTERMETADATA TO alice",
        ])
        .await;
    let alice = world.session("alice");
    let mut shown = run(&alice, "SHOW CREATE ALL EXTERNAL CONNECTIONS")
        .await
        .into_rows()
        .expect("rows");
    shown.next().await.expect("a row").expect("read");
    world
        .run(&["REVOKE SYSTEM VIEWCLUSTERMETADATA FROM alice"])
        .await;
    let start = world.audit().await.len();
    let error = shown.collect_all().await.expect_err("it ends");
    assert_state(
        &error,
        SqlState::InsufficientPrivilege,
        "must have VIEWCLUSTERMETADATA privilege to run `SHOW CREATE ALL EXTERNAL CONNECTIONS`",
    );
    let last = trail(&world, start).await;
    assert_eq!(last.len(), 1);
    assert_eq!(
        last[0][..3],
        ["SHOW CREATE EXTERNAL CONNECTION", "", "refused 42501"]
    );
}
