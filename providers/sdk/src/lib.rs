//! What a provider of external connections is written with.
//!
//! A provider is a WebAssembly component. In phase one it turns a URI, in pieces and without its
//! secrets, into a [`Plan`]; in phase two it tries the connection out with what the host lends it.
//! The code of a provider also compiles natively, so that its unit tests, its fuzzing and its
//! benchmarks need no sandbox.
//!
//! # Writing one
//!
//! ```
//! use portolan_sdk::{Failure, Kind, MarkerProbe, Plan, Provider, Stopped, StorageProbe, StorageProvider, UriPieces};
//!
//! #[derive(Debug)]
//! pub struct Shelf;
//!
//! impl Provider for Shelf {
//!     fn plan(uri: &UriPieces) -> Result<Plan, Failure> {
//!         if uri.authority.is_empty() {
//!             return Err(Failure::invalid_uri("a shelf URI must name the shelf")
//!                 .with_hint("Write shelf://NAME/PATH."));
//!         }
//!         Ok(Plan::new(Kind::Storage).object_store("nodelocal", &uri.authority, ""))
//!     }
//! }
//!
//! impl StorageProvider for Shelf {
//!     fn probe(probe: &mut StorageProbe<'_>) -> Result<(), Stopped> {
//!         MarkerProbe::default().run(probe)
//!     }
//! }
//!
//! portolan_sdk::export!(Shelf: storage);
//! # fn main() {}
//! ```
//!
//! # Layout
//!
//! * The words of the contract: [`UriPieces`], [`Value`], [`PlanEntry`], [`Failure`] and so on, as
//!   they are generated from the contract.
//! * [`Provider`]: phase one. One trait for each kind is phase two: [`StorageProvider`],
//!   [`KmsProvider`], [`SinkProvider`], [`RegistryProvider`], [`DatabaseProvider`],
//!   [`StreamingProvider`]. [`export!`](crate::export) makes a component of them.
//! * [`lent`]: the interfaces of the host, for phase two.
//! * [`Options`]: reading the options of a URI so that none is overlooked.
//! * [`Plan`]: building the answer of phase one, and reading it in phase two.
//! * [`redaction`] and [`print_redacted`]: what may be shown.
//! * [`HostAndPort`], [`is_dns_label`], [`object_prefix`]: what of a URI becomes a host or a path.
//! * [`Acknowledged`]: counting what a sink's requests were answered for.
//! * [`post_to_key`]: a request to a service of keys.
//! * [`Steps`]: telling a probe's steps, each begun and ended; [`Reach`] for every provider that
//!   speaks over a network, [`MarkerProbe`] for every kind of object store.
//! * The feature `allocator`, on by default, makes the allocator of a component one that takes
//!   little time and starts without growing the guest's memory.
//! * [`testing`]: pieces from a URI, markers in memory, a recorded network and steps, for native
//!   tests.

#[cfg(all(target_family = "wasm", feature = "allocator"))]
#[allow(unsafe_code, reason = "an allocator hands out raw memory")]
mod allocator;
#[cfg(any(test, all(target_family = "wasm", feature = "allocator")))]
#[allow(unsafe_code, reason = "an allocator hands out raw memory")]
mod arena;

pub mod bindings;
pub use bindings::host::portolan::host as lent;
pub use bindings::types::portolan::host::steps::{Depth, Outcome};
pub use bindings::types::portolan::types::types::{
    AssumedRole, Endpoint, Failure, FailureClass, FormatVerdict, Fragment, Kind, NamedSecret,
    ObjectStore, Operation, OptionPair, PlanEntry, Secret, SecretNumber, TlsProfile,
    TlsVerification, UriPieces, Value,
};

mod failure;

mod provider;
pub use provider::Provider;

mod storage;
pub use storage::{StorageProbe, StorageProvider};

mod kms;
pub use kms::{Encrypted, KmsProbe, KmsProvider};

mod key_request;
pub use key_request::{KeyAnswer, post_to_key};

mod sink;
pub use sink::{Message, OpenSink, SinkProbe, SinkProvider};

mod acknowledged;
pub use acknowledged::Acknowledged;

mod registry;
pub use registry::{Probe, RegistryProvider, Schema, SchemaType};

mod database;
pub use database::DatabaseProvider;

mod streaming;
pub use streaming::{Entry, OpenStore, StreamingProvider};

mod instance;
pub use instance::Instance;

mod export;

mod options;
pub use options::Options;

mod host;
pub use host::{HostAndPort, HostError, check_host, is_address, is_dns_label};

mod path;
pub use path::{PathError, decoded_path, object_prefix};

mod plan;
pub use plan::Plan;

mod print;
pub use print::print_redacted;

pub mod redaction;

mod secret;

mod steps;
pub use steps::{Attempt, Details, StepLog, Steps, Stopped};

mod reach;
pub use reach::{Dialled, HostNetwork, Network, Reach, TlsFacts};

mod marker;
pub use marker::{MARKER_CONTENT, MarkerProbe, ReadMarker, WriteMarker};

mod text;
pub use text::joined;

mod userinfo;
pub use userinfo::refuse_userinfo;

#[cfg(not(target_family = "wasm"))]
pub mod testing;
