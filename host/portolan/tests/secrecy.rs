//! No secret is in an error, a notice, the audit trail or a trace; every refusal is in the trail.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use portolan::catalog::AuditOutcome;
use portolan::{Principal, RequestContext, SqlState};
use support::traces::Traces;
use support::{World, assert_state, refused, rows, run};

const SECRET: &str = "hunter2hunter2";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_told_or_kept_readable_holds_a_secret() {
    let traces = Traces::begin();
    let world = World::new().await;
    let mut told = String::new();
    for sql in [
        "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a?token=hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://hunter2hunter2@1/a'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://u:hunter2hunter2@1/a'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://a/a?token=hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/a?hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/a?x=1#hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/../a?x=hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'pulsar://hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b 'nodelocal://1/a?token=hunter2hunter2'",
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/a?token=hunter2hunter2",
        "EXPLAIN CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/a?token=hunter2hunter2'",
        "ALTER EXTERNAL CONNECTION a SET (token = 'other-hunter2hunter2')",
        "ALTER EXTERNAL CONNECTION a SET (\"to ken\" = 'hunter2hunter2')",
        "VALIDATE EXTERNAL CONNECTION a",
        "SHOW EXTERNAL CONNECTIONS",
        "SHOW AUDIT",
    ] {
        match world.root().execute(sql, &[]).await {
            Ok(outcome) => {
                told.push_str(&format!("{:?}", outcome.notices));
                if let Some(rows) = outcome.into_rows() {
                    let rows = rows.collect_all().await.expect("rows");
                    told.push_str(&format!("{rows:?}"));
                }
            }
            Err(error) => told.push_str(&format!("{error:?} {error}")),
        }
    }
    assert!(!told.contains(SECRET), "{told}");
    let trail = format!("{:?}", world.audit().await);
    assert!(!trail.contains(SECRET), "{trail}");
    let shown = rows(&world.root(), "SHOW CREATE EXTERNAL CONNECTION a").await;
    assert!(
        shown[0][1].contains(SECRET),
        "the URI was stored with its secret"
    );
    let traces = traces.text();
    assert!(traces.contains("portolan"), "nothing was traced");
    assert!(!traces.contains(SECRET), "a trace holds the secret");
    let file = std::fs::read(world.path().join("catalog.sqlite")).expect("the store");
    let log = std::fs::read(world.path().join("catalog.sqlite-wal")).unwrap_or_default();
    for bytes in [file, log] {
        assert!(
            !bytes
                .windows(SECRET.len())
                .any(|found| found == SECRET.as_bytes())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_in_the_trail_with_who_asked_for_whom() {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER eve",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
        ])
        .await;
    let context = RequestContext::default()
        .on_behalf_of("mallory")
        .client_address("192.0.2.7:5432")
        .request_id("r-1");
    let eve = world.session("eve").with_context(context);
    let statements = [
        "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/b'",
        "EXPLAIN CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/b'",
        "ALTER EXTERNAL CONNECTION a AS 'nodelocal://1/b'",
        "ALTER EXTERNAL CONNECTION a RENAME TO b",
        "ALTER EXTERNAL CONNECTION a OWNER TO eve",
        "DROP EXTERNAL CONNECTION a",
        "VALIDATE EXTERNAL CONNECTION a",
        "SHOW EXTERNAL CONNECTION a",
        "SHOW CREATE EXTERNAL CONNECTION a",
        "COMMENT ON EXTERNAL CONNECTION a IS 'x'",
    ];
    for sql in statements {
        let error = refused(&eve, sql).await;
        assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege, "{sql}");
    }
    let trail = world.audit().await;
    let refusals: Vec<_> = trail.iter().filter(|row| row.principal == "eve").collect();
    assert_eq!(refusals.len(), statements.len());
    for row in refusals {
        assert_eq!(row.outcome, AuditOutcome::Refused("42501".to_owned()));
        assert_eq!(row.on_behalf_of.as_deref(), Some("mallory"));
        assert_eq!(row.client_address.as_deref(), Some("192.0.2.7:5432"));
        assert_eq!(row.request_id.as_deref(), Some("r-1"));
        assert!(row.statement.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unprivileged_caller_learns_nothing_about_what_exists() {
    let world = World::new().await;
    world
        .run(&[
            "CREATE USER eve",
            "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
        ])
        .await;
    let eve = world.session("eve");
    for statement in [
        "ALTER EXTERNAL CONNECTION ? AS 'nodelocal://1/b'",
        "ALTER EXTERNAL CONNECTION IF EXISTS ? AS 'nodelocal://1/b'",
        "ALTER EXTERNAL CONNECTION ? RENAME TO c",
        "ALTER EXTERNAL CONNECTION ? OWNER TO eve",
        "DROP EXTERNAL CONNECTION ?",
        "DROP EXTERNAL CONNECTION IF EXISTS ?",
        "VALIDATE EXTERNAL CONNECTION ?",
        "SHOW EXTERNAL CONNECTION ?",
        "SHOW CREATE EXTERNAL CONNECTION ?",
        "COMMENT ON EXTERNAL CONNECTION ? IS 'x'",
        "CREATE EXTERNAL CONNECTION ? AS 'nodelocal://1/b'",
        "CREATE EXTERNAL CONNECTION IF NOT EXISTS ? AS 'nodelocal://1/b'",
    ] {
        let there = refused(&eve, &statement.replace('?', "a")).await;
        let missing = refused(&eve, &statement.replace('?', "b")).await;
        let there = format!("{there:?}").replace("connection a", "connection b");
        let there = there
            .replace("\\\"a\\\"", "\\\"b\\\"")
            .replace("CONNECTION a", "CONNECTION b");
        assert_eq!(there, format!("{missing:?}"), "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vouched_role_counts_in_its_session_only() {
    let world = World::new().await;
    let vouched = world.host.session(Principal::new("etl").role("admin"));
    run(
        &vouched,
        "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'",
    )
    .await;
    let plain = world.session("etl");
    let error = refused(&plain, "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/b'").await;
    assert_eq!(error.sqlstate(), SqlState::InsufficientPrivilege);
    // It made the connection, so it owns it, without a row of its own.
    run(&plain, "VALIDATE EXTERNAL CONNECTION a").await;
    let error = plain.require_known_user().await.expect_err("no row");
    assert_state(
        &error,
        SqlState::InvalidAuthorization,
        "user etl does not exist",
    );
    world.root().require_known_user().await.expect("known");
    let role = world.session("admin").require_known_user().await;
    assert_eq!(
        role.expect_err("a role").sqlstate(),
        SqlState::InvalidAuthorization
    );
}
