//! The requests to the endpoint, and what their answers mean. The host puts path, parameters and
//! credentials in.

use portolan_sdk::lent::http::{Request, send};
use portolan_sdk::lent::parts::Part;
use portolan_sdk::{Failure, FailureClass};
use portolan_web::{SERVER, answered};

/// What posts to the endpoint: the host, or a record in a test.
pub(crate) trait Endpoint: std::fmt::Debug {
    /// Asks whether anything answers: the status.
    ///
    /// # Errors
    ///
    /// Nothing did.
    fn look(&self) -> Result<u16, Failure>;

    /// Posts a body: the status.
    ///
    /// # Errors
    ///
    /// Nothing answered; the endpoint may have taken it.
    fn post(&self, body: Vec<u8>) -> Result<u16, Failure>;
}

/// The endpoint, through what the host lends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lent;

impl Endpoint for Lent {
    fn look(&self) -> Result<u16, Failure> {
        ask("look", "HEAD", Vec::new())
    }

    fn post(&self, body: Vec<u8>) -> Result<u16, Failure> {
        ask("post", "POST", vec![Part::Bytes(body)])
    }
}

fn ask(rule: &str, method: &str, body: Vec<Part>) -> Result<u16, Failure> {
    let response = send(Request {
        rule: rule.to_owned(),
        endpoint: SERVER,
        method: method.to_owned(),
        path: Vec::new(),
        query: Vec::new(),
        headers: Vec::new(),
        body,
        keep_opaque: Vec::new(),
    })?;
    Ok(response.status)
}

/// Whether a status says that the endpoint took what was posted.
///
/// # Errors
///
/// It did not; 404 is the endpoint's own here, and no matter of a missing topic.
pub(crate) fn taken(status: u16) -> Result<(), Failure> {
    match status {
        200..=299 => Ok(()),
        // What a message should be is nothing that the same message becomes by being sent again.
        400 | 422 => Err(Failure {
            class: FailureClass::Unsupported,
            ..answered("the endpoint", status)
        }
        .with_hint("Look into the log of the endpoint for what it does not like in the messages.")),
        _ => Err(answered("the endpoint", status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_status_of_success_is_an_acknowledgement() {
        for status in [200, 201, 202, 204] {
            assert_eq!(taken(status), Ok(()));
        }
        for (status, class) in [
            (302, FailureClass::Protocol),
            (400, FailureClass::Unsupported),
            (401, FailureClass::RefusedCredentials),
            (404, FailureClass::NotFound),
            (429, FailureClass::Unreachable),
            (500, FailureClass::Unreachable),
        ] {
            let failure = taken(status).expect_err("refused");
            assert_eq!(failure.class, class);
            assert_eq!(failure.message, format!("the endpoint answered {status}"));
        }
    }
}
