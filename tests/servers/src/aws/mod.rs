//! Stand-ins for services of AWS, which verify signatures in full.
//!
//! * `sigv4`: signatures of version 4, recomputed.
//! * [`SigV4StandIn`]: any service, as far as its signatures go.
//! * [`AwsStandIn`]: KMS with two keys, and the token service with roles before it.
//! * [`aws_machine`]: what AWS gives to a machine.

mod account;
mod kms;
mod machine;
mod service;
mod sigv4;
mod tokens;

pub use account::AwsStandIn;
pub use machine::aws_machine;
pub use service::SigV4StandIn;
pub use sigv4::{SIGV4_REGION, sigv4_escaped, sigv4_is_skewed, sigv4_signature};
