//! What the service says when it does not: classed by its code, with what to do about it.

use portolan_google::Told;
use portolan_sdk::{Failure, FailureClass};

/// The failure of a request that was answered with another status than 200.
pub(crate) fn refused(request: &str, status: u16, body: &[u8]) -> Failure {
    let told = Told::of(body);
    let (class, hint) = meaning(&told, request, status);
    told.failure("Pub/Sub", status, class, hint)
}

fn meaning(told: &Told, request: &str, status: u16) -> (FailureClass, &'static str) {
    match told.code() {
        "UNAUTHENTICATED" => (
            FailureClass::RefusedCredentials,
            "Give CREDENTIALS whose key was not deleted; their tokens are renewed by the host.",
        ),
        "PERMISSION_DENIED" if told.reason() == "SERVICE_DISABLED" => (
            FailureClass::Denied,
            "Enable the Cloud Pub/Sub API in the project of the credentials.",
        ),
        "PERMISSION_DENIED" if request == "publish" => (
            FailureClass::Denied,
            "Grant the role Pub/Sub Publisher on the topic: it has pubsub.topics.publish.",
        ),
        "PERMISSION_DENIED" => (
            FailureClass::Denied,
            "Grant the role Pub/Sub Viewer on the project: it has pubsub.topics.get and \
             pubsub.topics.list.",
        ),
        "NOT_FOUND" if request == "topics" => (
            FailureClass::NotFound,
            "Check the project in the URI, and that the credentials have access to it.",
        ),
        "NOT_FOUND" => (
            FailureClass::NotFound,
            "Create the topic, or check its name and the project in the URI.",
        ),
        "INVALID_ARGUMENT" => (
            FailureClass::Unsupported,
            "A message has at most 10 MB, a key of at most 1,024 bytes and 100 attributes, and is \
             not empty; check it, and the policy of the topic for regions and schemas.",
        ),
        "FAILED_PRECONDITION" => (
            FailureClass::Denied,
            "Look at the topic: its encryption key may be disabled, or its regions be restricted.",
        ),
        _ if status >= 500 || status == 429 => (FailureClass::Unreachable, "Try again later."),
        "" if matches!(status, 401 | 403) => (
            FailureClass::RefusedCredentials,
            "Check the credentials, and what they may do with this topic.",
        ),
        _ => (
            FailureClass::Protocol,
            "Look for a proxy on the way that answers in the place of Pub/Sub.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classed_by_its_code_and_says_what_to_do() {
        let denied = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","message":"hunter2"}}"#;
        let disabled = denied.replace(
            "\"message\"",
            "\"details\":[{\"reason\":\"SERVICE_DISABLED\"}],\"message\"",
        );
        let status = |word: &str| denied.replace("PERMISSION_DENIED", word);
        for (request, code, body, class, message, hint) in [
            (
                "publish",
                403,
                denied.to_owned(),
                FailureClass::Denied,
                "403 PERMISSION_DENIED",
                "topics.publish",
            ),
            (
                "topic",
                403,
                denied.to_owned(),
                FailureClass::Denied,
                "403 PERMISSION_DENIED",
                "topics.get",
            ),
            (
                "publish",
                403,
                disabled,
                FailureClass::Denied,
                "403 PERMISSION_DENIED (SERVICE_DISABLED)",
                "Enable the Cloud Pub/Sub API",
            ),
            (
                "topics",
                404,
                status("NOT_FOUND"),
                FailureClass::NotFound,
                "404 NOT_FOUND",
                "Check the project",
            ),
            (
                "publish",
                404,
                status("NOT_FOUND"),
                FailureClass::NotFound,
                "404 NOT_FOUND",
                "Create the topic",
            ),
            (
                "publish",
                400,
                status("INVALID_ARGUMENT"),
                FailureClass::Unsupported,
                "400 INVALID_ARGUMENT",
                "10 MB",
            ),
            (
                "publish",
                401,
                status("UNAUTHENTICATED"),
                FailureClass::RefusedCredentials,
                "401 UNAUTHENTICATED",
                "key",
            ),
            (
                "publish",
                429,
                status("RESOURCE_EXHAUSTED"),
                FailureClass::Unreachable,
                "429 RESOURCE_EXHAUSTED",
                "later",
            ),
            (
                "publish",
                503,
                String::new(),
                FailureClass::Unreachable,
                "503",
                "later",
            ),
            (
                "topic",
                401,
                String::new(),
                FailureClass::RefusedCredentials,
                "401",
                "credentials",
            ),
            (
                "topic",
                404,
                "<html>".to_owned(),
                FailureClass::Protocol,
                "404",
                "proxy",
            ),
        ] {
            let failure = refused(request, code, body.as_bytes());
            assert_eq!(failure.class, class, "{message}");
            assert_eq!(failure.message, format!("Pub/Sub answered {message}"));
            assert!(
                failure.hint.is_some_and(|told| told.contains(hint)),
                "{message}"
            );
        }
    }
}
