//! How one service says things.

use std::fmt;

use http::request::Parts;
use http::{Method, StatusCode, header};
use portolan_egress::EgressError;

use super::{Answer, Cause, CloudError};

/// The words of one service, as its users know them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Words {
    /// Its name in messages.
    pub(crate) service: &'static str,
    /// What holds the objects: `bucket`, `container`.
    pub(crate) container: &'static str,
    /// The option that says who the connection is.
    pub(crate) identity: &'static str,
    /// The option that proves it.
    pub(crate) secret: &'static str,
    /// The option of a temporary token.
    pub(crate) token: &'static str,
    /// The option of the region; empty where the service has none.
    pub(crate) region: &'static str,
}

/// What is done with the body of a successful answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It is handed on as it comes: the content of an object.
    Stream,
    /// It is read whole, up to so many bytes: a list, the result of a request.
    Whole(usize),
}

/// The largest answer that is read whole: a page of a list has at most 1,000 names (Azure: 5,000)
/// of at most 1,024 bytes, each of which XML may write in six.
pub(crate) const MOST_WHOLE: usize = 32 << 20;

/// A service as its requests and answers are told apart.
pub(crate) trait Dialect: fmt::Debug + Send + Sync + 'static {
    /// Its words.
    fn words(&self) -> &'static Words;

    /// The permission that a request needs, in the service's own word.
    fn permission(&self, asked: &Parts) -> Option<&'static str>;

    /// What an answer means by the service's own code, and that code where it is a known one.
    /// Nothing where the status alone has to tell.
    ///
    /// It is asked about every answer that is no success, and about successes that were read whole
    /// where [`may_fail_in_success`](Self::may_fail_in_success) says so.
    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)>;

    /// What to do about a cause, where the service has better words than those of all.
    fn hint(&self, _cause: &Cause) -> Option<&'static str> {
        None
    }

    /// Whether a status that is no success is handed on (without its body), because `object_store`
    /// makes something of it.
    fn passes(&self, _asked: &Parts, status: StatusCode) -> bool {
        matches!(
            status,
            StatusCode::NOT_MODIFIED
                | StatusCode::NOT_FOUND
                | StatusCode::CONFLICT
                | StatusCode::PRECONDITION_FAILED
                | StatusCode::RANGE_NOT_SATISFIABLE
        )
    }

    /// Whether the request does the same when it is done twice, so that it may be repeated although
    /// nobody knows whether the server did it.
    fn may_repeat(&self, asked: &Parts) -> bool {
        may_repeat(asked)
    }

    /// What it means that the service was not reached.
    fn unreached(&self, error: EgressError) -> CloudError {
        CloudError::Egress(error)
    }

    /// What is done with the body of a success.
    fn reading(&self, asked: &Parts) -> Reading;

    /// Whether a success may hold an error in its body.
    fn may_fail_in_success(&self, _asked: &Parts) -> bool {
        false
    }
}

/// As [`Dialect::may_repeat`], for what HTTP says of methods.
pub(crate) fn may_repeat(asked: &Parts) -> bool {
    if asked.method.is_safe() || asked.method.as_str() == "PROPFIND" {
        return true;
    }
    let conditional = asked.headers.contains_key(header::IF_MATCH)
        || asked.headers.contains_key(header::IF_NONE_MATCH);
    matches!(asked.method, Method::PUT | Method::DELETE) && !conditional
}

/// Whether a request has this parameter in its query.
pub(crate) fn has_query(asked: &Parts, name: &str) -> bool {
    let query = asked.uri.query().unwrap_or_default();
    query
        .split('&')
        .any(|pair| pair.split_once('=').map_or(pair, |(name, _)| name) == name)
}
