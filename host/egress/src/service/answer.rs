//! An answer, read within bounds.

use std::fmt;
use std::io::{self, Write};
use std::time::SystemTime;

use flate2::write::GzDecoder;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Response};
use http_body::Body;
use http_body_util::BodyExt;
use portolan_contract::{JsonPointer, PartEncoding};
use portolan_secret::SecretBytes;

use super::collected::Collected;
use super::{MOST_ANSWERED, ServiceError, opaque};
use crate::EgressError;
use crate::http::{ResponseBody, seconds_ahead};

/// The most bytes of the headers that a provider is given, names and values together.
const MOST_HEADER_BYTES: usize = 32 << 10;

/// What the host says of the clocks, among the headers of an answer: how many seconds its own is
/// ahead of the service's, where that is far enough for a signature or a token to be refused.
const CLOCK_AHEAD: &str = "portolan-clock-ahead";

/// Headers that the host alone may read or say: cookies, what authentication says, and its own.
const HOSTS_OWN: [&str; 9] = [
    CLOCK_AHEAD,
    "set-cookie",
    "set-cookie2",
    "www-authenticate",
    "authentication-info",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-connection",
    "authorization",
];

/// An answer, as far as a provider may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAnswer {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values of printable ASCII. Where the clocks are far apart,
    /// `portolan-clock-ahead` says by how many seconds this host's is ahead.
    pub headers: Vec<(String, String)>,
    /// The body: one run of bytes, or such and opaque members by turns.
    pub body: Vec<AnswerPart>,
    /// Secrets that authenticated the request and that no plan has: tokens that the host fetched or
    /// lends. A service may send them back, in what a provider sees.
    pub fetched: Vec<SecretBytes>,
}

/// A run of bytes of an answer.
#[derive(Clone, PartialEq, Eq)]
pub enum AnswerPart {
    /// Bytes that the provider sees.
    Shown(Vec<u8>),
    /// Bytes that it does not see.
    Secret(SecretBytes),
}

impl fmt::Debug for AnswerPart {
    /// A service may send back what was sent to it, so nothing of it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(bytes) => write!(f, "Shown({} bytes)", bytes.len()),
            Self::Secret(secret) => f.debug_tuple("Secret").field(secret).finish(),
        }
    }
}

/// Reads a whole answer, and takes the members out of it that stay opaque.
pub(super) async fn read(
    answer: Response<ResponseBody>,
    host: &str,
    opaque: &[(&JsonPointer, PartEncoding)],
    most: usize,
) -> Result<ServiceAnswer, ServiceError> {
    let (head, body) = answer.into_parts();
    let ahead = seconds_ahead(&head.headers, SystemTime::now());
    let headers = headers(&head.headers, ahead, host)?;
    let body = collect(body, &head.headers, host, most.min(MOST_ANSWERED)).await?;
    let body = match opaque {
        [] => vec![AnswerPart::Shown(body.expose().to_vec())],
        members => match opaque::cut(&body, members, host) {
            // What refuses a request, or stands in the way of it, need not speak JSON. The status
            // tells enough, and the rest may be anything.
            Err(ServiceError::NotJson { .. }) if !head.status.is_success() => {
                vec![AnswerPart::Shown(Vec::new())]
            }
            cut => cut?,
        },
    };
    Ok(ServiceAnswer {
        status: head.status.as_u16(),
        headers,
        body,
        fetched: Vec::new(),
    })
}

fn headers(
    all: &HeaderMap,
    ahead: Option<i64>,
    host: &str,
) -> Result<Vec<(String, String)>, ServiceError> {
    let mut headers = Vec::with_capacity(all.len());
    if let Some(ahead) = ahead {
        headers.push((CLOCK_AHEAD.to_owned(), ahead.to_string()));
    }
    let mut bytes = 0;
    for (name, value) in all {
        if HOSTS_OWN.contains(&name.as_str()) {
            continue;
        }
        let value = value.as_bytes();
        if !value.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            continue;
        }
        bytes += name.as_str().len() + value.len();
        if bytes > MOST_HEADER_BYTES {
            return Err(ServiceError::Headers {
                host: host.to_owned(),
                most: MOST_HEADER_BYTES,
            });
        }
        let value = String::from_utf8_lossy(value).into_owned();
        headers.push((name.as_str().to_owned(), value));
    }
    Ok(headers)
}

/// The whole body, unpacked.
async fn collect(
    mut body: ResponseBody,
    headers: &HeaderMap,
    host: &str,
    most: usize,
) -> Result<SecretBytes, ServiceError> {
    let packed = || ServiceError::Packed {
        host: host.to_owned(),
    };
    let expected = body.size_hint().exact();
    let mut into = match encoding(headers) {
        Encoding::Plain => Unpacked::Plain(Collected::new(most, expected)),
        Encoding::Gzip => {
            Unpacked::Gzip(Box::new(GzDecoder::new(Collected::new(most, None))), false)
        }
        Encoding::Other => return Err(packed()),
    };
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if into.write_all(&data).is_err() {
            return Err(match into.is_full() {
                true => EgressError::TooLarge {
                    host: host.to_owned(),
                    most: most as u64,
                }
                .into(),
                false => packed(),
            });
        }
    }
    let collected = into.finish().map_err(|_| packed())?;
    Ok(collected.into_bytes())
}

enum Encoding {
    Plain,
    Gzip,
    Other,
}

fn encoding(headers: &HeaderMap) -> Encoding {
    let mut all = headers.get_all(CONTENT_ENCODING).iter();
    match (all.next(), all.next()) {
        (None, _) => Encoding::Plain,
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"identity") => Encoding::Plain,
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"gzip") => Encoding::Gzip,
        _ => Encoding::Other,
    }
}

/// What takes a body as it comes.
enum Unpacked {
    Plain(Collected),
    /// And whether anything has come.
    Gzip(Box<GzDecoder<Collected>>, bool),
}

impl Unpacked {
    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(collected) => collected.write_all(data),
            Self::Gzip(decoder, came) => {
                *came |= !data.is_empty();
                decoder.write_all(data)
            }
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Self::Plain(collected) => collected.is_full(),
            Self::Gzip(decoder, _) => decoder.get_ref().is_full(),
        }
    }

    fn finish(self) -> io::Result<Collected> {
        match self {
            Self::Plain(collected) => Ok(collected),
            // An answer without a body may say how it would have been packed.
            Self::Gzip(_, false) => Ok(Collected::new(0, None)),
            Self::Gzip(decoder, true) => decoder.finish(),
        }
    }
}
