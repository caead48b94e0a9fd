//! Stores behind a network: what the backends of the cloud providers share.
//!
//! `object_store` knows the protocols; the connections are ours. Each backend gives it a
//! [`Connector`] over the connection's [`EndpointClient`](portolan_egress::http::EndpointClient),
//! which reaches the endpoints of the plan and nothing else, and wraps the store that comes of it
//! in a [`CloudStore`], which turns every error into one of our own types.
//!
//! * [`Dialect`]: how one service says things: which answers mean what, which requests may be
//!   repeated, which bodies are streamed. A backend writes one, with its [`Words`].
//! * `service`: sends requests, repeats them within [`Retries`], reads refusals. `resume`: goes on
//!   with a download that broke off.
//! * `authorize`: what a request carries that `object_store` does not write.
//! * `upload`: an upload in parts, given up where it is dropped. `xml`: what two of the services have
//!   in common; `uploads`: how they tell of unfinished uploads.
//! * [`Answer`]: an answer that is no success, read once from a bounded body.
//! * [`Refusal`] and [`Cause`]: what that answer means, with its class, message and hint.
//! * [`Lent`]: what the host lends its connections.
//! * [`CloudError`]: the source of every error of a cloud store.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use portolan_contract::{Endpoint, Plan, StoredPlan};
use portolan_egress::Egress;

mod answer;
mod authorize;
mod azure;
mod body;
mod dialect;
mod error;
mod gs;
mod http;
mod refusal;
mod resume;
mod retry;
mod s3;
mod service;
mod store;
mod upload;
mod uploads;
mod xml;

pub(crate) use answer::Answer;
pub(crate) use azure::{build as build_azure, build_uploads as azure_uploads};
pub(crate) use dialect::{Dialect, Reading, Words};
pub use error::CloudError;
use error::own;
pub(crate) use gs::{build as build_gs, build_uploads as gs_uploads};
pub(crate) use http::build as build_http;
pub use portolan_egress::credentials::Lent;
pub use refusal::{Cause, Refusal};
pub(crate) use retry::Retries;
pub(crate) use s3::{build as build_s3, build_uploads as s3_uploads};
pub(crate) use service::Connector;
pub(crate) use store::{CloudStore, Open};

/// Retries of `object_store`, all switched off: the [`Connector`] repeats requests itself, so that
/// every failure is typed by us and one bound holds for all attempts.
pub(crate) fn no_retries() -> object_store::RetryConfig {
    object_store::RetryConfig {
        max_retries: 0,
        ..object_store::RetryConfig::default()
    }
}

/// What to do where the policy denies the endpoint of this number in a plan, or its name leads
/// nowhere: `hint` is what the guard says, and what the plan's backend knows better stands first.
#[must_use]
pub fn hint_for_endpoint(plan: &Plan, number: usize, hint: String) -> String {
    let backend = plan.object_store().map(|store| store.backend.as_str());
    // The first endpoint is the store itself.
    match (backend, number) {
        (Some("s3"), 0) if s3::has_bucket_in_custom_host(plan) => s3::path_style_first(&hint),
        _ => hint,
    }
}

/// What the operator's switches forbid. A plan is asked when it is made; the switches may have
/// changed since.
pub(crate) fn check_switches(
    backend: &'static str,
    egress: &Egress,
    plan: &StoredPlan,
) -> Result<(), CloudError> {
    let options = egress.options();
    let is = |name, value| plan.plan.setting(name) == Some(value);
    if options.disable_http && is("custom-endpoint", "true") {
        return Err(CloudError::Disallowed {
            what: "custom endpoints",
            backend,
            flag: "http",
        });
    }
    if options.disable_implicit_credentials && is("credentials", "implicit") {
        return Err(CloudError::Disallowed {
            what: "implicit credentials",
            backend,
            flag: "implicit-credentials",
        });
    }
    Ok(())
}

/// What is left as it is in a segment of a URL's path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as a segment of a URL's path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The URL of an endpoint, without a path.
pub(crate) fn url_of(endpoint: &Endpoint) -> String {
    let (scheme, usual) = match &endpoint.tls_profile {
        Some(_) => ("https", 443),
        None => ("http", 80),
    };
    let host = match endpoint.host.contains(':') {
        true => format!("[{}]", endpoint.host),
        false => endpoint.host.clone(),
    };
    match endpoint.port == usual {
        true => format!("{scheme}://{host}"),
        false => format!("{scheme}://{host}:{}", endpoint.port),
    }
}

/// A named secret of the plan that is text.
pub(crate) fn secret_text(
    plan: &StoredPlan,
    name: &'static str,
) -> Result<Option<String>, CloudError> {
    let Some(secret) = plan.secret(name) else {
        return Ok(None);
    };
    match std::str::from_utf8(secret.expose()) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(CloudError::Setting { setting: name }),
    }
}
