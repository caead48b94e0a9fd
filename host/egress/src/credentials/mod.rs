//! Credentials that the host gets for a connection, and requests that it signs with them.
//!
//! # Layout
//!
//! * [`aws`]: keys of AWS: as given, of a chain of roles, or lent by the host.

pub mod aws;
