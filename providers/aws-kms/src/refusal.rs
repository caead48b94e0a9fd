//! What the service says when it does not: classed by its code, with what to do about it.

use portolan_sdk::{Failure, FailureClass, joined};
use serde_json::Value;

/// The failure of a request that was answered with another status than 200.
pub(crate) fn refused(request: &str, status: u16, body: &[u8]) -> Failure {
    let (code, message) = told(body);
    let (class, hint) = meaning(request, status, &code, &message);
    let status = status.to_string();
    let mut text = joined(&["AWS KMS answered ", &status]);
    for more in [code, message] {
        if !more.is_empty() {
            text.push(' ');
            text.push_str(&more);
        }
    }
    Failure::new(class, text).with_hint(hint)
}

/// The code and the message of a refusal: in JSON, or in the XML of what stands before the service.
fn told(body: &[u8]) -> (String, String) {
    let document = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let member = |name: &str| document.get(name).and_then(Value::as_str);
    if let Some(code) = member("__type") {
        let code = code.rsplit('#').next().unwrap_or(code);
        let message = member("message").or_else(|| member("Message"));
        return (code.to_owned(), message.unwrap_or_default().to_owned());
    }
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (_, rest) = text.split_once(&joined(&["<", name, ">"]))?;
        let (inside, _) = rest.split_once(&joined(&["</", name, ">"]))?;
        Some(inside.to_owned())
    };
    let code = element("Code").unwrap_or_default();
    (code, element("Message").unwrap_or_default())
}

fn meaning(request: &str, status: u16, code: &str, message: &str) -> (FailureClass, &'static str) {
    let is_skewed = ["Signature expired", "not yet current"]
        .iter()
        .any(|words| message.contains(words));
    match code {
        _ if is_skewed => (
            FailureClass::RefusedCredentials,
            "Set the clock of this server, and keep it by NTP.",
        ),
        "RequestTimeTooSkewed" | "RequestExpired" => (
            FailureClass::RefusedCredentials,
            "Set the clock of this server, and keep it by NTP.",
        ),
        "AccessDeniedException" | "AccessDenied" if request == "encrypt" => (
            FailureClass::Denied,
            "Allow kms:Encrypt on this key, in its policy or in that of the user or role.",
        ),
        "AccessDeniedException" | "AccessDenied" => (
            FailureClass::Denied,
            "Allow kms:Decrypt on this key, in its policy or in that of the user or role.",
        ),
        "NotFoundException" => (
            FailureClass::NotFound,
            "Check the key's name and REGION: a key is in one region of one account.",
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
        _ if status >= 500 || status == 429 || code == "ThrottlingException" => {
            (FailureClass::Unreachable, "Try again later.")
        }
        // What the host keeps back of an answer is the rest of it.
        "" if matches!(status, 401 | 403) => (
            FailureClass::RefusedCredentials,
            "Check the access key, and what it may do with this key.",
        ),
        _ => (
            FailureClass::Protocol,
            "Check that the server is AWS KMS, or speaks its protocol.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classed_by_its_code_and_says_what_to_do() {
        for (request, status, body, class, message, hint) in [
            (
                "decrypt",
                400,
                r#"{"__type":"com.amazonaws.kms#AccessDeniedException","Message":"no"}"#,
                FailureClass::Denied,
                "AWS KMS answered 400 AccessDeniedException no",
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
                "AWS KMS answered 400 DisabledException arn is disabled.",
                "Enable the key.",
            ),
            (
                "encrypt",
                400,
                r#"{"__type":"InvalidSignatureException","message":"Signature expired: a is now earlier than b"}"#,
                FailureClass::RefusedCredentials,
                "AWS KMS answered 400 InvalidSignatureException Signature expired: a is now earlier than b",
                "clock",
            ),
            (
                "encrypt",
                403,
                "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>it does not</Message></Error></ErrorResponse>",
                FailureClass::RefusedCredentials,
                "AWS KMS answered 403 SignatureDoesNotMatch it does not",
                "AWS_SECRET_ACCESS_KEY",
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
            let failure = refused(request, status, body.as_bytes());
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
}
