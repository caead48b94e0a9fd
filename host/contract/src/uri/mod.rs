//! Connection URIs: taken apart, shown and edited without ever showing a secret.

mod authority;

pub(crate) use authority::{authority_hosts, host_of_value};
