//! What a status that refuses means, whoever answers it.

use portolan_sdk::{Failure, FailureClass, joined};

/// The failure that a status is, `who` being the server in a sentence: `the endpoint answered 403`.
/// The rest of an answer may repeat what was sent, so nothing of it is told.
#[must_use]
pub fn answered(who: &str, status: u16) -> Failure {
    let (class, hint) = match status {
        300..=399 => (
            FailureClass::Protocol,
            "The host follows no redirect: write the URI that it leads to.",
        ),
        401 | 407 => (
            FailureClass::RefusedCredentials,
            "Check the credentials in the URI: user and password, client certificate, parameters.",
        ),
        403 => (
            FailureClass::Denied,
            "Let the server accept these credentials for this path.",
        ),
        404 | 410 => (FailureClass::NotFound, "Check the path of the URI."),
        405 | 501 => (
            FailureClass::Unsupported,
            "Check that the URI is that of the service which is meant.",
        ),
        413 => (
            FailureClass::Budget,
            "Send smaller messages, or raise the limit of the server for a body.",
        ),
        408 | 425 | 429 | 500..=599 => (FailureClass::Unreachable, "Try again later."),
        _ => (
            FailureClass::Protocol,
            "Look into the log of the server for why it refuses.",
        ),
    };
    let text = joined(&[who, " answered ", &status.to_string()]);
    Failure::new(class, text).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_classed_by_what_can_be_done_about_it() {
        for (status, class) in [
            (301, FailureClass::Protocol),
            (400, FailureClass::Protocol),
            (401, FailureClass::RefusedCredentials),
            (403, FailureClass::Denied),
            (404, FailureClass::NotFound),
            (405, FailureClass::Unsupported),
            (413, FailureClass::Budget),
            (429, FailureClass::Unreachable),
            (503, FailureClass::Unreachable),
        ] {
            let failure = answered("the endpoint", status);
            assert_eq!(failure.class, class, "{status}");
            assert_eq!(failure.message, format!("the endpoint answered {status}"));
            assert!(failure.hint.is_some());
        }
    }
}
