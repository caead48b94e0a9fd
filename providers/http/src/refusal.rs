//! What a schema registry says when it does not: classed by its code, with what to do about it.

use portolan_sdk::{Failure, FailureClass, joined};
use portolan_web::answered;
use serde_json::Value;

use crate::registry::Answer;

/// The server answers, but not as a registry.
pub(crate) fn no_registry() -> Failure {
    Failure::new(
        FailureClass::Protocol,
        "the server does not answer as a schema registry",
    )
    .with_hint(
        "Check the host and the path of the URI: a registry lists its subjects at PATH/subjects.",
    )
}

/// The failure of a request that was answered with another status than 200. The registry's own
/// message may repeat a schema, and is not told.
pub(crate) fn refused(answer: &Answer) -> Failure {
    let document = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let code = document.get("error_code").and_then(Value::as_u64);
    let (class, hint) = match code {
        Some(40401) => (
            FailureClass::NotFound,
            "List the subjects to see which there are.",
        ),
        Some(40402 | 40403) => (
            FailureClass::NotFound,
            "Check the number; the registry may be another than the one that gave it.",
        ),
        Some(409) => (
            FailureClass::Denied,
            "Change the schema so that it is compatible with those before it, or the subject's \
             compatibility in the registry.",
        ),
        Some(42201) => (
            FailureClass::Unsupported,
            "Check the schema, and that it is of the type that is said.",
        ),
        Some(40301) => (
            FailureClass::Denied,
            "Let the user of the connection do this with the subject.",
        ),
        Some(42205) => (
            FailureClass::Denied,
            "Set the mode of the subject or of the registry to READWRITE.",
        ),
        Some(50001..=50004) => (FailureClass::Unreachable, "Try again later."),
        _ => {
            let failure = answered("the schema registry", answer.status);
            return match code {
                Some(code) => Failure {
                    message: joined(&[&failure.message, " (", &code.to_string(), ")"]),
                    ..failure
                },
                None => failure,
            };
        }
    };
    let told = joined(&[
        "the schema registry answered ",
        &answer.status.to_string(),
        " (",
        &code.unwrap_or_default().to_string(),
        ")",
    ]);
    Failure::new(class, told).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classed_by_its_code_and_repeats_nothing() {
        for (status, body, class, message) in [
            (
                404,
                r#"{"error_code":40401,"message":"hunter2"}"#,
                FailureClass::NotFound,
                "404 (40401)",
            ),
            (
                404,
                r#"{"error_code":40403}"#,
                FailureClass::NotFound,
                "404 (40403)",
            ),
            (
                409,
                r#"{"error_code":409,"message":"hunter2"}"#,
                FailureClass::Denied,
                "409 (409)",
            ),
            (
                422,
                r#"{"error_code":42201}"#,
                FailureClass::Unsupported,
                "422 (42201)",
            ),
            (
                422,
                r#"{"error_code":42205}"#,
                FailureClass::Denied,
                "422 (42205)",
            ),
            (
                403,
                r#"{"error_code":40301}"#,
                FailureClass::Denied,
                "403 (40301)",
            ),
            (
                500,
                r#"{"error_code":50001}"#,
                FailureClass::Unreachable,
                "500 (50001)",
            ),
            (
                401,
                r#"{"error_code":40101}"#,
                FailureClass::RefusedCredentials,
                "401 (40101)",
            ),
            (401, "<html>", FailureClass::RefusedCredentials, "401"),
            (503, "", FailureClass::Unreachable, "503"),
            (302, "", FailureClass::Protocol, "302"),
        ] {
            let failure = refused(&Answer {
                status,
                content_type: String::new(),
                body: body.as_bytes().to_vec(),
            });
            assert_eq!(failure.class, class, "{body}");
            assert_eq!(
                failure.message,
                format!("the schema registry answered {message}")
            );
            assert!(failure.hint.is_some());
        }
    }
}
