//! Version 4 signatures.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, SignableBody, SignableRequest, SignatureLocation, SigningInstructions,
    SigningSettings, sign as sign_it,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use portolan_secret::SecretText;

use super::{AwsCredentialError, AwsKeys};

/// Signs a request for a service in a region. The signature covers method, path, query, all headers
/// that the request has, the host, the time and the body's SHA-256.
///
/// Not for S3, whose paths are signed otherwise.
///
/// # Errors
///
/// [`AwsCredentialError::Unsignable`] where a part of the request cannot be signed.
pub fn sign(
    request: &mut Request<Bytes>,
    keys: &AwsKeys,
    service: &str,
    region: &str,
    now: SystemTime,
) -> Result<(), AwsCredentialError> {
    let unsignable = || AwsCredentialError::Unsignable;
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let mut headers = Vec::new();
    for (name, value) in request.headers() {
        let value = value.to_str().map_err(|_| unsignable())?;
        headers.push((name.as_str(), value));
    }
    let uri = request.uri().to_string();
    let signable = SignableRequest::new(
        request.method().as_str(),
        &uri,
        headers.into_iter(),
        SignableBody::Bytes(request.body()),
    )
    .map_err(|_| unsignable())?;
    let instructions = signed(signable, settings, keys, (service, region), now)?;
    instructions.apply_to_request_http1x(request);
    Ok(())
}

/// What a `GET` of this URL is signed with, as parameters that would stand in its query, for as long
/// as `lifetime`. The signature covers method, path, query, the host and the time.
///
/// # Errors
///
/// [`AwsCredentialError::Unsignable`] where the URL is none.
pub fn presign(
    url: &str,
    keys: &AwsKeys,
    service: &str,
    region: &str,
    lifetime: Duration,
    now: SystemTime,
) -> Result<Vec<(String, SecretText)>, AwsCredentialError> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(lifetime);
    let signable = SignableRequest::new("GET", url, std::iter::empty(), SignableBody::Bytes(b""))
        .map_err(|_| AwsCredentialError::Unsignable)?;
    let instructions = signed(signable, settings, keys, (service, region), now)?;
    let parameters = instructions.params().iter();
    let parameters = parameters.map(|(name, value)| (name.to_string(), SecretText::new(&**value)));
    Ok(parameters.collect())
}

fn signed(
    signable: SignableRequest<'_>,
    settings: SigningSettings,
    keys: &AwsKeys,
    (service, region): (&str, &str),
    now: SystemTime,
) -> Result<SigningInstructions, AwsCredentialError> {
    let unsignable = || AwsCredentialError::Unsignable;
    let credentials = Credentials::new(
        keys.id.clone(),
        keys.secret.expose(),
        keys.token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "portolan",
    );
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|_| unsignable())?
        .into();
    let (instructions, _) = sign_it(signable, &parameters)
        .map_err(|_| unsignable())?
        .into_parts();
    Ok(instructions)
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
