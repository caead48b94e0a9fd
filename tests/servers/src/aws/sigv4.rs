//! Signatures of version 4, recomputed by AWS's documents.

use std::collections::BTreeMap;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::clock::Clock;

/// The region of a service whose name has none.
pub const SIGV4_REGION: &str = "eu-central-1";

/// The most that the clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How the time of a request is written.
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// Who may sign requests, and the clock by which they are judged.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    keys: BTreeMap<String, Signer>,
    pub(super) clock: Clock,
}

/// What belongs to the public half of an access key.
#[derive(Debug)]
pub(super) struct Signer {
    pub(super) secret: String,
    /// The token that has to be signed along, where there is one.
    pub(super) token: Option<String>,
    /// Who the key stands for.
    pub(super) principal: String,
    pub(super) has_ended: bool,
}

/// What is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Missing,
    Incomplete,
    UnknownKey,
    Ended,
    /// With what the service says of the two times.
    Skewed(String),
    /// With the canonical request, which the service quotes.
    Wrong(String),
}

impl Fault {
    /// The code of services that speak JSON.
    pub(super) fn json_code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationTokenException",
            Self::Incomplete => "IncompleteSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Ended => "ExpiredTokenException",
            Self::Skewed(_) | Self::Wrong(_) => "InvalidSignatureException",
        }
    }

    /// The code of services that speak XML.
    pub(super) fn xml_code(&self) -> &'static str {
        match self {
            Self::Missing => "MissingAuthenticationToken",
            Self::Incomplete => "IncompleteSignature",
            Self::UnknownKey => "InvalidClientTokenId",
            Self::Ended => "ExpiredToken",
            Self::Skewed(_) | Self::Wrong(_) => "SignatureDoesNotMatch",
        }
    }

    /// What the service says besides.
    pub(super) fn message(&self) -> &str {
        match self {
            Self::Skewed(message) | Self::Wrong(message) => message,
            _ => "refused by the stand-in",
        }
    }
}

impl Signatures {
    pub(super) fn add(&mut self, id: &str, signer: Signer) {
        self.keys.insert(id.to_owned(), signer);
    }

    pub(super) fn signers(&mut self) -> impl Iterator<Item = &mut Signer> {
        self.keys.values_mut()
    }

    /// Recomputes the signature of a request to a service, over method, path, query, signed headers
    /// and the SHA-256 of the body that came, and tells who signed it.
    pub(super) fn signer(
        &self,
        service: &str,
        request: &Request<Bytes>,
        body: &[u8],
    ) -> Result<&Signer, Fault> {
        let header = |name: &str| header(request, name);
        let authorization = header(AUTHORIZATION.as_str()).ok_or(Fault::Missing)?;
        let fields = authorization
            .strip_prefix("AWS4-HMAC-SHA256 ")
            .ok_or(Fault::Incomplete)?;
        let field = |name: &str| {
            let mut fields = fields.split(", ");
            fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let (Some(credential), Some(signed), Some(signature)) = (
            field("Credential"),
            field("SignedHeaders"),
            field("Signature"),
        ) else {
            return Err(Fault::Incomplete);
        };
        let time = header("x-amz-date").ok_or(Fault::Incomplete)?;
        let date = time.get(..8).ok_or(Fault::Incomplete)?;
        let region = region(request);
        let (id, scope) = credential.split_once('/').ok_or(Fault::Incomplete)?;
        if scope != format!("{date}/{region}/{service}/aws4_request") {
            return Err(Fault::Wrong("the scope of the credential".to_owned()));
        }
        let signer = self.keys.get(id).ok_or(Fault::UnknownKey)?;
        self.check_time(time)?;
        let names: Vec<_> = signed.split(';').collect();
        // Whatever is not signed, whoever stands on the way could change.
        let unsigned = request.headers().keys().find(|name| {
            let name = name.as_str();
            !names.contains(&name)
                && !matches!(name, "authorization" | "content-length" | "accept-encoding")
        });
        if let Some(unsigned) = unsigned {
            return Err(Fault::Wrong(format!("{unsigned} is not signed")));
        }
        if header("x-amz-security-token") != signer.token.as_deref() {
            return Err(Fault::UnknownKey);
        }
        let hash = hex::encode(Sha256::digest(body));
        if header("x-amz-content-sha256") != Some(&hash) {
            return Err(Fault::Wrong("the hash of the body".to_owned()));
        }
        let mut headers = String::new();
        for name in &names {
            let value = header(name).ok_or(Fault::Incomplete)?;
            let words: Vec<_> = value.split_whitespace().collect();
            headers.push_str(&format!("{name}:{}\n", words.join(" ")));
        }
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{signed}\n{hash}",
            request.method(),
            path(request.uri().path()),
            query(request.uri().query().unwrap_or_default()),
        );
        let ours = sigv4_signature(&signer.secret, region, service, time, &canonical);
        if ours != signature || header(HOST.as_str()).is_none() {
            return Err(Fault::Wrong(format!(
                "The request signature we calculated does not match the signature you provided. \
                 The Canonical String for this request should have been\n'{canonical}'"
            )));
        }
        match signer.has_ended {
            true => Err(Fault::Ended),
            false => Ok(signer),
        }
    }

