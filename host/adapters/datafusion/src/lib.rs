//! DataFusion tables in external connections: `external://NAME/PATH` wherever DataFusion takes a
//! location, with the privileges of one Portolan session.
//!
//! * A connection is opened when a query first reads or writes it, as the session's user: without
//!   USAGE the query fails with Portolan's own words, which [`refusal`] finds in DataFusion's error.
//! * The queries that run at the same time share one handle of a connection, and it follows: after
//!   ALTER, what they do next goes to the new version; after DROP, REVOKE or a stricter policy it is
//!   refused. A query that comes later looks the name up anew.
//! * Nothing else is reachable unless the program says so: no local files, and no other scheme
//!   without a store that it registered or [`Connections::beside`].
//!
//! ```no_run
//! use datafusion::execution::runtime_env::RuntimeEnvBuilder;
//! use datafusion::prelude::{SessionConfig, SessionContext};
//! use portolan::{Host, Principal};
//! use portolan_datafusion::{Connections, refusal};
//!
//! # async fn example(host: Host) -> datafusion::error::Result<()> {
//! let connections = Connections::new(host.session(Principal::new("carl")));
//! let runtime = connections.runtime().build_arc()?;
//! let context = SessionContext::new_with_config_rt(SessionConfig::new(), runtime);
//! let sql = "CREATE EXTERNAL TABLE sales STORED AS PARQUET LOCATION 'external://lake/sales/'";
//! match context.sql(sql).await {
//!     Ok(_) => context.sql("SELECT sum(amount) FROM sales").await?.show().await?,
//!     Err(error) => match refusal(&error) {
//!         Some(refused) => eprintln!("{}: {refused}", refused.sqlstate()),
//!         None => return Err(error),
//!     },
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Users who write their own SQL
//!
//! DataFusion keeps what it saw of files in caches whose keys are paths without their store, and asks
//! no store again for what it finds there: two connections would be mixed up, and a query be answered
//! after REVOKE. [`Connections::runtime`] makes a runtime without them. `SET datafusion.runtime.…`
//! would bring them back, so forbid it to such users:
//! `context.sql_with_options(sql, SQLOptions::new().with_allow_statements(false))`.
//!
//! # delta-rs
//!
//! delta-rs 1.1 takes stores of the same version of `object_store`, so what [`Connections`] gives
//! serves it too. The store stands at the root of the connection; delta-rs finds the table below it
//! by the path of the URL. It knows the scheme once a `LogStoreFactory` is registered for it, whose
//! `with_options` is a call of `deltalake::logstore::default_logstore` with the same arguments (no
//! test here builds delta-rs):
//!
//! ```text
//! logstore_factories().insert(Url::parse("external://")?, Arc::new(ExternalLogs));
//! let url = Url::parse("external://lake/tables/sales")?;
//! let store = connections.get_store(&url)?;
//! let table = DeltaTableBuilder::from_url(url.clone())?
//!     .with_storage_backend(store, url)
//!     .load()
//!     .await?;
//! ```
//!
//! A table keeps its store, and with it one handle, for as long as it lives. Two writers of one
//! table rely on [`create_if_absent`](portolan::Capabilities::create_if_absent).
//!
//! # Layout
//!
//! * [`Connections`]: the registry of one session.
//! * [`refusal`]: why Portolan refused, found in an error of DataFusion.
//! * `lazy`: the store of one connection, opened when it is first used.
//! * `registered`: the stores that a program registers itself, for other schemes.

mod lazy;
mod refused;
mod registered;
mod registry;

pub use refused::refusal;
pub use registry::Connections;
