//! Named external connections for servers: the host, sessions, statements, and `open`.
//!
//! An administrator names an external resource once; programs then say `external://name/sub` and
//! never see a credential. This crate is what a server embeds.
//!
//! # Layout
//!
//! * [`Principal`] and [`RequestContext`]: who acts, and for which request.
//! * [`Outcome`]: what a statement gives: [`Notice`]s, and a tag or [`Rows`].
//! * [`Error`] and [`SqlState`]: why it did not succeed, and what to do next.

mod principal;
pub use principal::{Principal, RequestContext};

mod outcome;
pub use outcome::{Body, Cell, Column, Notice, Outcome, Rows};

mod error;
pub use error::{Error, SqlState};
