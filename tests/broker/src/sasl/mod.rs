//! The server's side of every mechanism.

mod callback;

mod msk_iam;

mod users;
pub(crate) use users::{AwsKey, Tokens, Users};

use std::sync::Arc;

use kafka_protocol::error::ResponseError;
use rsasl::config::SASLConfig;
use rsasl::mechname::Mechname;
use rsasl::prelude::{SASLServer, Session, State};

use crate::settings::Settings;
use callback::{Callback, Verdict};

/// One exchange.
pub(crate) struct Exchange {
    mechanism: String,
    side: Side,
    tampers: bool,
}

enum Side {
    Library(Box<Session<Verdict>>),
    MskIam(Arc<Users>),
    Over,
}

/// What comes of one message.
pub(crate) enum Stepped {
    /// It goes on with this message.
    On(Vec<u8>),
    /// The client is let in.
    Done { bytes: Vec<u8>, user: String },
    /// It is not.
    Refused(ResponseError),
}

impl Exchange {
    /// An exchange of a mechanism that is offered.
    pub(crate) fn begin(mechanism: &str, settings: &Settings) -> Self {
        let side = match mechanism {
            msk_iam::NAME => Side::MskIam(Arc::clone(&settings.users)),
            name => Side::Library(Box::new(session(name, &settings.users))),
        };
        Self {
            mechanism: mechanism.to_owned(),
            side,
            tampers: settings.tampers,
        }
    }

    /// Its mechanism.
    pub(crate) fn mechanism(&self) -> &str {
        &self.mechanism
    }

    /// One message of the client.
    pub(crate) fn step(&mut self, message: &[u8]) -> Stepped {
        let stepped = match &mut self.side {
            Side::MskIam(users) => msk_iam::judge(users, message),
            Side::Over => Stepped::Refused(ResponseError::IllegalSaslState),
            Side::Library(session) => {
                let mut bytes = Vec::new();
                match session.step(Some(message), &mut bytes) {
                    Err(_) => refused(),
                    Ok(State::Running) => Stepped::On(bytes),
                    Ok(State::Finished(_)) => match session.validation() {
                        Some(Some(user)) => Stepped::Done { bytes, user },
                        _ => refused(),
                    },
                }
            }
        };
        match stepped {
            Stepped::On(_) => stepped,
            Stepped::Done { bytes, user } => {
                self.side = Side::Over;
                let bytes = if self.tampers { tampered(bytes) } else { bytes };
                Stepped::Done { bytes, user }
            }
            Stepped::Refused(_) => {
                self.side = Side::Over;
                stepped
            }
        }
    }
}

fn refused() -> Stepped {
    Stepped::Refused(ResponseError::SaslAuthenticationFailed)
}

fn session(mechanism: &str, users: &Arc<Users>) -> Session<Verdict> {
    let config = SASLConfig::builder()
        .with_defaults()
        .with_callback(Callback(Arc::clone(users)))
        .expect("a configuration");
    let name = Mechname::parse(mechanism.as_bytes()).expect("the name of a mechanism");
    SASLServer::<Verdict>::new(config)
        .start_suggested(name)
        .expect("a mechanism of Kafka")
}

/// The signature `v=…` with its first character changed, still base64.
fn tampered(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(first) = bytes.get_mut(2) {
        *first = if *first == b'A' { b'B' } else { b'A' };
    }
    bytes
}
