//! What S3 and the XML API of Cloud Storage have in common: what their requests do, and how their
//! answers are read.

use http::Method;
use http::request::Parts;

use super::dialect::{MOST_WHOLE, has_query};
use super::{Answer, Cause, Reading};

/// What an answer means, and the service's own code, where it is a known one.
pub(crate) type Meaning = (Cause, Option<&'static str>);

/// What a request of `object_store` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Lists objects.
    List,
    /// Lists unfinished uploads.
    ListUploads,
    /// Reads an object, or its head.
    Read,
    /// Writes an object or a part of one, or begins an upload.
    Write,
    /// Copies an object within the service.
    Copy,
    /// Makes an object of the parts of an upload.
    Complete,
    /// Gives an upload up.
    Abort,
    /// Deletes an object.
    Delete,
    /// Deletes many objects, each of which the answer tells of.
    DeleteMany,
    /// Something else.
    Other,
}

impl Operation {
    /// What a request does; a copy is told by this header.
    pub(crate) fn of(asked: &Parts, copy_source: &str) -> Self {
        let of_upload = has_query(asked, "uploadId");
        match asked.method {
            Method::GET if has_query(asked, "list-type") => Self::List,
            Method::GET if has_query(asked, "uploads") => Self::ListUploads,
            Method::GET | Method::HEAD => Self::Read,
            Method::PUT if asked.headers.contains_key(copy_source) => Self::Copy,
            Method::POST if of_upload => Self::Complete,
            Method::POST if has_query(asked, "delete") => Self::DeleteMany,
            Method::PUT | Method::POST => Self::Write,
            Method::DELETE if of_upload => Self::Abort,
            Method::DELETE => Self::Delete,
            _ => Self::Other,
        }
    }

    /// What is done with the body of a success.
    pub(crate) fn reading(self) -> Reading {
        match self {
            Self::Read => Reading::Stream,
            _ => Reading::Whole(MOST_WHOLE),
        }
    }

    /// Whether a success may hold an error: the result of a copy and of an upload's completion comes
    /// after the status, and every document reads as a list without objects.
    pub(crate) fn may_fail_in_success(self) -> bool {
        matches!(
            self,
            Self::List | Self::ListUploads | Self::Copy | Self::Complete | Self::DeleteMany
        )
    }

    /// The root of a success's document, where another one would be taken for it.
    fn root(self) -> Option<&'static str> {
        match self {
            Self::List => Some("ListBucketResult"),
            Self::ListUploads => Some("ListMultipartUploadsResult"),
            Self::DeleteMany => Some("DeleteResult"),
            _ => None,
        }
    }

    /// What an answer means: by the code of its error, where `by_code` knows it.
    pub(crate) fn cause(
        self,
        answer: &Answer,
        by_code: impl FnOnce() -> Option<Meaning>,
    ) -> Option<Meaning> {
        let is_error = answer.has_xml_root("Error");
        if answer.status.is_success() {
            let foreign = |root| !is_error && !answer.has_xml_root(root);
            if self.root().is_some_and(foreign) {
                return Some((Cause::NotThisService, None));
            }
            return is_error.then(|| by_code().unwrap_or((Cause::Unexpected, None)));
        }
        if is_error {
            return by_code();
        }
        let foreign = answer.status.is_client_error() && !answer.body.is_empty();
        foreign.then_some((Cause::NotThisService, None))
    }
}

/// What the codes mean that both services have; `permission` is the one that the request needs.
pub(crate) fn common_code(
    code: &str,
    answer: &Answer,
    permission: Option<&'static str>,
) -> Option<Meaning> {
    let (code, cause) = match code {
        "AccessDenied" => ("AccessDenied", Cause::AccessDenied { permission }),
        "RequestTimeTooSkewed" => (
            "RequestTimeTooSkewed",
            Cause::ClockSkew {
                seconds: answer.skew(),
            },
        ),
        "NoSuchBucket" => ("NoSuchBucket", Cause::NoSuchContainer),
        "AccountProblem" => ("AccountProblem", Cause::AccountDisabled),
        "EntityTooLarge" => ("EntityTooLarge", Cause::TooLarge),
        "BadDigest" => ("BadDigest", Cause::Corrupted),
        "InvalidDigest" => ("InvalidDigest", Cause::Corrupted),
        "SlowDown" => ("SlowDown", Cause::Throttled),
        "InternalError" => ("InternalError", Cause::ServerError),
        "ServiceUnavailable" => ("ServiceUnavailable", Cause::ServerError),
        "MethodNotAllowed" => ("MethodNotAllowed", Cause::NotImplemented),
        "NotImplemented" => ("NotImplemented", Cause::NotImplemented),
        _ => return None,
    };
    Some((cause, Some(code)))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn operation(method: &str, query: &str, copies: bool) -> Operation {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://host/bucket/object{query}"));
        if copies {
            request = request.header("x-copy-source", "bucket/other");
        }
        let (asked, ()) = request.body(()).expect("a request").into_parts();
        Operation::of(&asked, "x-copy-source")
    }

    #[test]
    fn what_a_request_does_is_told_by_its_method_its_query_and_its_source() {
        for (method, query, copies, expected) in [
            ("GET", "?list-type=2&prefix=a", false, Operation::List),
            ("GET", "?uploads&prefix=a", false, Operation::ListUploads),
            ("GET", "", false, Operation::Read),
            ("GET", "?generation=5", false, Operation::Read),
            ("HEAD", "", false, Operation::Read),
            ("PUT", "", false, Operation::Write),
            ("PUT", "", true, Operation::Copy),
            ("PUT", "?partNumber=1&uploadId=u", false, Operation::Write),
            ("PUT", "?partNumber=1&uploadId=u", true, Operation::Copy),
            ("POST", "?uploads=", false, Operation::Write),
            ("POST", "?uploadId=u", false, Operation::Complete),
            ("POST", "?delete", false, Operation::DeleteMany),
            ("DELETE", "?uploadId=u", false, Operation::Abort),
            ("DELETE", "", false, Operation::Delete),
            ("PATCH", "", false, Operation::Other),
        ] {
            assert_eq!(
                operation(method, query, copies),
                expected,
                "{method} {query}"
            );
        }
    }
}
