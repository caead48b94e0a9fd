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

    /// When the requests of a published suite were signed.
    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn keys(id: &str, secret: &str) -> AwsKeys {
        AwsKeys {
            id: id.to_owned(),
            secret: secret.into(),
            token: None,
            life: None,
        }
    }

    /// Requests of AWS's test suite for version 4 signatures, whose headers do not say the hash of the
    /// body.
    #[test]
    fn requests_are_signed_as_those_of_the_published_suite() {
        let keys = keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        for (name, method, query, headers, body, signature) in [
            (
                "get-vanilla",
                "GET",
                "",
                &[][..],
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                "?Param2=value2&Param1=value1",
                &[],
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "post-vanilla",
                "POST",
                "",
                &[],
                "",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-vanilla-query",
                "POST",
                "?Param1=value1",
                &[],
                "",
                "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
            ),
            (
                "post-x-www-form-urlencoded",
                "POST",
                "",
                &[("content-type", "application/x-www-form-urlencoded")],
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let url = format!("https://example.amazonaws.com/{query}");
            let body = SignableBody::Bytes(body.as_bytes());
            let headers = headers.iter().copied();
            let request = SignableRequest::new(method, &url, headers, body).expect(name);
            let settings = SigningSettings::default();
            let place = ("service", "us-east-1");
            let signed = signed(request, settings, &keys, place, at(1_440_938_160)).expect(name);
            let (headers, _) = signed.into_parts();
            let header = headers.iter().find(|one| one.name() == "authorization");
            let value = header.expect(name).value();
            assert!(value.ends_with(signature), "{name}: {value}");
        }
    }

    /// The examples of AWS's documentation of signatures in a header, whose paths need no escapes and
    /// whose signatures cover the hash of the body.
    #[test]
    fn requests_are_signed_as_those_of_the_published_examples() {
        let keys = keys(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        );
        for (target, range, signature) in [
            (
                "/test.txt",
                Some("bytes=0-9"),
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "/?lifecycle",
                None,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "/?max-keys=2&prefix=J",
                None,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let url = format!("https://examplebucket.s3.amazonaws.com{target}");
            let mut request = Request::get(url);
            if let Some(range) = range {
                request = request.header("range", range);
            }
            let mut request = request.body(Bytes::new()).expect("a request");
            sign(&mut request, &keys, "s3", "us-east-1", at(1_369_353_600)).expect("signed");
            let value = request.headers().get("authorization").expect("signed");
            let value = value.to_str().expect("text");
            assert!(value.ends_with(signature), "{target}: {value}");
        }
    }

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