    fn check_time(&self, time: &str) -> Result<(), Fault> {
        let theirs = parsed(time).ok_or(Fault::Incomplete)?;
        let now = self.clock.now();
        let bound = |bound: Timestamp| bound.strftime(TIME).to_string();
        let (earliest, latest) = (now - SKEW, now + SKEW);
        let message = if theirs < earliest {
            let earliest = bound(earliest);
            format!("Signature expired: {time} is now earlier than {earliest}")
        } else if theirs > latest {
            let latest = bound(latest);
            format!("Signature not yet current: {time} is still later than {latest}")
        } else {
            return Ok(());
        };
        Err(Fault::Skewed(message))
    }
}

/// A header that is text.
pub(super) fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    let value = request.headers().get(name)?;
    value.to_str().ok()
}

/// The region of a service of Amazon, by the name that it was called.
pub(super) fn region(request: &Request<Bytes>) -> &str {
    let host = header(request, HOST.as_str()).unwrap_or_default();
    let region = host.strip_suffix(".amazonaws.com");
    let region = region.and_then(|rest| rest.split_once('.'));
    region.map_or(SIGV4_REGION, |(_, region)| region)
}

fn parsed(time: &str) -> Option<Timestamp> {
    let parsed = jiff::civil::DateTime::strptime(TIME, time).ok()?;
    let zoned = parsed.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// The signature in hex over a request in its canonical form, with the key of the day in `time`.
#[must_use]
pub fn sigv4_signature(
    secret: &str,
    region: &str,
    service: &str,
    time: &str,
    canonical: &str,
) -> String {
    let date = time.get(..8).unwrap_or(time);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, service, "aws4_request"] {
        key = mac(&key, part);
    }
    hex::encode(mac(&key, &to_sign))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Each segment as it came, escaped once more.
fn path(path: &str) -> String {
    let segments: Vec<_> = path.split('/').map(sigv4_escaped).collect();
    segments.join("/")
}

fn query(query: &str) -> String {
    let mut pairs = BTreeMap::<_, Vec<_>>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let value = sigv4_escaped(&decoded(value));
        pairs
            .entry(sigv4_escaped(&decoded(name)))
            .or_default()
            .push(value);
    }
    let mut written = Vec::new();
    for (name, mut values) in pairs {
        values.sort();
        written.extend(values.into_iter().map(|value| format!("{name}={value}")));
    }
    written.join("&")
}

/// A text as AWS escapes it in a canonical request.
#[must_use]
pub fn sigv4_escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Whether a time, as `x-amz-date` writes it, is further from now than AWS allows.
#[must_use]
pub fn sigv4_is_skewed(time: &str) -> bool {
    Signatures::default().check_time(time).is_err()
}
