//! Connection URIs: taken apart, shown and edited without ever showing a secret.

mod authority;
mod edit;
mod error;
mod escape;
mod format;
mod go_base64;
mod print;
mod secrets;
mod split;
mod target;

pub(crate) use authority::{authority_hosts, hosts_of_value};
pub use edit::edit;
pub use error::UriError;
pub(crate) use escape::{broken_escape, decode, decode_query};
pub(crate) use go_base64::{decode as decode_base64, encode as encode_base64};
pub use print::print_redacted;
pub use secrets::{SecretPlace, SecretValue, Secrets};
pub use split::{
    MAX_URI_BYTES, MAX_URI_OPTIONS, SplitUri, scheme_of, split, with_lower_case_scheme,
};
pub use target::{TargetChange, changes_target};

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
