//! Providers in their sandbox: loaded, limited, asked for plans and probes, and never believed.
//!
//! A provider is a WebAssembly component. [`Sandbox::load`] checks it and makes a [`Provider`] of
//! it; [`Provider::plan`] is phase one, in an instance from which no byte can leave. Phase two is
//! [`Provider::probe`], and the calls of a connection that is in use ([`Provider::encrypt`]), with
//! what was granted: the marker of a probe, and a way out to the endpoints of the plan, with its
//! named secrets as opaque parts. Each runs in a fresh instance on a budget ([`Limits`]), but for the
//! calls of an open sink and of a key, which follow each other in one; what goes wrong is told in one
//! sentence ([`ProviderError`]).
//!
//! # Layout
//!
//! * [`Sandbox`], [`SandboxOptions`], [`Allocation`]: the engine and what it has loaded.
//! * [`MetricsRecorder`]: where what is counted goes.
//! * [`Component`], [`manifest_of`], [`Inspection`], [`LoadError`]: a component before it runs.
//! * [`Provider`], [`Planned`], [`ProbeRequest`], [`Probed`]: a provider at work.
//! * [`Grants`]: what acting calls are lent; `kms` has the calls of keys, `registry` those
//!   of schema registries; [`OpenSink`] is a sink that is open over many calls.
//! * [`ProviderError`], [`Fault`], [`AnswerProblem`]: why it was refused or stopped.
//! * [`Limits`]: what an operation may use up.
//!
//! # Metrics
//!
//! What it records, with the `metrics` facade, stands in the one table of the crate `portolan`, beside
//! all else that a host counts. A host without a recorder pays next to nothing.
//!
//! # Tracing
//!
//! Each operation is a span `provider` with the fields `provider`, `version` and `phase` and no
//! others; a stopped provider is an event with the field `fault`. A provider's own lines are events
//! of the target `portolan::provider`, scrubbed and stripped of controls.

mod limits;
pub use limits::Limits;

mod sandbox;
pub use sandbox::{Sandbox, SandboxOptions};

mod component;
pub use component::{Component, manifest_of};

mod inspection;
pub use inspection::Inspection;

mod provider;
pub use provider::Provider;

mod planning;
pub use planning::Planned;

mod acting;
pub use acting::Grants;

mod kms;
mod resting;

mod registry;

mod sink;
pub use sink::OpenSink;

mod probing;
pub use probing::{ProbeRequest, Probed};

mod error;
pub use error::{LoadError, ProviderError};

mod binding;
pub use binding::BindError;

mod fault;
pub use fault::{Fault, ProviderId};

mod answer;
pub use answer::AnswerProblem;

mod engine;
pub use engine::Allocation;

mod bindings;
mod budget;
mod cache;
mod capabilities;
mod convert;
mod guest;
mod metrics;
pub use metrics::MetricsRecorder;
mod operation;
mod own_words;
mod redaction;
mod refusal;
mod ticker;
mod words;
