//! How S3 says things.

use http::request::Parts;
use http::{Method, StatusCode};
use portolan_egress::EgressError;

use crate::cloud::dialect::{MOST_WHOLE, has_query, may_repeat};
use crate::cloud::{Answer, Cause, CloudError, Dialect, Reading, Words};

/// The words of the URI's options.
pub(super) const WORDS: Words = Words {
    service: "S3",
    container: "bucket",
    identity: "AWS_ACCESS_KEY_ID",
    secret: "AWS_SECRET_ACCESS_KEY",
    token: "AWS_SESSION_TOKEN",
    region: "AWS_REGION",
};

/// The header that tells a bucket's region.
pub(super) const REGION_HEADER: &str = "x-amz-bucket-region";

/// S3, as requests for this region see it.
#[derive(Debug, Clone)]
pub(super) struct S3Dialect {
    /// The region that requests are signed for.
    pub(super) region: String,
    /// Whether the bucket stands before the host of a server that is not AWS's.
    pub(super) bucket_in_custom_host: bool,
}

impl Dialect for S3Dialect {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn permission(&self, asked: &Parts) -> Option<&'static str> {
        let permission = match asked.method {
            Method::GET if has_query(asked, "list-type") => "s3:ListBucket",
            Method::GET | Method::HEAD => "s3:GetObject",
            Method::PUT if is_copy(asked) => "s3:GetObject and s3:PutObject",
            Method::POST if deletes(asked) => "s3:DeleteObject",
            Method::PUT | Method::POST => "s3:PutObject",
            Method::DELETE if has_query(asked, "uploadId") => "s3:AbortMultipartUpload",
            Method::DELETE => "s3:DeleteObject",
            _ => return None,
        };
        Some(permission)
    }

    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        let is_error = answer.has_xml_root("Error");
        if answer.status.is_success() {
            // Every document reads as a list without objects.
            if has_query(asked, "list-type") && !answer.has_xml_root("ListBucketResult") {
                return Some((Cause::NotThisService, None));
            }
            if deletes(asked) && !is_error && !answer.has_xml_root("DeleteResult") {
                return Some((Cause::NotThisService, None));
            }
            // The result of a copy and of an upload's completion comes after the status.
            return is_error.then(|| {
                self.by_code(asked, answer)
                    .unwrap_or((Cause::Unexpected, None))
            });
        }
        if is_error {
            return self.by_code(asked, answer);
        }
        let elsewhere = self.elsewhere(answer);
        if answer.is_bodiless() {
            // Of a request without a body in its answer, a region that is another one tells most.
            let wrong = matches!(
                answer.status,
                StatusCode::MOVED_PERMANENTLY
                    | StatusCode::TEMPORARY_REDIRECT
                    | StatusCode::BAD_REQUEST
            );
            return match elsewhere {
                Some(region) if wrong => Some((
                    Cause::WrongRegion {
                        expected: Some(region),
                    },
                    None,
                )),
                _ => None,
            };
        }
        (answer.status.is_client_error() && !answer.body.is_empty())
            .then_some((Cause::NotThisService, None))
    }

    fn may_repeat(&self, asked: &Parts) -> bool {
        // A completion that is asked for twice is found done, or gone: never worse than not asking.
        let completes = asked.method == Method::POST && has_query(asked, "uploadId");
        may_repeat(asked)
            || deletes(asked)
            || (completes && !asked.headers.contains_key(http::header::IF_NONE_MATCH))
    }

    fn unreached(&self, error: EgressError) -> CloudError {
        match error {
            EgressError::Denied(_) | EgressError::NoSuchName { .. }
                if self.bucket_in_custom_host =>
            {
                CloudError::BucketHost(error)
            }
            error => CloudError::Egress(error),
        }
    }

    fn reading(&self, asked: &Parts) -> Reading {
        match asked.method {
            Method::GET if !has_query(asked, "list-type") => Reading::Stream,
            Method::HEAD => Reading::Stream,
            _ => Reading::Whole(MOST_WHOLE),
        }
    }

    fn may_fail_in_success(&self, asked: &Parts) -> bool {
        is_copy(asked)
            || deletes(asked)
            || has_query(asked, "list-type")
            || (asked.method == Method::POST && has_query(asked, "uploadId"))
    }
}

/// Whether a request deletes many objects.
fn deletes(asked: &Parts) -> bool {
    asked.method == Method::POST && has_query(asked, "delete")
}

fn is_copy(asked: &Parts) -> bool {
    asked.headers.contains_key("x-amz-copy-source")
}

impl S3Dialect {
    /// The region that an answer names, where it is another one than that of the requests.
    fn elsewhere(&self, answer: &Answer) -> Option<String> {
        let region = answer.header(REGION_HEADER)?;
        (super::is_label(region) && region != self.region).then(|| region.to_owned())
    }

    /// What the code of an error document means; nothing where it is one that `object_store` makes
    /// something of.
    fn by_code(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        let code = answer.xml("Error", "Code")?;
        self.meaning(&code, asked, answer)
    }

