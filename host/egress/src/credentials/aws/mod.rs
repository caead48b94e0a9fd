//! Keys of AWS: as a connection gives them, of the roles that it takes on, or lent by the host.
//!
//! # Layout
//!
//! * [`AwsKeys`]: a key, and [`AwsSource`]: where one comes from.
//! * [`CachedKeys`]: asks a source once for all who need its key, and again before the key ends.
//! * [`TokenService`]: STS; [`role_chain`] takes on one role after the other.
//! * [`LentKeys`]: what the host lends: its [`HostEnvironment`], a web identity, and the key of
//!   the machine.
//! * [`MachineKeys`]: what AWS gives to the machine itself, asked for behind the second guard.
//! * [`keys_of_plan`]: which of these a plan asks for.
//! * [`sign`]: version 4 signatures, over the body's SHA-256; [`presign`]: within a URL.
//! * [`AwsCredentialError`]: why there is no key, by type, with its class and hint.
//!
//! Signatures are made by AWS's own `aws-sigv4`. `reqsign-aws-v4` was tried: it brings a reader of
//! profiles and their file format along, and its exchanges answer in texts, where a refusal has to
//! be told by its type.

mod cached;
mod error;
mod keys;
mod lent;
mod machine;
mod planned;
mod roles;
mod sign;
mod token_service;

pub use cached::CachedKeys;
pub use error::{AwsCredentialError, TokenRefusal};
pub use keys::{AwsKeys, AwsSource};
pub use lent::{HostEnvironment, LentKeys};
pub use machine::MachineKeys;
pub use planned::{keys_of_plan, lent_keys_of_plan};
pub use roles::role_chain;
pub use sign::{presign, sign};
pub use token_service::TokenService;
