//! A host with a store of its own, and a catalog that tests can make wait.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "only tests see it"
)]

pub mod traces;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

use portolan::catalog::access::{ReadFunction, StateMark, WriteFunction};
use portolan::catalog::{
    AuditFilter, AuditRecord, Catalog, CatalogError, CatalogHandle, CatalogId, KeySource,
    SqliteCatalog, SqliteOptions, SqliteUserFiles,
};
use portolan::{
    Body, Cell, Error, Host, HostBuilder, Outcome, Principal, SecretText, Session, SqlState,
};
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A store, a directory for nodelocal, and a host over both.
pub struct World {
    pub host: Host,
    pub pause: Arc<Pause>,
    pub catalog: CatalogHandle,
    directory: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(configure: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("extern")).expect("a directory");
        let pause = Arc::new(Pause::default());
        let catalog = open_catalog(directory.path(), &pause);
        let host = configure(builder(directory.path()).catalog(catalog.clone()))
            .build()
            .await
            .expect("a host");
        Self {
            host,
            pause,
            catalog,
            directory,
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The host, and the directory that ends with it.
    pub fn into_host(self) -> (Host, TempDir) {
        (self.host, self.directory)
    }

    /// Where nodelocal's files are.
    pub fn external(&self) -> PathBuf {
        self.directory.path().join("extern")
    }

    /// Another host over the same files, as another process would have it.
    pub async fn another(&self) -> Host {
        let catalog = open_catalog(self.directory.path(), &Arc::default());
        builder(self.directory.path())
            .catalog(catalog)
            .build()
            .await
            .expect("a host")
    }

    pub fn session(&self, name: &str) -> Session {
        self.host.session(Principal::new(name))
    }

    pub fn root(&self) -> Session {
        self.session("root")
    }

    /// Runs statements as root, one after another.
    pub async fn run(&self, statements: &[&str]) {
        for sql in statements {
            run(&self.root(), sql).await;
        }
    }

    /// The audit trail, oldest first.
    pub async fn audit(&self) -> Vec<AuditRecord> {
        self.catalog
            .read::<_, CatalogError, _>(|reader| {
                reader.audit_after(&AuditFilter::default(), None, 10_000)
            })
            .await
            .expect("the trail")
            .into_iter()
            .map(|entry| entry.record)
            .collect()
    }
}

/// A builder with the directories of a store, and a cache that all tests share.
pub fn builder(directory: &Path) -> HostBuilder {
    Host::builder()
        .external_io_dir(directory.join("extern"))
        .user_files(SqliteUserFiles::new(directory.join("userfiles.db")))
        .plugins_dir(directory.join("plugins"))
        .cache_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"))
}

pub fn open_catalog(directory: &Path, pause: &Arc<Pause>) -> CatalogHandle {
    let catalog = SqliteCatalog::open(SqliteOptions {
        path: directory.join("catalog.sqlite"),
        key: KeySource::File(directory.join("master.key")),
    })
    .expect("a catalog");
    let pausing = Pausing {
        catalog,
        pause: Arc::clone(pause),
    };
    CatalogHandle::new(Arc::new(pausing), Handle::current())
}

pub async fn run(session: &Session, sql: &str) -> Outcome {
    match session.execute(sql, &[]).await {
        Ok(outcome) => outcome,
        Err(error) => panic!("{sql}: {error:?}"),
    }
}

pub async fn refused(session: &Session, sql: &str) -> Error {
    match session.execute(sql, &[]).await {
        Ok(outcome) => panic!("{sql} was done: {outcome:?}"),
        Err(error) => error,
    }
}

pub async fn run_with(session: &Session, sql: &str, parameters: &[&str]) -> Outcome {
    let parameters: Vec<_> = parameters.iter().copied().map(SecretText::new).collect();
    session.execute(sql, &parameters).await.expect("it is done")
}

/// All rows of a statement, as texts.
pub async fn rows(session: &Session, sql: &str) -> Vec<Vec<String>> {
    let rows = run(session, sql).await.into_rows().expect("rows");
    let rows = rows.collect_all().await.expect("all rows");
    rows.into_iter()
        .map(|row| row.into_iter().map(text).collect())
        .collect()
}

pub fn text(cell: Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => text,
        Cell::Integer(number) => number.to_string(),
        Cell::Boolean(value) => value.to_string(),
    }
}

pub fn notices(outcome: &Outcome) -> Vec<&str> {
    outcome.notices.iter().map(|one| one.message()).collect()
}

pub fn tag(outcome: &Outcome) -> &str {
    match &outcome.body {
        Body::Tag(tag) => tag,
        Body::Rows(_) => panic!("rows"),
    }
}

/// Runs a table of who, statement and outcome: `ok`, the notices after it, or SQLSTATE and message.
pub async fn table(world: &World, table: &[(&str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (who, sql, expected) in table {
        let outcome = match world.session(who).execute(sql, &[]).await {
            Ok(outcome) => {
                let mut told = vec!["ok"];
                told.extend(notices(&outcome));
                told.join("; ")
            }
            Err(error) => format!("{} {}", error.sqlstate(), error.message()),
        };
        if outcome != *expected {
            wrong.push(format!(
                "{who}: {sql}\n  is     {outcome}\n  not    {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[track_caller]
pub fn assert_state(error: &Error, state: SqlState, message: &str) {
    assert_eq!(error.sqlstate(), state, "{error:?}");
    assert_eq!(error.message(), message);
}

/// Stops the next write transaction before it begins, until it is let go.
///
/// A statement begins its one write transaction after its probe; so whoever waits here has planned,
/// judged and probed, and written nothing yet.
#[derive(Debug, Default)]
pub struct Pause {
    state: Mutex<PauseState>,
    changed: Condvar,
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum PauseState {
    #[default]
    Off,
    Armed,
    Waiting,
}

impl Pause {
    pub fn arm(&self) {
        *self.state.lock().unwrap() = PauseState::Armed;
    }

    /// Until somebody waits.
    pub async fn reached(self: &Arc<Self>) {
        let this = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let mut state = this.state.lock().unwrap();
            while *state != PauseState::Waiting {
                state = this.changed.wait(state).unwrap();
            }
        })
        .await
        .unwrap();
    }

    pub fn release(&self) {
        *self.state.lock().unwrap() = PauseState::Off;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        if *state != PauseState::Armed {
            return;
        }
        *state = PauseState::Waiting;
        self.changed.notify_all();
        while *state == PauseState::Waiting {
            state = self.changed.wait(state).unwrap();
        }
    }
}

#[derive(Debug)]
struct Pausing {
    catalog: SqliteCatalog,
    pause: Arc<Pause>,
}

impl Catalog for Pausing {
    fn id(&self) -> CatalogId {
        self.catalog.id()
    }

    fn mark(&self) -> Option<StateMark> {
        self.catalog.mark()
    }

    fn read(&self, function: &mut ReadFunction<'_>) -> Result<(), CatalogError> {
        self.catalog.read(function)
    }

    fn write(&self, function: &mut WriteFunction<'_>) -> Result<u64, CatalogError> {
        self.pause.pass();
        self.catalog.write(function)
    }
}
