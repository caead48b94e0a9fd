//! Every way to authenticate that needs no secret in the guest.

use fallible_iterator::FallibleIterator;
use portolan_sdk::lent::parts::{Part, named};
use portolan_sdk::lent::sasl::{Answer, Property, start};
use portolan_sdk::{Failure, FailureClass, Plan, TlsFacts};
use postgres_protocol::message::backend::Message;

use crate::plan::PASSWORD;
use crate::wire::{Wire, garbled, length};

const SCRAM: &str = "SCRAM-SHA-256";
const SCRAM_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Answers the server until it is content; the way that it took.
pub(crate) fn login(
    wire: &mut Wire,
    facts: Option<&TlsFacts>,
    plan: &Plan,
) -> Result<&'static str, Failure> {
    let user = plan.setting("user").unwrap_or_default();
    let is_bound = plan.setting("channel_binding") == Some("require");
    let way = match wire.next()? {
        Message::AuthenticationOk if is_bound => return Err(unbound()),
        Message::AuthenticationOk => return Ok("none"),
        Message::AuthenticationSasl(body) => {
            let offered: Vec<String> = body
                .mechanisms()
                .map(|name| Ok(name.to_owned()))
                .collect()
                .map_err(|_| garbled("mechanisms that cannot be read"))?;
            scram(wire, facts, plan, user, &offered)?
        }
        Message::AuthenticationCleartextPassword | Message::AuthenticationMd5Password(_)
            if is_bound =>
        {
            return Err(unbound());
        }
        Message::AuthenticationCleartextPassword if facts.is_none() => {
            return Err(Failure::new(
                FailureClass::Denied,
                "the server asks for the password in clear, and the connection is not encrypted",
            )
            .with_hint(
                "Write sslmode=verify-full, or allow scram-sha-256 in the server's pg_hba.conf.",
            ));
        }
        Message::AuthenticationCleartextPassword => {
            wire.send_around(&[], Part::Secret(password()?), &[0])?;
            "password"
        }
        Message::AuthenticationMd5Password(body) => {
            password()?;
            let exchange = start("POSTGRES-MD5", &properties(user), None)?;
            let (Answer::Message(answer) | Answer::Last(answer)) = exchange.step(&body.salt())?
            else {
                return Err(garbled("an MD5 login without an answer"));
            };
            wire.send_around(&[], answer, &[0])?;
            "md5"
        }
        _ => {
            return Err(Failure::new(
                FailureClass::Unsupported,
                "the server asks for a way to authenticate that a URI cannot give",
            )
            .with_hint("Allow scram-sha-256 or cert for this user in the server's pg_hba.conf."));
        }
    };
    match wire.next()? {
        Message::AuthenticationOk => Ok(way),
        _ => Err(garbled("the login does not end")),
    }
}

/// The password of the plan, which the server asks for.
fn password() -> Result<portolan_sdk::lent::parts::Opaque, Failure> {
    named(PASSWORD).map_err(|failure| match failure.class {
        FailureClass::NotFound => Failure::new(
            FailureClass::RefusedCredentials,
            "the server asks for a password, and the connection has none",
        )
        .with_hint("Write postgresql://USER:PASSWORD@HOST/DATABASE."),
        _ => failure,
    })
}

/// SCRAM, bound to TLS where both sides can. The host checks the server's proof in the last step.
fn scram(
    wire: &mut Wire,
    facts: Option<&TlsFacts>,
    plan: &Plan,
    user: &str,
    offered: &[String],
) -> Result<&'static str, Failure> {
    let binding = plan.setting("channel_binding").unwrap_or("prefer");
    let offers = |name: &str| offered.iter().any(|offer| offer == name);
    let bindable =
        binding != "disable" && facts.is_some_and(|facts| !facts.server_end_point.is_empty());
    let mechanism = match (offers(SCRAM_PLUS) && bindable, offers(SCRAM)) {
        (true, _) => SCRAM_PLUS,
        (false, _) if binding == "require" => return Err(unbound()),
        (false, true) => SCRAM,
        (false, false) => return Err(garbled("no SASL mechanism that PostgreSQL has")),
    };
    password()?;
    let channel = (binding != "disable").then_some(&wire.connection);
    let exchange = start(mechanism, &properties(user), channel)?;
    let Answer::Message(first) = exchange.step(&[])? else {
        return Err(garbled("SCRAM begins with the client"));
    };
    let mut before = mechanism.as_bytes().to_vec();
    before.push(0);
    let message = u32::try_from(length(&first)).map_err(|_| garbled("an answer is too long"))?;
    before.extend(message.to_be_bytes());
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
                return Err(Failure::new(
                    FailureClass::RefusedCredentials,
                    "the server accepted without proving that it knows the password",
                )
                .with_hint("Somebody may stand between: do not send this password there."));
            }
            _ => return Err(garbled("SCRAM is interrupted")),
        }
    }
}

fn unbound() -> Failure {
    Failure::new(
        FailureClass::Protocol,
        "channel binding is required, but the server does not offer it",
    )
    .with_hint(
        "Look for something on the way that ends TLS in the server's place; channel_binding=prefer \
         would go on without.",
    )
}

fn properties(user: &str) -> [Property; 2] {
    [
        // The server takes the user of the first message and looks at no other.
        Property::Text(("user".to_owned(), user.to_owned())),
        Property::Secret((PASSWORD.to_owned(), PASSWORD.to_owned())),
    ]
}
