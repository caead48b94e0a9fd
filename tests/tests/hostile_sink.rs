//! A sink that is hostile: what it may try over many calls, and what then happens. After each misdeed
//! another sink of the same host takes messages.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{
    AddProvider, Error, Host, Limits, Message, Operation, Principal, Session, Sink, SqlState,
};
use portolan_tests::hostile;
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A host with the hostile sink, which reaches nothing.
struct World {
    root: Session,
    _directory: TempDir,
}

impl World {
    async fn with(limits: Limits) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let catalog = SqliteCatalog::open(SqliteOptions {
            path: path("catalog.db"),
            key: KeySource::File(path("master.key")),
        });
        let catalog = Arc::new(catalog.expect("a catalog"));
        let host = Host::builder()
            .catalog(CatalogHandle::new(catalog, Handle::current()))
            .plugins_dir(path("plugins"))
            .external_io_dir(path("extern"))
            .limits(limits)
            .build();
        let root = host.await.expect("a host").session(Principal::new("root"));
        let component = hostile::sink().expect("a component");
        let added = root.add_provider(component, AddProvider::default());
        added.await.expect("added");
        Self {
            root,
            _directory: directory,
        }
    }

    async fn new() -> Self {
        let mut limits = Limits::default();
        limits.guest_time = Duration::from_secs(5);
        Self::with(limits).await
    }

    async fn sink(&self, misdeed: &str) -> Sink {
        let name = misdeed.replace('_', "-");
        let sql = format!("CREATE EXTERNAL CONNECTION \"{name}\" AS 'hostile-sink:///{misdeed}'");
        self.root.execute(&sql, &[]).await.expect("created");
        let url = format!("external://{name}");
        let opened = self.root.open(&url, Operation::Changefeed).await;
        opened.expect("opened").into_sink().expect("a sink")
    }

    /// Another sink works as if nothing had been.
    async fn still_works(&self) {
        let good = self.sink("behaves").await;
        let delivered = good.emit(messages(3)).await.expect("taken");
        assert_eq!((delivered.taken, delivered.acknowledged), (3, 3));
    }
}

fn messages(count: usize) -> Vec<Message> {
    vec![Message::new("t", "x"); count]
}

fn is(error: &Error, state: SqlState, words: &str) {
    assert_eq!(error.sqlstate(), state, "{error:?}");
    assert!(error.message().contains(words), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_given_is_not_acknowledged_and_nothing_is_taken_back() {
    let world = World::new().await;
    let sink = world.sink("acknowledges_more_than_it_was_given").await;
    let error = sink.emit(messages(2)).await.expect_err("a lie");
    is(
        &error,
        SqlState::ProtocolViolation,
        "acknowledges 3 messages of 2",
    );
    assert_eq!(sink.delivered().await.acknowledged, 0);
    let sink = world.sink("acknowledges_less_than_before").await;
    sink.emit(messages(2)).await.expect("taken");
    let error = sink.emit(messages(2)).await.expect_err("a lie");
    is(
        &error,
        SqlState::ProtocolViolation,
        "acknowledges 0 messages of 4",
    );
    let delivered = sink.delivered().await;
    assert_eq!((delivered.taken, delivered.acknowledged), (4, 2));
    world.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_or_a_failure_ends_the_instance_and_another_goes_on() {
    let world = World::new().await;
    for misdeed in ["traps_at_the_third_call", "fails_at_every_second_call"] {
        let sink = world.sink(misdeed).await;
        for round in 1..=9 {
            let delivered = sink.emit(messages(10)).await.expect("another goes on");
            assert_eq!(delivered.acknowledged, round * 10, "{misdeed}");
        }
    }
    world.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_opened_or_closed_is_told_in_clean_words() {
    let world = World::new().await;
    let sink = world.sink("refuses_to_open").await;
    let error = sink.emit(messages(1)).await.expect_err("refused");
    is(&error, SqlState::ConnectionFailure, "not today");
    assert!(!error.message().contains('\u{1b}'), "{error:?}");
    assert_eq!(sink.delivered().await.taken, 1);
    let sink = world.sink("traps_when_it_opens").await;
    let error = sink.emit(messages(1)).await.expect_err("a trap");
    is(&error, SqlState::ProtocolViolation, "crashed");
    let sink = world.sink("traps_when_it_closes").await;
    sink.emit(messages(1)).await.expect("taken");
    let error = sink.close().await.expect_err("a trap");
    is(&error, SqlState::ProtocolViolation, "crashed");
    assert_eq!(sink.delivered().await.acknowledged, 1);
    world.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_acknowledges_is_told_and_holds_no_more_than_it_may() {
    let world = World::new().await;
    let sink = world.sink("acknowledges_nothing").await;
    let delivered = sink.emit(messages(10)).await.expect("taken");
    assert_eq!((delivered.taken, delivered.acknowledged), (10, 0));
    let error = sink.flush().await.expect_err("nothing comes");
    is(&error, SqlState::QueryCanceled, "acknowledged nothing");
    // What the host holds is bounded: whoever emits more is told, and it is not taken.
    let long = || vec![Message::new("t", vec![b'x'; 15 << 20])];
    sink.emit(long()).await.expect("taken");
    sink.emit(long()).await.expect("taken");
    assert!(sink.emit(long()).await.is_err());
    assert_eq!(sink.delivered().await.taken, 12);
    world.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_has_a_budget_of_its_own_but_for_memory() {
    let world = World::new().await;
    for misdeed in ["calls_the_host_often", "computes_for_long"] {
        let sink = world.sink(misdeed).await;
        for _ in 0..4 {
            sink.emit(messages(1))
                .await
                .expect("within the budget of a call");
        }
    }
    let sink = world.sink("calls_the_host_too_often").await;
    let error = sink.emit(messages(1)).await.expect_err("over it");
    is(
        &error,
        SqlState::OutOfBudget,
        "used up its 10000 calls to the host",
    );
    // An instance that fills its memory ends; the next one has its own, so that messages go on.
    let sink = world.sink("keeps_everything").await;
    for round in 1..=40 {
        let delivered = sink.emit(messages(1)).await.expect("another goes on");
        assert_eq!(delivered.acknowledged, round);
    }
    world.still_works().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_spins_is_stopped_at_every_try() {
    let mut limits = Limits::default();
    limits.guest_time = Duration::from_millis(100);
    let world = World::with(limits).await;
    let sink = world.sink("spins").await;
    let error = sink.emit(messages(1)).await.expect_err("it spins");
    is(&error, SqlState::OutOfBudget, "used up its 100 ms");
    world.still_works().await;
}
