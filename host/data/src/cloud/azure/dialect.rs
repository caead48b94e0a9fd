//! How Azure Blob Storage says things.

use http::request::Parts;
use http::{Method, StatusCode};

use crate::cloud::dialect::{MOST_WHOLE, has_query, may_repeat};
use crate::cloud::{Answer, Cause, Dialect, Reading, Words};

/// The words of the URI's options.
const WORDS: Words = Words {
    service: "Azure Blob Storage",
    container: "container",
    identity: "AZURE_ACCOUNT_NAME",
    secret: "AZURE_ACCOUNT_KEY",
    token: "the connection's token",
    region: "",
};

/// From this difference of the clocks on, the service refuses a signature for it.
const MOST_SKEW: u64 = 15 * 60;

/// The header that has the service's code, also where there is no body.
const CODE: &str = "x-ms-error-code";

/// The service, as requests with one kind of credentials see it.
#[derive(Debug)]
pub(super) struct AzureDialect {
    /// Whether requests are signed with the account's key.
    pub(super) shared_key: bool,
}

impl Dialect for AzureDialect {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn permission(&self, asked: &Parts) -> Option<&'static str> {
        let permission = match asked.method {
            Method::GET if has_query(asked, "comp") => "blobs/read (list)",
            Method::GET | Method::HEAD => "blobs/read",
            Method::PUT => "blobs/write",
            Method::DELETE => "blobs/delete",
            _ => return None,
        };
        Some(permission)
    }

    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<(Cause, Option<&'static str>)> {
        if answer.status.is_success() {
            return None;
        }
        let Some(code) = answer.header(CODE) else {
            // Whoever answers without one is not the service, but for redirects and its frontends.
            let foreign = answer.status.is_client_error() && !answer.body.is_empty();
            return foreign.then_some((Cause::NotThisService, None));
        };
        let denied = Cause::AccessDenied {
            permission: self.permission(asked),
        };
        let (code, cause) = match code {
            "AuthenticationFailed" => ("AuthenticationFailed", self.not_authenticated(answer)),
            "InvalidAuthenticationInfo" => {
                ("InvalidAuthenticationInfo", self.not_authenticated(answer))
            }
            "NoAuthenticationInformation" => (
                "NoAuthenticationInformation",
                self.not_authenticated(answer),
            ),
            "AuthorizationFailure" => ("AuthorizationFailure", denied),
            "AuthorizationPermissionMismatch" => ("AuthorizationPermissionMismatch", denied),
            "InsufficientAccountPermissions" => ("InsufficientAccountPermissions", denied),
            "KeyBasedAuthenticationNotPermitted" => (
                "KeyBasedAuthenticationNotPermitted",
                Cause::BadSetting {
                    option: "AZURE_ACCOUNT_KEY",
                },
            ),
            "AccountIsDisabled" => ("AccountIsDisabled", Cause::AccountDisabled),
            "ContainerNotFound" => ("ContainerNotFound", Cause::NoSuchContainer),
            "ContainerBeingDeleted" => ("ContainerBeingDeleted", Cause::NoSuchContainer),
            "ContainerDisabled" => ("ContainerDisabled", Cause::AccountDisabled),
            "BlobArchived" => ("BlobArchived", Cause::Archived),
            "BlobBeingRehydrated" => ("BlobBeingRehydrated", Cause::Archived),
            "RequestBodyTooLarge" => ("RequestBodyTooLarge", Cause::TooLarge),
            "BlockCountExceedsLimit" => ("BlockCountExceedsLimit", Cause::TooLarge),
            "Md5Mismatch" => ("Md5Mismatch", Cause::Corrupted),
            "PendingCopyOperation" => ("PendingCopyOperation", Cause::Conflict),
            "LeaseIdMissing" => ("LeaseIdMissing", Cause::Conflict),
            "ServerBusy" => ("ServerBusy", Cause::Throttled),
            "OperationTimedOut" => ("OperationTimedOut", Cause::ServerError),
            "InternalError" => ("InternalError", Cause::ServerError),
            "UnsupportedHttpVerb" => ("UnsupportedHttpVerb", Cause::NotImplemented),
            _ if answer.status == StatusCode::UNAUTHORIZED => {
                return Some((self.not_authenticated(answer), None));
            }
            _ => return None,
        };
        Some((cause, Some(code)))
    }

    fn hint(&self, cause: &Cause) -> Option<&'static str> {
        match cause {
            Cause::WrongSecret => Some(
                "give one of the two keys of the account AZURE_ACCOUNT_NAME as they are now; in a \
                 URI a + is written %2B",
            ),
            Cause::InvalidToken => Some(
                "check that the client belongs to the tenant of the account, and that the \
                 container is in that Azure environment",
            ),
            Cause::AccessDenied { .. } if self.shared_key => Some(
                "allow this host in the account's network rules, and look for a lock on the account",
            ),
            Cause::AccessDenied { .. } => Some(
                "grant the client the role Storage Blob Data Contributor on the container, and \
                 allow this host in the account's network rules",
            ),
            Cause::BadSetting { .. } => {
                Some("allow access by key in the account, or give the connection a client")
            }
            _ => None,
        }
    }

    fn may_repeat(&self, asked: &Parts) -> bool {
        may_repeat(asked)
    }

    fn reading(&self, asked: &Parts) -> Reading {
        match asked.method {
            Method::GET if !has_query(asked, "comp") => Reading::Stream,
            Method::HEAD => Reading::Stream,
            _ => Reading::Whole(MOST_WHOLE),
        }
    }
}

impl AzureDialect {
    /// The service has one code for a wrong key and a wrong time.
    fn not_authenticated(&self, answer: &Answer) -> Cause {
        match (self.shared_key, answer.skew()) {
            (_, Some(seconds)) if seconds.unsigned_abs() >= MOST_SKEW => Cause::ClockSkew {
                seconds: Some(seconds),
            },
            (true, _) => Cause::WrongSecret,
            (false, _) => Cause::InvalidToken,
        }
    }
}
