//! What a host and its providers agree on, as native types.
//!
//! The contract itself is written in WIT; this crate is its mirror on the native side, so that the
//! catalog can store a plan, the policy can judge an endpoint and the library can show a step
//! without knowing the sandbox. It does no input and output.
//!
//! # Layout
//!
//! * [`Kind`] and [`Operation`]: what a connection is and what it may be used for.
//! * [`UriPieces`]: a URI as a provider sees it, with numbers where secrets stand.
//! * [`Plan`]: what a connection becomes.
//! * [`Failure`] and [`Step`]: what went wrong, and what a probe tells.

mod kind;
pub use kind::{Kind, Operation, UnknownWord};

mod pieces;
pub use pieces::{FormatVerdict, OptionPair, SecretNumber, SecretReference, UriPieces, Value};

mod plan;
pub use plan::{
    AssumedRole, Endpoint, Fragment, MAX_PLAN_ENTRIES, NamedSecret, ObjectStorePlan, Plan,
    PlanEntry, TlsProfile, TlsVerification,
};

mod failure;
pub use failure::{Failure, FailureClass};

mod step;
pub use step::{Depth, Outcome, Step};
