//! How Google Cloud Storage says things.

use http::StatusCode;
use http::request::Parts;

use crate::cloud::dialect::may_repeat;
use crate::cloud::xml::{Meaning, Operation, common_code};
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

/// The XML API.
#[derive(Debug)]
pub(super) struct GsDialect;

impl Dialect for GsDialect {
    fn words(&self) -> &'static Words {
        &WORDS
    }

    fn permission(&self, asked: &Parts) -> Option<&'static str> {
        let permission = match operation(asked) {
            Operation::List => "storage.objects.list",
            Operation::ListUploads => "storage.multipartUploads.list",
            Operation::Read => "storage.objects.get",
            Operation::Copy => "storage.objects.get and storage.objects.create",
            Operation::Write | Operation::Complete => "storage.objects.create",
            Operation::Abort => "storage.multipartUploads.abort",
            Operation::Delete | Operation::DeleteMany => "storage.objects.delete",
            Operation::Other => return None,
        };
        Some(permission)
    }

    fn cause(&self, asked: &Parts, answer: &Answer) -> Option<Meaning> {
        if answer.status == StatusCode::UNAUTHORIZED {
            return Some((Cause::InvalidToken, None));
        }
        operation(asked).cause(answer, || self.by_code(asked, answer))
    }

    fn hint(&self, cause: &Cause) -> Option<&'static str> {
        match cause {
            Cause::InvalidToken => Some(
                "give the connection a token that is still valid, or a key, whose tokens are \
                 renewed",
            ),
            Cause::BadSetting { .. } => Some(
                "name a project in GOOGLE_BILLING_PROJECT that the connection's credentials may \
                 bill: they need serviceusage.services.use there",
            ),
            _ => None,
        }
    }

    fn may_repeat(&self, asked: &Parts) -> bool {
        let completes = operation(asked) == Operation::Complete;
        let conditional = asked.headers.contains_key("x-goog-if-generation-match");
        (may_repeat(asked) || completes) && !conditional
    }

    fn reading(&self, asked: &Parts) -> Reading {
        operation(asked).reading()
    }

    fn may_fail_in_success(&self, asked: &Parts) -> bool {
        operation(asked).may_fail_in_success()
    }
}

fn operation(asked: &Parts) -> Operation {
    Operation::of(asked, "x-goog-copy-source")
}

impl GsDialect {
    /// What the code of an error document means; nothing where it is one that `object_store` makes
    /// something of.
    fn by_code(&self, asked: &Parts, answer: &Answer) -> Option<Meaning> {
        let code = answer.xml("Error", "Code")?;
        let code = match code.as_str() {
            "InvalidBucketName" => {
                return Some((Cause::NoSuchContainer, Some("InvalidBucketName")));
            }
            "UserProjectMissing" => "UserProjectMissing",
            "UserProjectInvalid" => "UserProjectInvalid",
            "UserProjectInconsistent" => "UserProjectInconsistent",
            "UserProjectAccessDenied" => "UserProjectAccessDenied",
            "UserProjectAccountProblem" => "UserProjectAccountProblem",
            code => return common_code(code, answer, self.permission(asked)),
        };
        let option = "GOOGLE_BILLING_PROJECT";
        Some((Cause::BadSetting { option }, Some(code)))
    }
}
