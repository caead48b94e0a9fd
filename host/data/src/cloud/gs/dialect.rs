//! How Google Cloud Storage says things.

use http::request::Parts;
use http::{Method, StatusCode};

use crate::cloud::dialect::{MOST_WHOLE, has_query, may_repeat};
use crate::cloud::{Answer, Cause, Dialect, Reading, Words};

/// The words of the URI's options.
const WORDS: Words = Words {
    service: "Google Cloud Storage",
    container: "bucket",
    identity: "CREDENTIALS",
    secret: "the key",
    token: "the connection's token",
    region: "",
};

/// The option that names the project to bill.
const BILLING: Cause = Cause::BadSetting {
    option: "GOOGLE_BILLING_PROJECT",
};

/// The XML API.
#[derive(Debug)]
pub(super) struct GsDialect;

impl Dialect for GsDialect {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn permission(&self, asked: &Parts) -> Option<&'static str> {
        let permission = match asked.method {
            Method::GET if has_query(asked, "list-type") => "storage.objects.list",
            Method::GET | Method::HEAD => "storage.objects.get",
            Method::PUT if is_copy(asked) => "storage.objects.get and storage.objects.create",
            Method::PUT | Method::POST => "storage.objects.create",
            Method::DELETE if has_query(asked, "uploadId") => "storage.multipartUploads.abort",
            Method::DELETE => "storage.objects.delete",
            _ => return None,
        };
        Some(permission)
    }

    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        let is_error = answer.has_xml_root("Error");
        if answer.status.is_success() {
            return is_error.then(|| {
                self.by_code(asked, answer)
                    .unwrap_or((Cause::Unexpected, None))
            });
        }
        if answer.status == StatusCode::UNAUTHORIZED {
            return Some((Cause::InvalidToken, None));
        }
        if is_error {
            return self.by_code(asked, answer);
        }
        let foreign = answer.status.is_client_error() && !answer.body.is_empty();
        foreign.then_some((Cause::NotThisService, None))
    }

    fn hint(&self, cause: &Cause) -> Option<&'static str> {
        match cause {
            Cause::InvalidToken => Some(
                "give the connection a token that is still valid, or a key, whose tokens are \
                 renewed",
            ),
            _ => None,
        }
    }

    fn may_repeat(&self, asked: &Parts) -> bool {
        let completes = asked.method == Method::POST && has_query(asked, "uploadId");
        let conditional = asked.headers.contains_key("x-goog-if-generation-match");
        (may_repeat(asked) || completes) && !conditional
    }

    fn reading(&self, asked: &Parts) -> Reading {
        match asked.method {
            Method::GET if !has_query(asked, "list-type") => Reading::Stream,
            Method::HEAD => Reading::Stream,
            _ => Reading::Whole(MOST_WHOLE),
        }
    }

    fn may_fail_in_success(&self, asked: &Parts) -> bool {
        is_copy(asked) || (asked.method == Method::POST && has_query(asked, "uploadId"))
    }
}

fn is_copy(asked: &Parts) -> bool {
    asked.headers.contains_key("x-goog-copy-source")
}

impl GsDialect {
    /// What the code of an error document means; nothing where it is one that `object_store` makes
    /// something of.
    fn by_code(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        let code = answer.xml("Error", "Code")?;
        let (code, cause) = match code.as_str() {
            "AccessDenied" => (
                "AccessDenied",
                Cause::AccessDenied {
                    permission: self.permission(asked),
                },
            ),
            "RequestTimeTooSkewed" => (
                "RequestTimeTooSkewed",
                Cause::ClockSkew {
                    seconds: answer.skew(),
                },
            ),
            "NoSuchBucket" => ("NoSuchBucket", Cause::NoSuchContainer),
            "InvalidBucketName" => ("InvalidBucketName", Cause::NoSuchContainer),
            "UserProjectMissing" => ("UserProjectMissing", BILLING),
            "UserProjectInvalid" => ("UserProjectInvalid", BILLING),
            "UserProjectInconsistent" => ("UserProjectInconsistent", BILLING),
            "UserProjectAccessDenied" => ("UserProjectAccessDenied", BILLING),
            "UserProjectAccountProblem" => ("UserProjectAccountProblem", BILLING),
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
}
