//! Named external connections for servers: the host, sessions, statements, and `open`.
//!
//! An administrator names an external resource once; programs then say `external://name/sub` and
//! never see a credential. This crate is what a server embeds.
//!
//! # Layout
//!
//! * [`Host`] and [`HostBuilder`]: a catalog, a policy and a sandbox, ready for sessions.
//! * [`Session`]: what one principal runs and opens.
//! * [`Principal`] and [`RequestContext`]: who acts, and for which request.
//! * [`Outcome`]: what a statement gives: [`Notice`]s, and a tag or [`Rows`].
//! * [`Opened`], [`StorageConnection`], [`Kms`], [`Sink`] and [`Registry`]: what
//!   `external://name/sub` leads to; [`OpenHandle`] is one in the host's list.
//! * [`AddProvider`]: what an administrator says about a provider that is added.
//! * [`KeySlots`] and [`KeyRotation`]: what opens the store, and a newer key for it;
//!   [`MasterKeyService`] is a key management service that does;
//!   [`rescue_script`] is for a store that nothing opens any more.
//! * [`Error`] and [`SqlState`]: why it did not succeed, and what to do next.
//!
//! Inside, `statements` has one file per statement over `call` (a statement on its way), `access` (who
//! may do what) and `trail` (rows of the audit trail); `planning`, `probing`, `policy`, `policy_test`, `user_files` and
//! `providers` are the way from a URI to a row; `open` is the way from a row to a handle.
//!
//! # Features
//!
//! A feature for each built-in provider embeds its component, under the provider's name; all are on
//! by default. `default-features = false, features = ["s3"]` leaves out the others, whose schemes are
//! then unknown until an administrator adds such a provider ([`Session::add_provider`]).
//!
//! # Metrics
//!
//! Written with the `metrics` facade to the recorder of [`HostBuilder::metrics_recorder`], or to the
//! process's. `sqlstate` is `00000` for a success; no label holds anything of a URI.
//!
//! | name | kind | labels | counts |
//! |---|---|---|---|
//! | `portolan_statements_total` | counter | `statement`, `sqlstate` | statements and methods that ended |
//! | `portolan_statement_seconds` | histogram | `statement` | how long each took |
//! | `portolan_plans_total` | counter | `provider`, `sqlstate` | URIs that were planned |
//! | `portolan_plan_seconds` | histogram | `provider` | how long each took, loading the provider included |
//! | `portolan_probes_total` | counter | `provider`, `sqlstate` | probes that ended |
//! | `portolan_probe_seconds` | histogram | `provider` | how long each took |
//! | `portolan_opens_total` | counter | `operation`, `sqlstate` | connections that were asked for |
//! | `portolan_open_seconds` | histogram | `operation` | how long each took |
//! | `portolan_key_operations_total` | counter | `provider`, `operation` (`encrypt`, `decrypt`), `sqlstate` | what keys were asked for |
//! | `portolan_key_operation_seconds` | histogram | `provider`, `operation` | how long each took |
//! | `portolan_sink_operations_total` | counter | `provider`, `operation` (`emit`, `flush`, `close`), `sqlstate` | what sinks were asked for |
//! | `portolan_sink_operation_seconds` | histogram | `provider`, `operation` | how long each took |
//! | `portolan_sink_messages_total` | counter | `provider` | messages that were acknowledged |
//! | `portolan_sink_opened_total` | counter | `provider` | how often a sink was opened, the first time and after a failure |
//! | `portolan_registry_operations_total` | counter | `provider`, `operation` (`subjects`, `register`, `get`), `sqlstate` | what schema registries were asked for |
//! | `portolan_registry_operation_seconds` | histogram | `provider`, `operation` | how long each took |
//! | `portolan_open_handles` | gauge | | handles that are open now |
//! | `portolan_handle_refusals_total` | counter | `sqlstate` | operations of handles that were refused |
//! | `portolan_sandbox_operations_total` | counter | `provider`, `phase` (`planning`, `acting`), `outcome` (`ok`, `refused`, `answer`, `fault`) | operations that ended; one that its caller dropped is not counted |
//! | `portolan_sandbox_faults_total` | counter | `provider`, `kind` | providers that were stopped, by why |
//! | `portolan_sandbox_guest_seconds` | histogram | `provider`, `phase` | what a guest computed in one operation, its waits left out |
//! | `portolan_sandbox_loads_total` | counter | `from` (`memory`, `disk`, `compiler`) | components that were loaded; `disk` is a hit of the cache |
//! | `portolan_sandbox_load_seconds` | histogram | `from` | how long that took |
//! | `portolan_sandbox_cache_rejected_total` | counter | | files of the cache that were damaged or foreign |
//! | `portolan_sandbox_log_lines_dropped_total` | counter | `provider` | lines of providers over their budget |
//!
//! # Tracing
//!
//! Each statement, `open` and method runs in a span `portolan` with these fields and no others:
//! `action`, `principal`, `on_behalf_of`, `client_address`, `request_id`, `deadline`, `object`,
//! `provider`, `sqlstate`. What a provider does for it is a span `provider` with `provider`,
//! `version` and `phase`. None of them can hold a URI or a literal.

mod host;
pub use host::Host;

mod builder;
pub use builder::HostBuilder;

mod session;
pub use session::Session;

mod keys;
pub use keys::{KeyRotation, KeySlots};

mod master_key;
pub use master_key::{MasterKeyService, master_key_of, master_key_shown};

mod rescue;
pub use rescue::rescue_script;

mod principal;
pub use principal::{Principal, RequestContext};

mod outcome;
pub use outcome::{Body, Cell, Column, Notice, Outcome, Rows};

mod open;
pub use open::{
    Capabilities, Database, Delivered, Kms, OpenHandle, OpenOptions, Opened, Registry, Sink,
    StorageConnection,
};

mod providers;
pub use providers::AddProvider;

mod error;
pub use error::{Error, SqlState};

mod access;
mod call;
mod metrics;
mod planning;
mod policy;
mod policy_test;
mod probing;
mod statements;
mod trail;
mod user_files;

pub use portolan_catalog as catalog;
pub use portolan_contract::{Encrypted, Message, Operation, Schema, SchemaType};
pub use portolan_data::{DatabaseClient, DatabaseDriver, Fate, Unfinished, UnfinishedUpload};
pub use portolan_egress::{BrokerRule, ConnectTo, EgressOptions, Policy, Rule, tls::TrustRoots};
pub use portolan_envelope as envelope;
pub use portolan_files as files;
pub use portolan_sandbox::{Allocation, Inspection, Limits};
pub use portolan_secret::{SecretBytes, SecretText};
