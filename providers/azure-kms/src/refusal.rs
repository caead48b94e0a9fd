//! What the service says when it does not: classed by its code, with what to do about it.

use portolan_sdk::{Failure, FailureClass, joined};
use serde_json::Value;

/// The failure of a request that was answered with another status than 200. The message of the
/// service is not repeated.
pub(crate) fn refused(request: &str, status: u16, body: &[u8]) -> Failure {
    let document = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let word = |pointer: &str| {
        let text = document.pointer(pointer).and_then(Value::as_str)?;
        let is_word =
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_word.then_some(text)
    };
    let code = word("/error/code");
    let inner = word("/error/innererror/code");
    let (class, hint) = meaning(
        request,
        status,
        code.unwrap_or_default(),
        inner.unwrap_or_default(),
    );
    let mut text = joined(&["Azure Key Vault answered ", &status.to_string()]);
    if let Some(code) = code {
        text.push_str(&joined(&[" ", code]));
    }
    if let Some(inner) = inner {
        text.push_str(&joined(&[" (", inner, ")"]));
    }
    Failure::new(class, text).with_hint(hint)
}

fn meaning(request: &str, status: u16, code: &str, inner: &str) -> (FailureClass, &'static str) {
    match (code, inner) {
        (_, "KeyDisabled") => (
            FailureClass::Denied,
            "Enable this version of the key, or name one that is enabled.",
        ),
        (_, "KeyExpired" | "KeyNotYetValid") => (
            FailureClass::Denied,
            "Look at the dates between which the key is valid.",
        ),
        (_, "ForbiddenByFirewall" | "ForbiddenByConnection") => (
            FailureClass::Denied,
            "Allow the address of this server in the firewall of the vault.",
        ),
        ("Forbidden" | "AccessDenied", _) if request == "encrypt" => (
            FailureClass::Denied,
            "Allow the application to encrypt: by the role Key Vault Crypto User, or the key \
             permission Encrypt of the vault's access policy. A disabled key is refused as well.",
        ),
        ("Forbidden" | "AccessDenied", _) => (
            FailureClass::Denied,
            "Allow the application to decrypt: by the role Key Vault Crypto User, or the key \
             permission Decrypt of the vault's access policy. A disabled key is refused as well.",
        ),
        ("KeyNotFound", _) => (
            FailureClass::NotFound,
            "Check the key's name and version, and AZURE_VAULT_NAME.",
        ),
        ("Unauthorized", _) => (
            FailureClass::RefusedCredentials,
            "Check that AZURE_TENANT_ID is the tenant of the vault.",
        ),
        ("BadParameter", _) if request == "encrypt" => (
            FailureClass::Unsupported,
            "Give a key of RSA with at least 2048 bits that is for encryption and decryption.",
        ),
        ("BadParameter", _) => (
            FailureClass::Protocol,
            "Check that the connection names the key that encrypted the content.",
        ),
        _ if status >= 500 || status == 429 => (FailureClass::Unreachable, "Try again later."),
        // What the host keeps back of an answer is the rest of it.
        ("", _) if matches!(status, 401 | 403) => (
            FailureClass::RefusedCredentials,
            "Check the credentials, and what they may do with this key.",
        ),
        _ => (
            FailureClass::Protocol,
            "Look for a proxy on the way that answers in the place of Azure Key Vault.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classed_by_its_code_and_says_what_to_do() {
        let forbidden = r#"{"error":{"code":"Forbidden","message":"hunter2","innererror":{"code":"ForbiddenByRbac"}}}"#;
        let inner = |code| forbidden.replace("ForbiddenByRbac", code);
        for (request, status, body, class, message, hint) in [
            (
                "encrypt",
                403,
                forbidden.to_owned(),
                FailureClass::Denied,
                "Azure Key Vault answered 403 Forbidden (ForbiddenByRbac)",
                "permission Encrypt",
            ),
            (
                "decrypt",
                403,
                inner("a b"),
                FailureClass::Denied,
                "Azure Key Vault answered 403 Forbidden",
                "permission Decrypt",
            ),
            (
                "encrypt",
                403,
                inner("KeyDisabled"),
                FailureClass::Denied,
                "Azure Key Vault answered 403 Forbidden (KeyDisabled)",
                "Enable this version",
            ),
            (
                "encrypt",
                403,
                inner("ForbiddenByFirewall"),
                FailureClass::Denied,
                "Azure Key Vault answered 403 Forbidden (ForbiddenByFirewall)",
                "firewall",
            ),
            (
                "encrypt",
                404,
                r#"{"error":{"code":"KeyNotFound"}}"#.to_owned(),
                FailureClass::NotFound,
                "Azure Key Vault answered 404 KeyNotFound",
                "AZURE_VAULT_NAME",
            ),
            (
                "encrypt",
                401,
                r#"{"error":{"code":"Unauthorized"}}"#.to_owned(),
                FailureClass::RefusedCredentials,
                "Azure Key Vault answered 401 Unauthorized",
                "AZURE_TENANT_ID",
            ),
            (
                "decrypt",
                400,
                r#"{"error":{"code":"BadParameter"}}"#.to_owned(),
                FailureClass::Protocol,
                "Azure Key Vault answered 400 BadParameter",
                "encrypted the content",
            ),
            (
                "encrypt",
                429,
                r#"{"error":{"code":"Throttled"}}"#.to_owned(),
                FailureClass::Unreachable,
                "Azure Key Vault answered 429 Throttled",
                "later",
            ),
            (
                "decrypt",
                403,
                String::new(),
                FailureClass::RefusedCredentials,
                "Azure Key Vault answered 403",
                "credentials",
            ),
            (
                "encrypt",
                404,
                "<html>".to_owned(),
                FailureClass::Protocol,
                "Azure Key Vault answered 404",
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
