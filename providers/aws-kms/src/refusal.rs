//! What the service says when it does not: classed by its code, with what to do about it.

use portolan_sdk::{Failure, FailureClass, Plan, is_dns_label, joined};
use serde_json::Value;

use crate::plan::{KEY, REGION};

/// What to look for where the key that an alias stood for is not there.
const BEHIND_ALIAS: &str = "Look for that key: the alias may stand for another one since, and what a \
                            deleted key encrypted cannot be decrypted.";

const KEEP_TIME: &str = "Set this host's clock, and keep it by NTP.";

/// An answer with another status than 200.
pub(crate) struct Refusal<'a> {
    /// The name of the rule that was asked under.
    pub(crate) request: &'a str,
    /// The status.
    pub(crate) status: u16,
    /// The body, as far as it is seen.
    pub(crate) document: &'a [u8],
    /// How many seconds the host's clock is ahead, where that is far enough to be refused for it.
    pub(crate) clock_ahead: Option<i64>,
    /// The key that encrypted what is to be decrypted, where it was asked for in the place of the
    /// plan's alias.
    pub(crate) behind_alias: Option<&'a str>,
}

impl Refusal<'_> {
    /// What it means. The message of the service is not repeated: the one about a wrong signature
    /// quotes the request, with the token of a session in it.
    pub(crate) fn failure(&self, plan: &Plan) -> Failure {
        let code = code(self.document).unwrap_or_default();
        if let Some(ahead) = self.clock_ahead
            && is_said_of_clocks(&code)
        {
            return skewed(ahead, &code);
        }
        let mut text = joined(&["AWS KMS answered ", &self.status.to_string()]);
        if !code.is_empty() {
            text.push(' ');
            text.push_str(&code);
        }
        let failure = match code.as_str() {
            "NotFoundException" => {
                let hint = match self.behind_alias {
                    Some(_) => BEHIND_ALIAS.to_owned(),
                    None => where_to_look(plan),
                };
                Failure::new(FailureClass::NotFound, text).with_hint(hint)
            }
            code => {
                let (class, hint) = self.meaning(code);
                Failure::new(class, text).with_hint(hint)
            }
        };
        failure.with_content_of(self.behind_alias)
    }

    fn meaning(&self, code: &str) -> (FailureClass, &'static str) {
        match code {
            "RequestTimeTooSkewed" | "RequestExpired" => {
                (FailureClass::RefusedCredentials, KEEP_TIME)
            }
            "AccessDeniedException" | "AccessDenied" if self.request == "encrypt" => (
                FailureClass::Denied,
                "Allow kms:Encrypt on this key, in its policy or in that of the user or role.",
            ),
            "AccessDeniedException" | "AccessDenied" if self.behind_alias.is_some() => (
                FailureClass::Denied,
                "Allow kms:Decrypt on that key, in its policy or in that of the user or role, and \
                 not under kms:RequestAlias: it is asked for by its ARN.",
            ),
            "AccessDeniedException" | "AccessDenied" => (
                FailureClass::Denied,
                "Allow kms:Decrypt on this key, in its policy or in that of the user or role.",
            ),
            "DisabledException" => (FailureClass::Denied, "Enable the key."),
            "KMSInvalidStateException" => (
                FailureClass::Denied,
                "Look at the state of the key: it may be disabled, or about to be deleted.",
            ),
            "InvalidKeyUsageException" => (
                FailureClass::Unsupported,
                "Give a symmetric key that is for encryption and decryption.",
            ),
            "InvalidArnException" | "ValidationException" => (
                FailureClass::InvalidUri,
                "Check the key's name: an id, an alias/NAME, or the ARN of either.",
            ),
            "InvalidCiphertextException" | "IncorrectKeyException" => (
                FailureClass::Protocol,
                "Check that the connection names the key that the content was encrypted with.",
            ),
            "UnrecognizedClientException" | "InvalidClientTokenId" => (
                FailureClass::RefusedCredentials,
                "Check AWS_ACCESS_KEY_ID, and AWS_SESSION_TOKEN of temporary credentials.",
            ),
            "InvalidSignatureException" | "SignatureDoesNotMatch" => (
                FailureClass::RefusedCredentials,
                "Check AWS_SECRET_ACCESS_KEY; in a URI a + is written %2B.",
            ),
            "ExpiredTokenException" | "ExpiredToken" => (
                FailureClass::RefusedCredentials,
                "Give temporary credentials that are still valid.",
            ),
            _ if self.status >= 500 || self.status == 429 || code == "ThrottlingException" => {
                (FailureClass::Unreachable, "Try again later.")
            }
            // What the host keeps back of an answer is the rest of it.
            "" if matches!(self.status, 401 | 403) => (
                FailureClass::RefusedCredentials,
                "Check the access key, and what it may do with this key.",
            ),
            _ => (
                FailureClass::Protocol,
                "Check that the server is AWS KMS, or speaks its protocol.",
            ),
        }
    }
}

