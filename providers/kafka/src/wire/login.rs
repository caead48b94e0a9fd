//! Authentication: the host speaks the mechanism, and this frames its messages.

use kafka_protocol::messages::{
    ApiKey, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;
use portolan_sdk::lent::sasl::{Answer, Exchange, Property, start};
use portolan_sdk::{Failure, FailureClass, joined};

use super::{Broker, garbled, refusal};
use crate::settings::Settings;

/// `UNSUPPORTED_SASL_MECHANISM`.
const NOT_OFFERED: i16 = 33;

impl Broker {
    /// Authenticates as the plan says, also once more on a connection that is in already.
    pub(crate) fn login(&mut self, settings: &Settings) -> Result<(), Failure> {
        let Some(mechanism) = settings.mechanism.as_deref() else {
            return Ok(());
        };
        if !settings.handshake {
            self.exchange_alone(settings, mechanism)?;
            return self.ask_versions();
        }
        self.choose(mechanism)?;
        // From version 2 on the run's length is written otherwise.
        let version = self.version(ApiKey::SaslAuthenticate, 0, 1)?;
        let exchange = self.begin(settings, mechanism)?;
        let mut challenge = Vec::new();
        loop {
            let (answer, is_last) = match exchange.step(&challenge)? {
                Answer::Message(answer) => (answer, false),
                Answer::Last(answer) => (answer, true),
                Answer::Done => return Ok(()),
                Answer::Other(_) => return Err(unknown_answer()),
            };
            self.frames
                .send_run(ApiKey::SaslAuthenticate, version, answer)?;
            let answer: SaslAuthenticateResponse = self.frames.answer(version)?;
            if let Some(failure) = refusal(answer.error_code, "authentication") {
                return Err(explained(failure, settings));
            }
            self.renewed(answer.session_lifetime_ms);
            if is_last {
                return Ok(());
            }
            challenge = answer.auth_bytes.to_vec();
        }
    }

    /// Tells the broker the mechanism.
    fn choose(&mut self, mechanism: &str) -> Result<(), Failure> {
        let request = SaslHandshakeRequest::default()
            .with_mechanism(StrBytes::from_string(mechanism.to_owned()));
        let version = self.version(ApiKey::SaslHandshake, 1, 1)?;
        let answer: SaslHandshakeResponse =
            self.frames.ask(ApiKey::SaslHandshake, version, &request)?;
        if answer.error_code == NOT_OFFERED {
            let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
            return Err(Failure::new(
                FailureClass::Unsupported,
                joined(&["the broker does not offer ", mechanism]),
            )
            .with_hint(joined(&[
                "It offers ",
                &offered.join(", "),
                ": set sasl_mechanism to one of them.",
            ]))
            .with_option("sasl_mechanism"));
        }
        match refusal(answer.error_code, "choice of a mechanism") {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn begin(&self, settings: &Settings, mechanism: &str) -> Result<Exchange, Failure> {
        let mut properties = Vec::new();
        let texts: &[&str] = match mechanism {
            "OAUTHBEARER" => &["token-url", "client-id", "grant-type", "scope"],
            "AWS_MSK_IAM" => &["region", "session-name"],
            _ => &["user"],
        };
        for name in texts {
            if let Some(text) = settings.text(name) {
                properties.push(Property::Text(((*name).to_owned(), text.to_owned())));
            }
        }
        let secret = match mechanism {
            "OAUTHBEARER" => Some("client-secret"),
            "AWS_MSK_IAM" => None,
            _ => Some("password"),
        };
        properties.extend(secret.map(|name| Property::Secret((name.to_owned(), name.to_owned()))));
        // The signature is for the broker's name. To the others brokers know no channel, and refuse
        // a client that speaks of it.
        let channel = (mechanism == "AWS_MSK_IAM").then_some(self.frames.connection());
        start(mechanism, &properties, channel)
    }

    /// The exchange without a handshake, and without anything of Kafka around its messages.
    fn exchange_alone(&mut self, settings: &Settings, mechanism: &str) -> Result<(), Failure> {
        let exchange = self.begin(settings, mechanism)?;
        let mut challenge = Vec::new();
        loop {
            let (answer, is_last) = match exchange.step(&challenge)? {
                Answer::Message(answer) => (answer, false),
                Answer::Last(answer) => (answer, true),
                Answer::Done => return Ok(()),
                Answer::Other(_) => return Err(unknown_answer()),
            };
            self.frames.send_alone(answer)?;
            // There is no other way to refuse here.
            let said = self.frames.frame().map_err(|failure| match failure.class {
                FailureClass::Unreachable => explained(
                    Failure::new(
                        FailureClass::RefusedCredentials,
                        "the broker closed the connection during authentication",
                    ),
                    settings,
                ),
                _ => failure,
            })?;
            if is_last {
                return Ok(());
            }
            challenge = said.to_vec();
        }
    }
}

fn unknown_answer() -> Failure {
    garbled("an exchange goes on as nobody knows")
}

fn explained(failure: Failure, settings: &Settings) -> Failure {
    match failure.class {
        FailureClass::RefusedCredentials => {
            let hint = joined(&["Look at ", settings.credentials(), "."]);
            failure.with_hint(hint)
        }
        _ => failure,
    }
}
