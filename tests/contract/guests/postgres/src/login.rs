//! Every way to authenticate that needs no secret in the guest.

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::Message;

use crate::bindings::portolan::host::net::TlsFacts;
use crate::bindings::portolan::host::parts::{Part, named};
use crate::bindings::portolan::host::sasl::{Answer, Property, start};
use crate::bindings::portolan::types::types::{Failure, FailureClass};
use crate::step::failed;
use crate::wire::{Wire, garbled, length};

const PASSWORD: &str = "password";
const SCRAM: &str = "SCRAM-SHA-256";
const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Answers the server until it is content; the way that it took.
pub(crate) fn login(
    wire: &mut Wire,
    facts: Option<&TlsFacts>,
    user: &str,
) -> Result<&'static str, Failure> {
    let way = match wire.next()? {
        Message::AuthenticationOk => return Ok("none"),
        Message::AuthenticationCleartextPassword => {
            wire.send_around(&[], Part::Secret(named(PASSWORD)?), &[0])?;
            "password"
        }
        Message::AuthenticationMd5Password(body) => {
            let exchange = start("POSTGRES-MD5", &properties(user), None)?;
            let (Answer::Message(answer) | Answer::Last(answer)) = exchange.step(&body.salt())?
            else {
                return Err(garbled("an MD5 login without an answer"));
            };
            wire.send_around(&[], answer, &[0])?;
            "md5"
        }
        Message::AuthenticationSasl(body) => {
            let offered: Vec<String> = body
                .mechanisms()
                .map(|name| Ok(name.to_owned()))
                .collect()
                .map_err(|error| garbled(&error.to_string()))?;
            scram(wire, facts, user, &offered)?
        }
        _ => {
            return Err(failed(
                FailureClass::Unsupported,
                "the server asks for a way to authenticate that a URI cannot give",
            )
            .with_hint("Allow scram-sha-256 for this user in the server's pg_hba.conf."));
        }
    };
    match wire.next()? {
        Message::AuthenticationOk => Ok(way),
        _ => Err(garbled("the login does not end")),
    }
}

/// SCRAM, bound to TLS where both sides can. The host checks the server's proof in the last step.
fn scram(
    wire: &mut Wire,
    facts: Option<&TlsFacts>,
    user: &str,
    offered: &[String],
) -> Result<&'static str, Failure> {
    let offers = |name: &str| offered.iter().any(|offer| offer == name);
    let bindable = facts.is_some_and(|facts| !facts.server_end_point.is_empty());
    let mechanism = match (offers(SCRAM_PLUS) && bindable, offers(SCRAM)) {
        (true, _) => SCRAM_PLUS,
        (false, true) => SCRAM,
        (false, false) => return Err(garbled("no SASL mechanism that PostgreSQL has")),
    };
    let exchange = start(mechanism, &properties(user), Some(&wire.connection))?;
    let Answer::Message(first) = exchange.step(&[])? else {
        return Err(garbled("SCRAM begins with the client"));
    };
    let mut before = mechanism.as_bytes().to_vec();
    before.push(0);
    before.extend((length(&first) as u32).to_be_bytes());
    wire.send_around(&before, first, &[])?;
    loop {
        match wire.next()? {
            Message::AuthenticationSaslContinue(body) => match exchange.step(body.data())? {
                Answer::Message(answer) | Answer::Last(answer) => {
                    wire.send_around(&[], answer, &[])?;
                }
                _ => return Err(garbled("a challenge after the end of SCRAM")),
            },
            Message::AuthenticationSaslFinal(body) => match exchange.step(body.data())? {
                Answer::Done => return Ok(mechanism),
                _ => return Err(garbled("SCRAM does not end with the server's proof")),
            },
            // A server that accepts without its proof may not know the password at all.
            Message::AuthenticationOk => {
                return Err(failed(
                    FailureClass::RefusedCredentials,
                    "the server accepted without proving that it knows the password",
                )
                .with_hint("Somebody may stand between: do not send this password there."));
            }
            _ => return Err(garbled("SCRAM is interrupted")),
        }
    }
}

fn properties(user: &str) -> [Property; 2] {
    [
        Property::Text(("user".to_owned(), user.to_owned())),
        Property::Secret(("password".to_owned(), PASSWORD.to_owned())),
    ]
}
