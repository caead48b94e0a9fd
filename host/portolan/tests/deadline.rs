//! A deadline ends a statement before it writes, and says so.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::time::Duration;

use futures::StreamExt;
use portolan::catalog::model::now;
use portolan::{RequestContext, SqlState};
use support::{World, assert_state, rows};

const CREATE: &str = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'";

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_is_over_ends_a_statement_before_it_begins() {
    let world = World::new().await;
    let deadline = now() - Duration::from_secs(1);
    let context = RequestContext::default().deadline(deadline);
    let late = world.root().with_context(context);
    let error = late.execute(CREATE, &[]).await.expect_err("too late");
    assert_state(
        &error,
        SqlState::QueryCanceled,
        "the statement was cancelled because its deadline is over",
    );
    let trail = world.audit().await;
    let row = trail.last().expect("a row");
    assert_eq!(row.outcome.sqlstate(), Some("57014"));
    let detail = row.detail.as_deref().expect("what failed");
    assert!(
        detail.ends_with(&format!("(deadline {deadline})")),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_comes_after_the_deadline_is_not_used() {
    let world = World::new().await;
    // Planned and probed once, so that the next time is not spent on compiling.
    world
        .run(&["CREATE EXTERNAL CONNECTION warm AS 'nodelocal://1/a'"])
        .await;
    world.pause.arm();
    let context = RequestContext::default().deadline(now() + Duration::from_millis(700));
    let session = world.root().with_context(context);
    let running = tokio::spawn(async move { session.execute(CREATE, &[]).await });
    world.pause.reached().await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    world.pause.release();
    let error = running.await.expect("no panic").expect_err("too late");
    assert_eq!(error.sqlstate(), SqlState::QueryCanceled);
    assert_eq!(
        rows(&world.root(), "SHOW EXTERNAL CONNECTIONS").await.len(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_of_what_was_done_in_time_and_of_what_was_given_up_has_the_deadline_as_well() {
    let world = World::new().await;
    let deadline = now() + Duration::from_secs(600);
    let context = RequestContext::default().deadline(deadline);
    let session = world.root().with_context(context);
    session.execute(CREATE, &[]).await.expect("in time");
    let row = world.audit().await.pop().expect("a row");
    let dated = format!("(deadline {deadline})");
    assert_eq!(row.detail.as_deref(), Some(&*dated));
    let check = "CHECK EXTERNAL CONNECTION a WITH TIME = '1h', TRANSFER = '1 KiB'";
    let checking = session.execute(check, &[]);
    let given_up = tokio::time::timeout(Duration::from_millis(300), checking).await;
    assert!(given_up.is_err(), "it goes on for an hour");
    let expected = format!("it was given up before its end {dated}");
    for _ in 0..500 {
        let row = world.audit().await.pop().expect("a row");
        if row.detail.as_deref() == Some(&*expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no row says {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_come_after_the_deadline_are_not_shown_and_those_before_it_are_in_the_trail() {
    // More than one page of them.
    const CONNECTIONS: usize = 300;
    let world = World::new().await;
    for number in 0..CONNECTIONS {
        let create = format!(
            "CREATE EXTERNAL CONNECTION c{number} AS 'nodelocal://1/a' WITH VALIDATE = 'none'"
        );
        world.run(&[&create]).await;
    }
    let deadline = now() + Duration::from_secs(2);
    let context = RequestContext::default().deadline(deadline);
    let session = world.root().with_context(context);
    let shown = session.execute("SHOW CREATE ALL EXTERNAL CONNECTIONS", &[]);
    let mut rows = shown.await.expect("in time").into_rows().expect("rows");
    rows.next().await.expect("a row").expect("in time");
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let mut count = 1;
    let error = loop {
        match rows.next().await.expect("no end before the error") {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate(), SqlState::QueryCanceled);
    assert!(count < CONNECTIONS, "{count}");
    let dated = format!("(deadline {deadline})");
    let trail = world.audit().await;
    let of_it = trail.iter().filter(|row| {
        let detail = row.detail.as_deref().unwrap_or_default();
        detail.ends_with(&dated) && !detail.trim_end_matches(&dated).ends_with(") ")
    });
    // The statement, each connection that was shown, and the end.
    assert_eq!(of_it.count(), 1 + count + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_a_statement_about_several_things_has_the_deadline() {
    let world = World::new().await;
    world.run(&["CREATE USER ana", "CREATE USER otto"]).await;
    let deadline = now() + Duration::from_secs(600);
    let context = RequestContext::default().deadline(deadline);
    let session = world.root().with_context(context);
    session
        .execute("DROP USER ana, otto", &[])
        .await
        .expect("in time");
    let dated = format!("(deadline {deadline})");
    let trail = world.audit().await;
    for row in &trail[trail.len() - 2..] {
        assert_eq!(row.action, "DROP USER");
        let detail = row.detail.as_deref();
        assert!(detail.is_some_and(|it| it.ends_with(&dated)), "{row:?}");
    }
}
