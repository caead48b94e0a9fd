//! How far this host's clock and a server's are apart, by what the server says in an answer.

use std::time::SystemTime;

use http::HeaderMap;
use http::header::DATE;

/// A difference of the clocks from which on signatures, tokens and keys are refused for it. Services
/// allow five minutes; one is left for the way, and for those who are slow to answer.
const SKEW: i64 = 240;

/// How many seconds this host's clock is ahead of the answer's `Date`, where that is far enough to
/// matter.
pub(crate) fn seconds_ahead(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let theirs = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(date)
        .ok()?;
    let ours = jiff::Timestamp::try_from(now).ok()?;
    let ahead = ours.as_second() - theirs.as_second();
    (ahead.abs() >= SKEW).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_clocks_are_compared_by_the_servers_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (date, expected) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:45:38 GMT", None),
            ("Sun, 06 Nov 1994 08:45:37 GMT", Some(240)),
            ("Sun, 06 Nov 1994 09:49:37 GMT", Some(-3600)),
            ("yesterday", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static(date));
            assert_eq!(seconds_ahead(&headers, now), expected, "{date}");
        }
        assert_eq!(seconds_ahead(&HeaderMap::new(), now), None);
    }
}
