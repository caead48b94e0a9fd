//! Providers in their sandbox: engine, limits, bindings, capabilities, loading.
//!
//! # Layout
//!
//! * [`Limits`]: what an operation may use up.
//! * [`Fault`]: why a provider was stopped, in one sentence.
//! * [`Allocation`]: how instances get their memory.

mod limits;
pub use limits::Limits;

mod fault;
pub use fault::{Fault, ProviderId};

mod engine;
pub use engine::Allocation;

mod budget;
mod planning;
mod ticker;
