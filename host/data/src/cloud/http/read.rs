//! `GET` and `HEAD`.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use http::header::{
    CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use object_store::client::HttpRequestBody;
use object_store::path::Path;
use object_store::{
    Attributes, Error, Extensions, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta,
};

use super::{HttpStore, NAME};
use crate::cloud::CloudError;

impl HttpStore {
    pub(super) async fn get(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> Result<GetResult, CloudError> {
        let method = match options.head {
            true => Method::HEAD,
            false => Method::GET,
        };
        let headers = headers(&options)?;
        let empty = HttpRequestBody::empty();
        let answer = self
            .send(method, self.url(location), headers, empty)
            .await?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => {}
            StatusCode::NOT_MODIFIED => return Err(CloudError::Unchanged),
            StatusCode::PRECONDITION_FAILED => return Err(CloudError::Changed),
            StatusCode::NOT_FOUND | StatusCode::CONFLICT => return Err(CloudError::Missing),
            _ => return Err(CloudError::Unreadable),
        }
        let (head, body) = answer.into_parts();
        let (range, size) = match (&options.range, head.status) {
            (Some(asked), StatusCode::PARTIAL_CONTENT) => partial(asked, &head.headers)?,
            // The whole object where a part was asked for: the server knows no ranges.
            (Some(_), _) if !options.head => return Err(CloudError::Unsupported),
            (_, StatusCode::OK) => {
                let size = number(&head.headers, CONTENT_LENGTH).ok_or(CloudError::Unreadable)?;
                (0..size, size)
            }
            _ => return Err(CloudError::Unreadable),
        };
        let content = body.bytes_stream().map(move |part| {
            part.map_err(|error| Error::Generic {
                store: NAME,
                source: Box::new(error),
            })
        });
        Ok(GetResult {
            payload: GetResultPayload::Stream(content.boxed()),
            meta: ObjectMeta {
                location: location.clone(),
                last_modified: modified(&head.headers).into(),
                size,
                e_tag: text(&head.headers, ETAG).map(str::to_owned),
                version: None,
            },
            range,
            attributes: Attributes::new(),
            extensions: Extensions::new(),
        })
    }
}

/// The conditions and the range, as headers.
fn headers(options: &GetOptions) -> Result<Vec<(HeaderName, HeaderValue)>, CloudError> {
    if options.version.is_some() {
        return Err(CloudError::Unsupported);
    }
    let mut headers = Vec::new();
    let mut add = |name: HeaderName, value: Option<String>| match value {
        None => Ok(()),
        Some(value) => match HeaderValue::try_from(value) {
            Ok(value) => {
                headers.push((name, value));
                Ok(())
            }
            Err(_) => Err(CloudError::BadAttribute),
        },
    };
    add(IF_MATCH, options.if_match.clone())?;
    add(IF_NONE_MATCH, options.if_none_match.clone())?;
    let date = |time: SystemTime| {
        let time = Timestamp::try_from(time).ok()?;
        DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&time)
            .ok()
    };
    let since = options.if_modified_since.map(SystemTime::from);
    add(IF_MODIFIED_SINCE, since.and_then(date))?;
    let since = options.if_unmodified_since.map(SystemTime::from);
    add(IF_UNMODIFIED_SINCE, since.and_then(date))?;
    let range = options.range.as_ref();
    add(RANGE, range.map(|range| format!("{range}")))?;
    Ok(headers)
}

/// The part that an answer holds, and the size of the whole; the part must be the one that was
/// asked for.
fn partial(asked: &GetRange, headers: &HeaderMap) -> Result<(Range<u64>, u64), CloudError> {
    let told = text(headers, CONTENT_RANGE).and_then(content_range);
    let (range, size) = told.ok_or(CloudError::Unreadable)?;
    let expected = asked.as_range(size).map_err(|_| CloudError::BadRange)?;
    let length = number(headers, CONTENT_LENGTH).unwrap_or(range.end - range.start);
    match range == expected && length == range.end - range.start {
        true => Ok((range, size)),
        false => Err(CloudError::Unreadable),
    }
}

/// `bytes FIRST-LAST/SIZE`.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let size = size.parse().ok()?;
    (first <= last && last < size).then(|| (first..last + 1, size))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

/// When the object was written last; the beginning of time where the server does not say.
fn modified(headers: &HeaderMap) -> SystemTime {
    text(headers, LAST_MODIFIED)
        .and_then(date)
        .unwrap_or(UNIX_EPOCH)
}

/// A date as HTTP and WebDAV write it.
pub(super) fn date(text: &str) -> Option<SystemTime> {
    let time = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(SystemTime::from(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_taken_where_it_makes_sense() {
        for (text, expected) in [
            ("bytes 0-4/5", Some((0..5, 5))),
            ("bytes 2-2/5", Some((2..3, 5))),
            ("bytes 2-5/5", None),
            ("bytes 3-2/5", None),
            ("bytes 0-18446744073709551615/18446744073709551615", None),
            ("bytes */5", None),
            ("bytes 0-4/*", None),
            ("0-4/5", None),
        ] {
            assert_eq!(content_range(text), expected, "{text}");
        }
    }

    #[test]
    fn another_part_than_was_asked_for_is_not_taken() {
        let told = |range: &str, length: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, range.parse().expect("a value"));
            headers.insert(CONTENT_LENGTH, length.parse().expect("a value"));
            partial(&GetRange::Bounded(2..4), &headers)
        };
        assert_eq!(told("bytes 2-3/9", "2"), Ok((2..4, 9)));
        assert_eq!(
            told("bytes 2-2/3", "1"),
            Ok((2..3, 3)),
            "the object ends there"
        );
        assert_eq!(told("bytes 0-1/9", "2"), Err(CloudError::Unreadable));
        assert_eq!(told("bytes 2-3/9", "5"), Err(CloudError::Unreadable));
        assert_eq!(told("bytes 2-3/x", "2"), Err(CloudError::Unreadable));
    }
}
