//! What a plan becomes: confined object stores, and databases.
//!
//! Bytes go between a program and its storage here, natively; the sandbox sees none of them.
//!
//! # Layout
//!
//! * [`Backends`]: builds the store of a plan.
//! * [`Confined`]: an object store below a prefix, behind a [`Gate`] that is asked before each
//!   operation and answers with a [`GateError`] once the handle may not be used any more.
//! * [`NodelocalStore`]: objects as files below one directory of this host, with
//!   [`NodelocalError`] for what can be in the way there.
//! * [`UserfileStore`]: objects as the files that users keep in a store of this host.
//! * `cloud`: stores behind a network, with [`CloudError`] for what can be in the way there; a
//!   service's own no is a [`Refusal`], and its [`Cause`].
//!   [`Lent`] is what a host lends its connections.
//! * [`FileSink`]: a store as a sink: messages in files, laid out as [`FileLayout`] says.
//! * [`UnfinishedUploads`]: what stores say of uploads that nobody finished; [`ConfinedUploads`]: those
//!   of one connection.
//! * [`Database`]: a database of PostgreSQL, over connections of the guard.
//! * [`MarkerStore`]: what the probe of a storage connection may touch.
//! * [`DataError`], [`failure_of`] and [`user_files_error`]: every cause with its class, SQLSTATE
//!   and hint.

mod backends;
pub use backends::Backends;

mod blocking;

mod cloud;
pub use cloud::{Cause, CloudError, Lent, Refusal, hint_for_endpoint};

mod confined;
pub use confined::Confined;

mod database;
pub use database::{Database, DatabaseClient, DatabaseDriver, DatabaseError};

mod error;
pub use error::DataError;

mod failure;
pub use failure::{failure_of, user_files_error};

mod file_sink;
pub use file_sink::{FileLayout, FileSink, FileSinkError, Partition};

mod gate;
pub use gate::{Gate, GateError, OpenGate};

mod marker;
pub use marker::{MARKER_MAX_BYTES, MARKER_MAX_LISTED, MARKER_NAME, MarkerStore};

mod nodelocal;
pub use nodelocal::{NameFault, NodelocalError, NodelocalStore};

mod unfinished;
pub use unfinished::{ConfinedUploads, Fate, Unfinished, UnfinishedUpload, UnfinishedUploads};

mod userfile;
pub use userfile::UserfileStore;
