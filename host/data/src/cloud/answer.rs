//! An answer that is no success, read once.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use jiff::fmt::rfc2822;
use object_store::client::HttpResponse;
use portolan_egress::Host;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::CloudError;

/// The most bytes that are read of an answer that is no success.
pub(super) const MOST_BYTES: usize = 64 << 10;

/// How deep elements of an error may lie in each other before it is taken for none.
const MOST_DEPTH: usize = 16;

/// An answer of a service: its head, and its body as far as it was read.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The method of the request.
    pub(crate) method: Method,
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// At most 64 KiB of the body.
    pub(crate) body: Bytes,
    /// When it came, by the clock of this host.
    pub(crate) at: SystemTime,
}

impl Answer {
    /// A header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the request is one that is answered without a body.
    pub(crate) fn is_bodiless(&self) -> bool {
        self.method == Method::HEAD
    }

    /// The text of the first element `name` right below the document's root `root`.
    pub(crate) fn xml(&self, root: &str, name: &str) -> Option<String> {
        element(&self.body, root, name)
    }

    /// Whether the body is an XML document with this root.
    pub(crate) fn has_xml_root(&self, root: &str) -> bool {
        first_element(&mut Reader::from_reader(&self.body[..])).as_deref() == Some(root.as_bytes())
    }

    /// The body as JSON.
    #[allow(dead_code, reason = "S3 says nothing in JSON, other services do")]
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// By how many seconds the service's clock is ahead of this host's.
    pub(crate) fn skew(&self) -> Option<i64> {
        let theirs = date(self.header(header::DATE.as_str())?)?;
        let ours = self.at.duration_since(UNIX_EPOCH).ok()?.as_secs();
        theirs.checked_sub(i64::try_from(ours).ok()?)
    }

    /// The host that the answer redirects to.
    pub(crate) fn redirect_host(&self) -> Option<String> {
        let location: http::Uri = self.header(header::LOCATION.as_str())?.parse().ok()?;
        let host = Host::parse(location.host()?).ok()?;
        Some(host.to_string())
    }

    /// How long the service asks to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(header::RETRY_AFTER.as_str())?;
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let then = u64::try_from(date(text)?).ok()?;
        let now = self.at.duration_since(UNIX_EPOCH).ok()?.as_secs();
        Some(Duration::from_secs(then.saturating_sub(now)))
    }
}

/// A success that was read whole; `method` is that of the request.
pub(crate) async fn succeeded(method: Method, answer: HttpResponse) -> Result<Answer, CloudError> {
    let (head, body) = answer.into_parts();
    // A status that `object_store` would make something of says nothing to others.
    if !head.status.is_success() {
        return Err(CloudError::Unreadable);
    }
    // It has been read within bounds already.
    let body = body.collect().await.map_err(|_| CloudError::Unreadable)?;
    Ok(Answer {
        method,
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
        at: SystemTime::now(),
    })
}

/// The seconds since 1970 of a date as HTTP writes it.
fn date(text: &str) -> Option<i64> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.as_second())
}

/// The local name of the root, the reader standing behind its start.
fn first_element(reader: &mut Reader<&[u8]>) -> Option<Vec<u8>> {
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => return Some(start.local_name().as_ref().to_vec()),
            Event::Eof | Event::Empty(_) => return None,
            // Entities of a document's own are not for errors.
            Event::DocType(_) => return None,
            _ => {}
        }
    }
}

fn element(body: &[u8], root: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_reader(body);
    if first_element(&mut reader)? != root.as_bytes() {
        return None;
    }
    let mut depth = 0;
    let mut found: Option<String> = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                depth += 1;
                if depth > MOST_DEPTH {
                    return None;
                }
                if depth == 1 && start.local_name().as_ref() == name.as_bytes() {
                    found = Some(String::new());
                }
            }
            Event::End(_) if depth == 0 => return None,
            Event::End(_) => {
                if depth == 1 && found.is_some() {
                    return found.map(|text| text.trim().to_owned());
                }
                depth -= 1;
            }
            Event::Text(text) if depth == 1 => {
                if let Some(found) = &mut found {
                    found.push_str(&text.decode().ok()?);
                }
            }
            Event::GeneralRef(reference) if depth == 1 => {
                if let Some(found) = &mut found {
                    found.push_str(&resolved(&reference)?);
                }
            }
            Event::CData(text) if depth == 1 => {
                if let Some(found) = &mut found {
                    found.push_str(&text.decode().ok()?);
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// What one of the entities that every document has stands for.
pub(super) fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Option<Cow<'static, str>> {
    if let Some(character) = reference.resolve_char_ref().ok()? {
        return Some(Cow::Owned(character.to_string()));
    }
    let name = reference.decode().ok()?;
    quick_xml::escape::resolve_predefined_entity(&name).map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&'static str, &str)], body: &str) -> Answer {
        Answer {
            method: Method::GET,
            status: StatusCode::FORBIDDEN,
            headers: headers
                .iter()
                .map(|(name, value)| {
                    let value = value.parse().expect("a value");
                    (http::HeaderName::from_static(name), value)
                })
                .collect(),
            body: Bytes::copy_from_slice(body.as_bytes()),
            at: UNIX_EPOCH + Duration::from_secs(784_111_777),
        }
    }

    #[test]
    fn an_element_is_found_right_below_the_root_alone() {
        let code = |body| answer(&[], body).xml("Error", "Code");
        let cases = [
            ("<Error><Code>A</Code></Error>", Some("A")),
            (
                "<?xml version=\"1.0\"?>\n<Error xmlns=\"u\">\n <Code> A&amp;B </Code></Error>",
                Some("A&B"),
            ),
            (
                "<x:Error xmlns:x=\"u\"><x:Code>A</x:Code></x:Error>",
                Some("A"),
            ),
            ("<Error><Other><Code>A</Code></Other></Error>", None),
            ("<Errors><Code>A</Code></Errors>", None),
            ("<Error><Code>A", None),
            (
                "<!DOCTYPE Error [<!ENTITY a \"A\">]><Error><Code>&a;</Code></Error>",
                None,
            ),
            ("<Error><Code>&unknown;</Code></Error>", None),
            ("{\"Code\":\"A\"}", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(code(body).as_deref(), expected, "{body}");
        }
        let deep = format!("<Error>{}", "<a>".repeat(10_000));
        assert_eq!(code(&deep), None);
    }

    #[test]
    fn the_skew_is_what_their_clock_says_beyond_ours() {
        let skew = |date| answer(&[("date", date)], "").skew();
        assert_eq!(skew("Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(skew("Sun, 06 Nov 1994 09:49:37 GMT"), Some(3600));
        assert_eq!(skew("Sun, 06 Nov 1994 08:49:36 GMT"), Some(-1));
        assert_eq!(skew("yesterday"), None);
        assert_eq!(answer(&[], "").skew(), None);
    }

    #[test]
    fn a_wait_is_in_seconds_or_a_date() {
        let wait = |text| answer(&[("retry-after", text)], "").retry_after();
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:49:47 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:07 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("-1"), None);
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_redirect_tells_a_host_and_nothing_else() {
        let host = |location| answer(&[("location", location)], "").redirect_host();
        assert_eq!(
            host("https://user:secret@Other.example:1/p?q"),
            Some("other.example".to_owned())
        );
        assert_eq!(host("/path"), None);
        assert_eq!(host("https://a b/"), None);
    }
}
