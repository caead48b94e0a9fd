//! How S3 says things.

use http::StatusCode;
use http::request::Parts;
use portolan_egress::EgressError;

use crate::cloud::dialect::may_repeat;
use crate::cloud::xml::{Meaning, Operation, common_code};
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
        let permission = match operation(asked) {
            Operation::List => "s3:ListBucket",
            Operation::ListUploads => "s3:ListBucketMultipartUploads",
            Operation::Read => "s3:GetObject",
            Operation::Copy => "s3:GetObject and s3:PutObject",
            Operation::Write | Operation::Complete => "s3:PutObject",
            Operation::Abort => "s3:AbortMultipartUpload",
            Operation::Delete | Operation::DeleteMany => "s3:DeleteObject",
            Operation::Other => return None,
        };
        Some(permission)
    }

    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<Meaning> {
        operation(asked)
            .cause(answer, || self.by_code(asked, answer))
            .or_else(|| self.by_region(answer))
    }

    fn may_repeat(&self, asked: &Parts) -> bool {
        // A completion that is asked for twice is found done, or gone: never worse than not asking.
        let completes = operation(asked) == Operation::Complete;
        may_repeat(asked)
            || operation(asked) == Operation::DeleteMany
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
        operation(asked).reading()
    }

    fn may_fail_in_success(&self, asked: &Parts) -> bool {
        operation(asked).may_fail_in_success()
    }
}

fn operation(asked: &Parts) -> Operation {
    Operation::of(asked, "x-amz-copy-source")
}

impl S3Dialect {
    /// The region that an answer names, where it is another one than that of the requests.
    fn elsewhere(&self, answer: &Answer) -> Option<String> {
        let region = answer.header(REGION_HEADER)?;
        (super::is_label(region) && region != self.region).then(|| region.to_owned())
    }

    /// Of a request without a body in its answer, a region that is another one tells most.
    fn by_region(&self, answer: &Answer) -> Option<Meaning> {
        let wrong = matches!(
            answer.status,
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::BAD_REQUEST
        );
        if !answer.is_bodiless() || !wrong {
            return None;
        }
        let expected = Some(self.elsewhere(answer)?);
        Some((Cause::WrongRegion { expected }, None))
    }

    /// What the code of an error document means; nothing where it is one that `object_store` makes
    /// something of.
    fn by_code(&self, asked: &Parts, answer: &Answer) -> Option<Meaning> {
        let code = answer.xml("Error", "Code")?;
        self.meaning(&code, asked, answer)
    }

    /// What a code means, in whatever part of an answer it stands.
    pub(super) fn meaning(&self, code: &str, asked: &Parts, answer: &Answer) -> Option<Meaning> {
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
            "AllAccessDisabled" => ("AllAccessDisabled", Cause::AccountDisabled),
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
            "Throttling" => ("Throttling", Cause::Throttled),
            "RequestLimitExceeded" => ("RequestLimitExceeded", Cause::Throttled),
            "TooManyRequests" => ("TooManyRequests", Cause::Throttled),
            "RequestTimeout" => ("RequestTimeout", Cause::ServerError),
            "ConditionalRequestConflict" => ("ConditionalRequestConflict", Cause::Conflict),
            "OperationAborted" => ("OperationAborted", Cause::Conflict),
            code => return common_code(code, answer, self.permission(asked)),
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

    fn cause(&self, _: &Parts, answer: &Answer) -> Option<Meaning> {
        (answer.status == StatusCode::NOT_FOUND).then_some((Cause::NoSuchContainer, None))
    }

    fn passes(&self, _: &Parts, status: StatusCode) -> bool {
        status.is_redirection() || status.is_client_error()
    }

    fn reading(&self, _: &Parts) -> Reading {
        Reading::Stream
    }
}
