//! A host with a store of its own, and sessions of DataFusion over it.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "only tests see it"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};
use portolan::catalog::{CatalogHandle, KeySource, SqliteCatalog, SqliteOptions};
use portolan::{Host, HostBuilder, Principal, Session};
use portolan_datafusion::{Connections, refusal};
use tempfile::TempDir;
use tokio::runtime::Handle;

/// A store, a directory for nodelocal, and a host over both.
pub struct World {
    pub host: Host,
    directory: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(configure: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let external = directory.path().join("extern");
        std::fs::create_dir(&external).expect("a directory");
        let catalog = SqliteCatalog::open(SqliteOptions {
            path: directory.path().join("catalog.sqlite"),
            key: KeySource::File(directory.path().join("master.key")),
        })
        .expect("a catalog");
        let builder = Host::builder()
            .catalog(CatalogHandle::new(Arc::new(catalog), Handle::current()))
            .external_io_dir(external)
            .cache_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
        let host = configure(builder).build().await.expect("a host");
        Self { host, directory }
    }

    /// Where nodelocal's files are.
    pub fn external(&self) -> PathBuf {
        self.directory.path().join("extern")
    }

    pub fn session(&self, name: &str) -> Session {
        self.host.session(Principal::new(name))
    }

    /// A session of DataFusion, of this user.
    pub fn context(&self, name: &str) -> SessionContext {
        let connections = Connections::new(self.session(name));
        let runtime = connections.runtime().build_arc().expect("a runtime");
        SessionContext::new_with_config_rt(SessionConfig::new(), runtime)
    }

    /// Runs statements of Portolan as root, one after another.
    pub async fn run(&self, statements: &[&str]) {
        for sql in statements {
            if let Err(error) = self.session("root").execute(sql, &[]).await {
                panic!("{sql}: {error:?}");
            }
        }
    }
}

/// Runs a query to its end.
pub async fn query(context: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    context.sql(sql).await?.collect().await
}

/// Why Portolan refused a query.
pub async fn refused(context: &SessionContext, sql: &str) -> portolan::Error {
    let error = match query(context, sql).await {
        Ok(rows) => panic!("{sql} gave {rows:?}"),
        Err(error) => error,
    };
    refusal(&error).unwrap_or_else(|| panic!("{sql}: {error:?}"))
}

/// The one number that a query gave.
#[track_caller]
pub fn number(rows: &[RecordBatch]) -> i64 {
    let rows: Vec<_> = rows.iter().filter(|batch| batch.num_rows() > 0).collect();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!((rows[0].num_rows(), rows[0].num_columns()), (1, 1));
    let value = array_value_to_string(rows[0].column(0), 0).expect("a text");
    value.parse().expect("a number")
}
