//! Authentication: the host speaks the mechanism, and this frames its messages.

use kafka_protocol::messages::{
    ApiKey, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;
use portolan_sdk::lent::parts::Part;
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
        let version = match settings.handshake {
            // From version 2 on the run's length is written otherwise.
            true => Some(self.choose(mechanism)?),
            false => None,
        };
        let exchange = self.begin(settings, mechanism)?;
        let mut challenge = Vec::new();
        loop {
            let (answer, is_last) = match exchange.step(&challenge)? {
                Answer::Message(answer) => (answer, false),
                Answer::Last(answer) => (answer, true),
                Answer::Done => break,
                Answer::Other(_) => return Err(garbled("an exchange goes on as nobody knows")),
            };
            let said = match version {
                Some(version) => self.say(version, answer),
                None => self.say_alone(answer),
            };
            challenge = said.map_err(|failure| explained(failure, settings))?;
            // A token that is not taken is answered with why, and not with an error.
            if is_last && (challenge.is_empty() || mechanism != "OAUTHBEARER") {
                break;
            }
        }
        match version {
            Some(_) => Ok(()),
            None => self.ask_versions(),
        }
    }

    /// One message of the exchange, and what the broker says to it.
    fn say(&mut self, version: i16, message: Part) -> Result<Vec<u8>, Failure> {
        let frames = &mut self.frames;
        frames.send_run(ApiKey::SaslAuthenticate, version, message)?;
        let answer: SaslAuthenticateResponse = frames.answer(version)?;
        if let Some(failure) = refusal(answer.error_code, "authentication") {
            return Err(failure);
        }
        self.renewed(answer.session_lifetime_ms);
        Ok(answer.auth_bytes.to_vec())
    }

    /// The same without anything of Kafka around it. There a broker refuses by closing.
    fn say_alone(&mut self, message: Part) -> Result<Vec<u8>, Failure> {
        self.frames.send_alone(message)?;
        match self.frames.frame() {
            Ok(said) => Ok(said.to_vec()),
            Err(failure) if failure.class == FailureClass::Unreachable => Err(Failure::new(
                FailureClass::RefusedCredentials,
                "the broker closed the connection during authentication",
            )),
            Err(failure) => Err(failure),
        }
    }

    /// Tells the broker the mechanism; the version in which the exchange is spoken.
    fn choose(&mut self, mechanism: &str) -> Result<i16, Failure> {
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
            None => self.version(ApiKey::SaslAuthenticate, 0, 1),
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
