//! The URL of a request. A provider writes no authority, and nothing of what it writes can become
//! one.

use std::fmt::Write as _;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use portolan_contract::{Authentication, Endpoint, QUERY_SECRETS, StoredPlan};

use super::{ServiceError, ServiceRequest};

/// What is left as it is in a segment: what RFC 3986 calls unreserved, and two signs that services
/// have in their paths.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

/// What is left as it is in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The URL of a request, the plan's secrets in its path and query put in.
pub(super) fn target(request: &ServiceRequest<'_>, plan: &StoredPlan) -> Result<Uri, ServiceError> {
    let mut text = origin(request.endpoint);
    match request.rule.path.is_secret() {
        true => text.push_str(secret_path(plan)?),
        false => push_path(&mut text, request.path)?,
    }
    let mut sign = '?';
    let mut push = |name: &str, value: &[u8]| {
        let name = utf8_percent_encode(name, QUERY);
        let value = percent_encoding::percent_encode(value, QUERY);
        // Writing to a text does not fail.
        let _ = write!(text, "{sign}{name}={value}");
        sign = '&';
    };
    for (name, value) in request.rule.query.iter() {
        push(name, value.as_bytes());
    }
    for (name, value) in request.query {
        push(name, value);
    }
    if request.rule.authenticates(Authentication::SecretQuery) {
        let wanted = request.rule.parameter.as_deref();
        for (name, value) in &plan.secrets {
            if let Some(name) = name.strip_prefix(QUERY_SECRETS)
                && (wanted == Some("*") || wanted == Some(name))
            {
                push(name, value.expose());
            }
        }
    }
    Uri::try_from(text).map_err(|_| ServiceError::Unwritable("its URL"))
}

/// Scheme, host and port.
fn origin(endpoint: &Endpoint) -> String {
    let (scheme, usual) = match endpoint.tls_profile {
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

fn push_path(text: &mut String, segments: &[String]) -> Result<(), ServiceError> {
    if segments.is_empty() {
        text.push('/');
    }
    for segment in segments {
        if matches!(segment.as_str(), "." | "..") {
            return Err(ServiceError::Unwritable("its path, which has . or .."));
        }
        text.push('/');
        text.extend(utf8_percent_encode(segment, SEGMENT));
    }
    Ok(())
}

/// The secret path of the URI, as it was given: it may lead nowhere but below the host.
fn secret_path(plan: &StoredPlan) -> Result<&str, ServiceError> {
    let wrong = ServiceError::Unwritable("the secret path of its URI");
    let Some(path) = plan.secret("path") else {
        return Err(ServiceError::Missing("path"));
    };
    let Ok(path) = std::str::from_utf8(path.expose()) else {
        return Err(wrong);
    };
    if path.is_empty() {
        return Ok("/");
    }
    let stays = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\');
    let climbs = |segment: &str| {
        let decoded: Vec<u8> = percent_decode(segment.as_bytes()).collect();
        matches!(decoded.as_slice(), b"." | b"..")
    };
    match path.starts_with('/') && path.bytes().all(stays) && !path.split('/').any(climbs) {
        true => Ok(path),
        false => Err(wrong),
    }
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
