//! Signatures, beside those that AWS publishes: its test suite for version 4 signatures, by the names
//! that the cases have there, and the examples of its documentation.

use super::*;

/// When the requests of the suite were signed: 30 August 2015, 12:36:00 UTC.
const SUITE: u64 = 1_440_938_160;

/// The token of the suite's case with one.
const TOKEN: &str = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";

/// The service and the region of the suite.
const PLACE: (&str, &str) = ("service", "us-east-1");

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn keys(id: &str, secret: &str, token: Option<&str>) -> AwsKeys {
    AwsKeys {
        id: id.to_owned(),
        secret: secret.into(),
        token: token.map(SecretText::from),
        life: None,
    }
}

/// The keys of the suite.
fn suite(token: Option<&str>) -> AwsKeys {
    keys(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        token,
    )
}

fn header(request: &Request<Bytes>, name: &str) -> String {
    let value = request.headers().get(name).expect(name);
    value.to_str().expect("text").to_owned()
}

/// Cases whose headers say no hash of the body.
#[test]
fn requests_are_signed_as_those_of_the_published_suite() {
    for (name, method, target, headers, token, signature) in [
        (
            "get-vanilla",
            "GET",
            "",
            &[][..],
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-vanilla-query-order-key-case",
            "GET",
            "?Param2=value2&Param1=value1",
            &[],
            None,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "get-vanilla-query-unreserved",
            "GET",
            "?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDE\
             FGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
            &[],
            None,
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            "get-slash-dot-slash-normalized",
            "GET",
            "./",
            &[],
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "get-header-value-trim",
            "GET",
            "",
            &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            None,
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            "get-vanilla-with-session-token",
            "GET",
            "",
            &[],
            Some(TOKEN),
            "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        ),
        (
            "post-header-key-sort",
            "POST",
            "",
            &[("My-Header1", "value1")],
            None,
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "post-vanilla",
            "POST",
            "",
            &[],
            None,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "post-vanilla-query",
            "POST",
            "?Param1=value1",
            &[],
            None,
            "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
        ),
    ] {
        let url = format!("https://example.amazonaws.com/{target}");
        let headers = headers.iter().copied();
        let body = SignableBody::Bytes(b"");
        let request = SignableRequest::new(method, &url, headers, body).expect(name);
        let settings = SigningSettings::default();
        let signed = signed(request, settings, &suite(token), PLACE, at(SUITE)).expect(name);
        let (headers, _) = signed.into_parts();
        let header = headers.iter().find(|one| one.name() == "authorization");
        let value = header.expect(name).value();
        assert!(value.ends_with(signature), "{name}: {value}");
    }
}

/// Cases whose headers say it, as those of every request to a key do.
#[test]
fn requests_with_a_body_are_signed_as_those_of_the_published_suite() {
    for (name, content_type, signature) in [
        (
            "post-x-www-form-urlencoded",
            "application/x-www-form-urlencoded",
            "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        ),
        (
            "post-x-www-form-urlencoded-parameters",
            "application/x-www-form-urlencoded; charset=utf-8",
            "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
        ),
    ] {
        let mut request = Request::post("https://example.amazonaws.com/")
            .header("content-type", content_type)
            .header("content-length", "13")
            .body(Bytes::from_static(b"Param1=value1"))
            .expect(name);
        let (service, region) = PLACE;
        sign(&mut request, &suite(None), service, region, at(SUITE)).expect(name);
        assert_eq!(
            header(&request, "authorization"),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, \
                 Signature={signature}"
            ),
            "{name}"
        );
        assert_eq!(header(&request, "x-amz-date"), "20150830T123600Z");
        assert_eq!(
            header(&request, "x-amz-content-sha256"),
            "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
        );
    }
}

#[test]
fn parameters_are_signed_as_those_of_the_published_suite() {
    for (name, query, token, signature) in [
        (
            "get-vanilla",
            "",
            None,
            "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d",
        ),
        (
            "get-vanilla-query-order-key-case",
            "?Param2=value2&Param1=value1",
            None,
            "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
        ),
        (
            "get-vanilla-with-session-token",
            "",
            Some(TOKEN),
            "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c",
        ),
    ] {
        let url = format!("https://example.amazonaws.com/{query}");
        let (service, region) = PLACE;
        let lifetime = Duration::from_secs(3600);
        let signed = presign(&url, &suite(token), service, region, lifetime, at(SUITE));
        let signed = signed.expect(name);
        let shown = signed.iter().map(|(name, value)| (&**name, value.expose()));
        let mut expected = vec![
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            (
                "X-Amz-Credential",
                "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request",
            ),
            ("X-Amz-Date", "20150830T123600Z"),
            ("X-Amz-Expires", "3600"),
            ("X-Amz-SignedHeaders", "host"),
            ("X-Amz-Signature", signature),
        ];
        expected.extend(token.map(|token| ("X-Amz-Security-Token", token)));
        let mut shown: Vec<_> = shown.collect();
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected, "{name}");
    }
}

/// The examples of AWS's documentation of signatures in a header, whose paths need no escapes and
/// whose signatures cover the hash of the body.
#[test]
fn requests_are_signed_as_those_of_the_published_examples() {
    let keys = keys(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
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
        let value = header(&request, "authorization");
        assert!(value.ends_with(signature), "{target}: {value}");
    }
}

#[test]
fn the_signature_covers_the_body() {
    let keys = suite(Some("a token"));
    let signed = |body: &'static str| {
        let mut request = Request::post("https://iam.amazonaws.com/")
            .body(Bytes::from_static(body.as_bytes()))
            .expect("a request");
        sign(&mut request, &keys, "iam", "us-east-1", at(SUITE)).expect("signed");
        (
            header(&request, "authorization"),
            header(&request, "x-amz-content-sha256"),
            header(&request, "x-amz-security-token"),
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
        "35c90566de3331317629e720a0b94e716fef6e70eaf2b6a1869347ea22b53297"
    );
}
