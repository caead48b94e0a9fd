//! What the service says when it does not: classed by its code, with what to do about it.

use portolan_google::Told;
use portolan_sdk::{Failure, FailureClass};

/// The failure of a request that was answered with another status than 200.
pub(crate) fn refused(request: &str, status: u16, body: &[u8]) -> Failure {
    let told = Told::of(body);
    let (class, hint) = meaning(&told, request, status);
    told.failure("Google Cloud KMS", status, class, hint)
}

fn meaning(told: &Told, request: &str, status: u16) -> (FailureClass, &'static str) {
    let reason = told.reason();
    let tells = |words: &str| told.tells(words);
    match told.code() {
        "UNAUTHENTICATED" => (
            FailureClass::RefusedCredentials,
            "Give a BEARER_TOKEN that is still valid, or CREDENTIALS, whose tokens are renewed.",
        ),
        "PERMISSION_DENIED" if reason == "SERVICE_DISABLED" => (
            FailureClass::Denied,
            "Enable the Cloud KMS API in the project of the credentials.",
        ),
        "PERMISSION_DENIED" if reason == "ACCESS_TOKEN_SCOPE_INSUFFICIENT" || tells("scopes") => (
            FailureClass::Denied,
            "Give a BEARER_TOKEN for the scope cloudkms or cloud-platform.",
        ),
        "PERMISSION_DENIED" if request == "encrypt" => (
            FailureClass::Denied,
            "Grant the role Cloud KMS CryptoKey Encrypter/Decrypter on the key: it has \
                 cloudkms.cryptoKeyVersions.useToEncrypt.",
        ),
        "PERMISSION_DENIED" => (
            FailureClass::Denied,
            "Grant the role Cloud KMS CryptoKey Encrypter/Decrypter on the key: it has \
                 cloudkms.cryptoKeyVersions.useToDecrypt.",
        ),
        "NOT_FOUND" => (
            FailureClass::NotFound,
            "Check the key's project, location, key ring and name.",
        ),
        "FAILED_PRECONDITION" if reason == "KEY_DISABLED" || tells("DISABLED") => (
            FailureClass::Denied,
            "Enable the key's version, or make an enabled one the primary version.",
        ),
        "FAILED_PRECONDITION" => (
            FailureClass::Denied,
            "Look at the state of the key's primary version: it may be disabled, or about to \
                 be destroyed.",
        ),
        "INVALID_ARGUMENT" if request == "encrypt" => (
            FailureClass::Unsupported,
            "Give a key whose purpose is symmetric encryption and decryption.",
        ),
        "INVALID_ARGUMENT" => (
            FailureClass::Protocol,
            "Check that the connection names the key that encrypted the content.",
        ),
        _ if status >= 500 || status == 429 => (FailureClass::Unreachable, "Try again later."),
        // What the host keeps back of an answer is the rest of it.
        "" if matches!(status, 401 | 403) => (
            FailureClass::RefusedCredentials,
            "Check the credentials, and what they may do with this key.",
        ),
        _ => (
            FailureClass::Protocol,
            "Look for a proxy on the way that answers in the place of Google Cloud KMS.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classed_by_its_code_and_says_what_to_do() {
        let denied = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"hunter2"}}"#;
        let scope = denied.replace("hunter2", "Request had insufficient authentication scopes.");
        let reason = |reason| {
            denied.replace(
                "\"message\"",
                &format!("\"details\":[{{\"reason\":\"{reason}\"}}],\"message\""),
            )
        };
        let unavailable = reason("SERVICE_DISABLED");
        let strange = reason("a b");
        for (request, status, body, class, message, hint) in [
            (
                "encrypt",
                403,
                denied,
                FailureClass::Denied,
                "Google Cloud KMS answered 403 PERMISSION_DENIED",
                "useToEncrypt",
            ),
            (
                "decrypt",
                403,
                strange.as_str(),
                FailureClass::Denied,
                "Google Cloud KMS answered 403 PERMISSION_DENIED",
                "useToDecrypt",
            ),
            (
                "decrypt",
                403,
                scope.as_str(),
                FailureClass::Denied,
                "Google Cloud KMS answered 403 PERMISSION_DENIED",
                "scope",
            ),
            (
                "encrypt",
                403,
                unavailable.as_str(),
                FailureClass::Denied,
                "Google Cloud KMS answered 403 PERMISSION_DENIED (SERVICE_DISABLED)",
                "Enable the Cloud KMS API",
            ),
            (
                "encrypt",
                400,
                r#"{"error":{"status":"FAILED_PRECONDITION","details":[{"violations":[{"type":"KEY_DISABLED"}]}]}}"#,
                FailureClass::Denied,
                "Google Cloud KMS answered 400 FAILED_PRECONDITION (KEY_DISABLED)",
                "Enable the key's version",
            ),
            (
                "encrypt",
                400,
                r#"{"error":{"status":"FAILED_PRECONDITION"}}"#,
                FailureClass::Denied,
                "Google Cloud KMS answered 400 FAILED_PRECONDITION",
                "state",
            ),
            (
                "decrypt",
                400,
                r#"{"error":{"status":"INVALID_ARGUMENT"}}"#,
                FailureClass::Protocol,
                "Google Cloud KMS answered 400 INVALID_ARGUMENT",
                "encrypted the content",
            ),
            (
                "encrypt",
                429,
                r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#,
                FailureClass::Unreachable,
                "Google Cloud KMS answered 429 RESOURCE_EXHAUSTED",
                "later",
            ),
            (
                "decrypt",
                401,
                "",
                FailureClass::RefusedCredentials,
                "Google Cloud KMS answered 401",
                "credentials",
            ),
            (
                "encrypt",
                404,
                "<html>",
                FailureClass::Protocol,
                "Google Cloud KMS answered 404",
                "proxy",
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
