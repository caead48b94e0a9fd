//! What the server says when it does not: classed by its SQLSTATE, with what to do about it.

use fallible_iterator::FallibleIterator;
use portolan_sdk::{Failure, FailureClass, joined};
use postgres_protocol::message::backend::ErrorResponseBody;

/// The fact of a failure that holds the server's SQLSTATE.
const SQLSTATE: &str = "sqlstate";

/// What the server said.
pub(crate) fn failure(body: &ErrorResponseBody) -> Failure {
    let mut code = String::new();
    let mut message = String::new();
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = || String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = value(),
            b'M' => message = value(),
            _ => {}
        }
    }
    told(code, &message)
}

/// Whether the server turned the connection away before it asked for anything, so that it may take
/// it with TLS, or without.
pub(crate) fn is_of_the_way(failure: &Failure) -> bool {
    let mut facts = failure.facts.iter();
    facts.any(|(name, code)| name == SQLSTATE && code == "28000")
}

fn told(code: String, message: &str) -> Failure {
    let (class, hint) = meaning(&code, message);
    let mut failure = Failure::new(class, joined(&["the server answered: ", message]));
    failure.hint = hint.map(str::to_owned);
    failure.facts.push((SQLSTATE.to_owned(), code));
    failure
}

fn meaning(code: &str, message: &str) -> (FailureClass, Option<&'static str>) {
    let says = |words: &str| message.contains(words);
    match code {
        "28P01" => (
            FailureClass::RefusedCredentials,
            Some("Check the user and the password; in a URI a % is written %25 and an @ %40."),
        ),
        "28000" if says("client certificate") => (
            FailureClass::RefusedCredentials,
            Some(
                "Give a certificate that the server's authority has issued: sslcert, sslkey and \
                 sslinline=true.",
            ),
        ),
        "28000" if says("certificate authentication failed") => (
            FailureClass::RefusedCredentials,
            Some("Give a certificate whose common name is the user, or map it in pg_ident.conf."),
        ),
        "28000" if says("pg_hba.conf") && says("no encryption") => (
            FailureClass::RefusedCredentials,
            Some("The server wants TLS: write sslmode=verify-full. Or add a line to pg_hba.conf."),
        ),
        "28000" if says("pg_hba.conf") => (
            FailureClass::RefusedCredentials,
            Some("Add a line for this host, user and database to the server's pg_hba.conf."),
        ),
        "28000" if says("does not exist") => (
            FailureClass::RefusedCredentials,
            Some("Create the role, or check the spelling of the user."),
        ),
        _ if code.starts_with("28") => (
            FailureClass::RefusedCredentials,
            Some("Check the user and the password, and the server's pg_hba.conf."),
        ),
        "3D000" => (
            FailureClass::NotFound,
            Some("Check the name of the database, which stands after the host."),
        ),
        "42501" => (
            FailureClass::Denied,
            Some("Grant the user CONNECT on the database."),
        ),
        "53300" => (
            FailureClass::Unreachable,
            Some("Try again later, or raise max_connections at the server."),
        ),
        _ if code.starts_with("53") || code.starts_with("57P") => {
            (FailureClass::Unreachable, Some("Try again later."))
        }
        "08P01" => (
            FailureClass::Protocol,
            Some("Check options, and the other parameters of the session."),
        ),
        _ => (
            FailureClass::Protocol,
            Some("Look at the server's log for the reason."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_classed_by_its_sqlstate_and_says_what_to_do() {
        for (code, message, class, hint) in [
            (
                "28P01",
                "password authentication failed for user \"u\"",
                FailureClass::RefusedCredentials,
                "password",
            ),
            (
                "28000",
                "connection requires a valid client certificate",
                FailureClass::RefusedCredentials,
                "sslcert",
            ),
            (
                "28000",
                "certificate authentication failed for user \"u\"",
                FailureClass::RefusedCredentials,
                "common name",
            ),
            (
                "28000",
                "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"d\", no encryption",
                FailureClass::RefusedCredentials,
                "verify-full",
            ),
            (
                "28000",
                "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"d\", SSL encryption",
                FailureClass::RefusedCredentials,
                "Add a line",
            ),
            (
                "28000",
                "role \"u\" does not exist",
                FailureClass::RefusedCredentials,
                "role",
            ),
            (
                "3D000",
                "database \"d\" does not exist",
                FailureClass::NotFound,
                "database",
            ),
            (
                "42501",
                "permission denied for database \"d\"",
                FailureClass::Denied,
                "CONNECT",
            ),
            (
                "53300",
                "sorry, too many clients already",
                FailureClass::Unreachable,
                "max_connections",
            ),
            (
                "57P03",
                "the database system is starting up",
                FailureClass::Unreachable,
                "later",
            ),
            ("XX000", "oops", FailureClass::Protocol, "log"),
        ] {
            let failure = told(code.to_owned(), message);
            assert_eq!(failure.class, class, "{code} {message}");
            let told = failure.hint.clone().unwrap_or_default();
            assert!(told.contains(hint), "{told}");
            assert_eq!(is_of_the_way(&failure), code == "28000");
        }
    }
}