/// The code of a refusal: in JSON, or in the XML of what stands before the service.
fn code(document: &[u8]) -> Option<String> {
    let json = serde_json::from_slice::<Value>(document).unwrap_or_default();
    let code = match json.get("__type").and_then(Value::as_str) {
        Some(code) => code.rsplit('#').next().unwrap_or(code).to_owned(),
        None => {
            let text = String::from_utf8_lossy(document);
            let (_, rest) = text.split_once("<Code>")?;
            rest.split_once("</Code>")?.0.to_owned()
        }
    };
    let is_word =
        (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then_some(code)
}

/// Whether a code may be about the time of a request. The service has one for a wrong signature and
/// for one that is too old.
fn is_said_of_clocks(code: &str) -> bool {
    matches!(
        code,
        "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "RequestTimeTooSkewed"
            | "RequestExpired"
    )
}

fn skewed(ahead: i64, code: &str) -> Failure {
    let direction = match ahead < 0 {
        true => " s behind that of AWS KMS (",
        false => " s ahead of that of AWS KMS (",
    };
    let seconds = ahead.unsigned_abs().to_string();
    let text = joined(&["this host's clock is ", &seconds, direction, code, ")"]);
    Failure::new(FailureClass::RefusedCredentials, text).with_hint(KEEP_TIME)
}

/// What to check where there is no such key: a service knows the keys of its own region.
fn where_to_look(plan: &Plan) -> String {
    let key = plan.setting(KEY).unwrap_or_default();
    let Some(arn) = key.strip_prefix("arn:") else {
        return "Check the key's name, and REGION: the key may lie in another region.".to_owned();
    };
    match arn.split(':').nth(2) {
        Some(region) if is_dns_label(region) && Some(region) != plan.setting(REGION) => joined(&[
            "Check REGION: the key's ARN is one of the region ",
            region,
            ".",
        ]),
        _ => "Check the key's ARN: its account has no such key in this region.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(key: &str) -> Plan {
        let plan = Plan::new(portolan_sdk::Kind::Kms);
        plan.set(REGION, "eu-central-1").set(KEY, key)
    }

    fn refusal<'a>(request: &'a str, status: u16, body: &'a str) -> Refusal<'a> {
        Refusal {
            request,
            status,
            document: body.as_bytes(),
            clock_ahead: None,
            behind_alias: None,
        }
    }

    #[test]
    fn a_refusal_is_classed_by_its_code_and_says_what_to_do() {
        for (request, status, body, class, message, hint) in [
            (
                "decrypt",
                400,
                r#"{"__type":"com.amazonaws.kms#AccessDeniedException","Message":"hunter2"}"#,
                FailureClass::Denied,
                "AWS KMS answered 400 AccessDeniedException",
                "kms:Decrypt",
            ),
            (
                "encrypt",
                400,
                r#"{"__type":"AccessDeniedException"}"#,
                FailureClass::Denied,
                "AWS KMS answered 400 AccessDeniedException",
                "kms:Encrypt",
            ),
            (
                "encrypt",
                400,
                r#"{"__type":"DisabledException","message":"arn is disabled."}"#,
                FailureClass::Denied,
                "AWS KMS answered 400 DisabledException",
                "Enable the key.",
            ),
            (
                "encrypt",
                400,
                r#"{"__type":"InvalidSignatureException","message":"Signature expired: a is now earlier than b"}"#,
                FailureClass::RefusedCredentials,
                "AWS KMS answered 400 InvalidSignatureException",
                "AWS_SECRET_ACCESS_KEY",
            ),
            (
                "encrypt",
                403,
                "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>hunter2</Message></Error></ErrorResponse>",
                FailureClass::RefusedCredentials,
                "AWS KMS answered 403 SignatureDoesNotMatch",
                "AWS_SECRET_ACCESS_KEY",
            ),
            (
                "encrypt",
                400,
                r#"{"__type":"a b"}"#,
                FailureClass::Protocol,
                "AWS KMS answered 400",
                "protocol",
            ),
            (
                "decrypt",
                403,
                "",
                FailureClass::RefusedCredentials,
                "AWS KMS answered 403",
                "access key",
            ),
            (
                "encrypt",
                503,
                "busy",
                FailureClass::Unreachable,
                "AWS KMS answered 503",
                "later",
            ),
            (
                "encrypt",
                404,
                "<html>",
                FailureClass::Protocol,
                "AWS KMS answered 404",
                "protocol",
            ),
        ] {
            let failure = refusal(request, status, body).failure(&plan("alias/a"));
            assert_eq!(
                (&failure.class, failure.message.as_str()),
                (&class, message)
            );
            assert!(
                failure.hint.is_some_and(|told| told.contains(hint)),
                "{message}"
            );
        }
    }

    #[test]
    fn a_refused_signature_is_the_clocks_where_the_clocks_are_apart() {
        let told = |code: &str, clock_ahead| {
            let body = joined(&[r#"{"__type":""#, code, r#""}"#]);
            let refusal = Refusal {
                clock_ahead,
                ..refusal("encrypt", 400, &body)
            };
            let failure = refusal.failure(&plan("alias/a"));
            (failure.message, failure.hint.expect("a hint"))
        };
        for (code, ahead, message, hint) in [
            (
                "InvalidSignatureException",
                Some(-3600),
                "this host's clock is 3600 s behind that of AWS KMS (InvalidSignatureException)",
                "Set this host's clock, and keep it by NTP.",
            ),
            (
                "RequestExpired",
                Some(901),
                "this host's clock is 901 s ahead of that of AWS KMS (RequestExpired)",
                "Set this host's clock, and keep it by NTP.",
            ),
            (
                "RequestExpired",
                None,
                "AWS KMS answered 400 RequestExpired",
                "Set this host's clock, and keep it by NTP.",
            ),
            // A clock that is wrong does not hide what is wrong besides.
            (
                "DisabledException",
                Some(-3600),
                "AWS KMS answered 400 DisabledException",
                "Enable the key.",
            ),
        ] {
            assert_eq!(
                told(code, ahead),
                (message.to_owned(), hint.to_owned()),
                "{code}"
            );
        }
    }

    #[test]
    fn a_key_that_is_not_there_may_be_in_another_region() {
        let body = r#"{"__type":"NotFoundException","message":"hunter2"}"#;
        for (key, hint) in [
            (
                "alias/a",
                "Check the key's name, and REGION: the key may lie in another region.",
            ),
            (
                "0a1b",
                "Check the key's name, and REGION: the key may lie in another region.",
            ),
            (
                "arn:aws:kms:us-east-1:1:key/0a1b",
                "Check REGION: the key's ARN is one of the region us-east-1.",
            ),
            (
                "arn:aws:kms:eu-central-1:1:key/0a1b",
                "Check the key's ARN: its account has no such key in this region.",
            ),
            (
                "arn:aws",
                "Check the key's ARN: its account has no such key in this region.",
            ),
        ] {
            let failure = refusal("encrypt", 400, body).failure(&plan(key));
            assert_eq!(failure.class, FailureClass::NotFound);
            assert_eq!(failure.message, "AWS KMS answered 400 NotFoundException");
            assert_eq!(failure.hint.as_deref(), Some(hint), "{key}");
        }
    }

    #[test]
    fn a_refusal_to_decrypt_names_the_key_that_an_alias_stood_for() {
        const ARN: &str = "arn:aws:kms:eu-central-1:1:key/0a1b";
        for (code, class, hint) in [
            (
                "AccessDeniedException",
                FailureClass::Denied,
                "not under kms:RequestAlias",
            ),
            ("DisabledException", FailureClass::Denied, "Enable the key."),
            (
                "NotFoundException",
                FailureClass::NotFound,
                "Look for that key",
            ),
            (
                "IncorrectKeyException",
                FailureClass::Protocol,
                "was encrypted with",
            ),
        ] {
            let body = joined(&[r#"{"__type":""#, code, r#""}"#]);
            let refusal = Refusal {
                behind_alias: Some(ARN),
                ..refusal("decrypt", 400, &body)
            };
            let failure = refusal.failure(&plan("alias/a"));
            assert_eq!(failure.class, class);
            assert_eq!(
                failure.message,
                format!("AWS KMS answered 400 {code}; the content was encrypted with {ARN}")
            );
            let told = failure.hint.expect("a hint");
            assert!(told.contains(hint), "{code}: {told}");
        }
        // A clock is not the key's.
        let refusal = Refusal {
            behind_alias: Some(ARN),
            clock_ahead: Some(-3600),
            ..refusal("decrypt", 400, r#"{"__type":"RequestExpired"}"#)
        };
        assert_eq!(
            refusal.failure(&plan("alias/a")).message,
            "this host's clock is 3600 s behind that of AWS KMS (RequestExpired)"
        );
    }
}
