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
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_signature_covers_the_body() {
        let keys = AwsKeys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            token: Some("a token".into()),
            life: None,
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let signed = |body: &'static str| {
            let mut request = Request::post("https://iam.amazonaws.com/")
                .body(Bytes::from_static(body.as_bytes()))
                .expect("a request");
            sign(&mut request, &keys, "iam", "us-east-1", now).expect("signed");
            let header = |name| {
                let value = request.headers().get(name).expect(name);
                value.to_str().expect("text").to_owned()
            };
            (
                header("authorization"),
                header("x-amz-content-sha256"),
                header("x-amz-security-token"),
            )
        };
        let (one, hash, token) = signed("Action=ListUsers");
        let (other, _, _) = signed("Action=DeleteUser");
        assert!(
            one.starts_with(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"
            ),
            "{one}"
        );
        assert_ne!(one, other);
        assert_eq!(token, "a token");
        assert_eq!(
            hash,
            "35c90566de3331317629e720a0b94e716fef6e70eaf2b6a1869347ea22b53297".to_owned(),
        );
    }
}