    /// What a code means, in whatever part of an answer it stands.
    pub(super) fn meaning(
        &self,
        code: &str,
        asked: &Parts,
        answer: &Answer,
    ) -> Option<(Cause, Option<&'static str>)> {
        let region = || {
            let named = answer.xml("Error", "Region");
            let named = named.filter(|region| super::is_label(region));
            named.or_else(|| self.elsewhere(answer))
        };
        let (code, cause) = match code {
            "SignatureDoesNotMatch" => ("SignatureDoesNotMatch", Cause::WrongSecret),
            "InvalidAccessKeyId" => ("InvalidAccessKeyId", Cause::UnknownKey),
            "ExpiredToken" => ("ExpiredToken", Cause::ExpiredToken),
            "TokenRefreshRequired" => ("TokenRefreshRequired", Cause::ExpiredToken),
            "InvalidToken" => ("InvalidToken", Cause::InvalidToken),
            "RequestTimeTooSkewed" => (
                "RequestTimeTooSkewed",
                Cause::ClockSkew {
                    seconds: answer.skew(),
                },
            ),
            "NoSuchBucket" => ("NoSuchBucket", Cause::NoSuchContainer),
            "AuthorizationHeaderMalformed" => match region() {
                expected @ Some(_) => (
                    "AuthorizationHeaderMalformed",
                    Cause::WrongRegion { expected },
                ),
                None => ("AuthorizationHeaderMalformed", Cause::UnknownKey),
            },
            "IllegalLocationConstraintException" => (
                "IllegalLocationConstraintException",
                Cause::WrongRegion { expected: region() },
            ),
            "PermanentRedirect" => ("PermanentRedirect", self.redirect(answer)),
            "TemporaryRedirect" => ("TemporaryRedirect", self.redirect(answer)),
            "AccessDenied" => (
                "AccessDenied",
                Cause::AccessDenied {
                    permission: self.permission(asked),
                },
            ),
            "AllAccessDisabled" => ("AllAccessDisabled", Cause::AccountDisabled),
            "AccountProblem" => ("AccountProblem", Cause::AccountDisabled),
            "NotSignedUp" => ("NotSignedUp", Cause::AccountDisabled),
            "KMS.DisabledException" => ("KMS.DisabledException", Cause::EncryptionKey),
            "KMS.NotFoundException" => ("KMS.NotFoundException", Cause::EncryptionKey),
            "KMS.KMSInvalidStateException" => {
                ("KMS.KMSInvalidStateException", Cause::EncryptionKey)
            }
            "KMS.InvalidKeyUsageException" => {
                ("KMS.InvalidKeyUsageException", Cause::EncryptionKey)
            }
            "InvalidObjectState" => ("InvalidObjectState", Cause::Archived),
            "EntityTooLarge" => ("EntityTooLarge", Cause::TooLarge),
            "BadDigest" => ("BadDigest", Cause::Corrupted),
            "InvalidDigest" => ("InvalidDigest", Cause::Corrupted),
            "XAmzContentSHA256Mismatch" => ("XAmzContentSHA256Mismatch", Cause::Corrupted),
            "InvalidStorageClass" => (
                "InvalidStorageClass",
                Cause::BadSetting {
                    option: "S3_STORAGE_CLASS",
                },
            ),
            "InvalidEncryptionAlgorithmError" => (
                "InvalidEncryptionAlgorithmError",
                Cause::BadSetting {
                    option: "AWS_SERVER_ENC_MODE",
                },
            ),
            "SlowDown" => ("SlowDown", Cause::Throttled),
            "Throttling" => ("Throttling", Cause::Throttled),
            "RequestLimitExceeded" => ("RequestLimitExceeded", Cause::Throttled),
            "TooManyRequests" => ("TooManyRequests", Cause::Throttled),
            "InternalError" => ("InternalError", Cause::ServerError),
            "ServiceUnavailable" => ("ServiceUnavailable", Cause::ServerError),
            "RequestTimeout" => ("RequestTimeout", Cause::ServerError),
            "ConditionalRequestConflict" => ("ConditionalRequestConflict", Cause::Conflict),
            "OperationAborted" => ("OperationAborted", Cause::Conflict),
            "NotImplemented" => ("NotImplemented", Cause::NotImplemented),
            "MethodNotAllowed" => ("MethodNotAllowed", Cause::NotImplemented),
            _ => return None,
        };
        Some((cause, Some(code)))
    }

    /// A redirect of S3 is for a bucket of another region; only one that names none leads elsewhere.
    fn redirect(&self, answer: &Answer) -> Cause {
        match self.elsewhere(answer) {
            expected @ Some(_) => Cause::WrongRegion { expected },
            None => Cause::Redirect {
                host: answer.redirect_host(),
            },
        }
    }
}

/// S3, as an unsigned request for a bucket's region sees it: whatever the status, the region is in
/// the headers, unless there is no such bucket.
#[derive(Debug)]
pub(super) struct Discovery;

impl Dialect for Discovery {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn permission(&self, _: &Parts) -> Option<&'static str> {
        None
    }

    fn cause(&self, _: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        (answer.status == StatusCode::NOT_FOUND).then_some((Cause::NoSuchContainer, None))
    }

    fn passes(&self, _: &Parts, status: StatusCode) -> bool {
        status.is_redirection() || status.is_client_error()
    }

    fn reading(&self, _: &Parts) -> Reading {
        Reading::Stream
    }
}
