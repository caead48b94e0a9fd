//! A broker that says which versions it speaks and lets the client in.

use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, SaslAuthenticateResponse,
    SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::StrBytes;

use crate::bindings::portolan::host::net::{Connection, connect_further};
use crate::bindings::portolan::host::sasl::{Answer, Property, start};
use crate::bindings::portolan::types::types::{Failure, FailureClass, PlanEntry};
use crate::frame::{Frames, accepted, garbled};
use crate::plans::{TLS, endpoints, read};
use crate::step::failed;

/// The endpoint whose TLS profile and rules further brokers come under.
const BOOTSTRAP: u32 = 0;

/// A connection to a broker.
pub(crate) struct Broker {
    pub(crate) frames: Frames,
    versions: Vec<ApiVersion>,
}

impl Broker {
    /// A broker at the end of a connection, over which TLS is spoken already if it is to be.
    pub(crate) fn greet(connection: Connection) -> Result<Self, Failure> {
        let mut frames = Frames::new(connection);
        // Version 0 is the one that every broker answers.
        let answer: ApiVersionsResponse =
            frames.ask(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default())?;
        accepted(answer.error_code, "versions")?;
        Ok(Self {
            frames,
            versions: answer.api_keys,
        })
    }

    /// Dials a broker that another one advertised, and gets in.
    pub(crate) fn further(plan: &[PlanEntry], host: &str, port: i32) -> Result<Self, Failure> {
        let mut broker = Self::greet(dial_further(plan, host, port)?)?;
        broker.login(plan)?;
        Ok(broker)
    }

    /// The newest version of a request that both sides speak, at most `newest`.
    pub(crate) fn version(&self, key: ApiKey, oldest: i16, newest: i16) -> Result<i16, Failure> {
        let known = self
            .versions
            .iter()
            .find(|known| known.api_key == key as i16);
        let newest = known.map_or(-1, |known| known.max_version.min(newest));
        let oldest = known.map_or(0, |known| known.min_version.max(oldest));
        if newest < oldest {
            return Err(failed(
                FailureClass::Unsupported,
                format!("the broker speaks no version of {key:?} that this provider speaks"),
            ));
        }
        Ok(newest)
    }

    /// Authenticates as the plan says; the mechanism.
    pub(crate) fn login<'a>(&mut self, plan: &'a [PlanEntry]) -> Result<&'a str, Failure> {
        let Some(mechanism) = read(plan, "sasl-mechanism") else {
            return Ok("none");
        };
        let request = SaslHandshakeRequest::default()
            .with_mechanism(StrBytes::from_string(mechanism.to_owned()));
        let version = self.version(ApiKey::SaslHandshake, 1, 1)?;
        let answer: SaslHandshakeResponse =
            self.frames.ask(ApiKey::SaslHandshake, version, &request)?;
        let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
        accepted(answer.error_code, "mechanism").map_err(|failure| {
            failure.with_hint(&format!("The broker offers {}.", offered.join(", ")))
        })?;
        self.exchange(mechanism, read(plan, "user").unwrap_or_default())?;
        Ok(mechanism)
    }

    fn exchange(&mut self, mechanism: &str, user: &str) -> Result<(), Failure> {
        // From version 2 on the run's length is written otherwise.
        let version = self.version(ApiKey::SaslAuthenticate, 0, 1)?;
        let properties = [
            Property::Text(("user".to_owned(), user.to_owned())),
            Property::Secret(("password".to_owned(), "password".to_owned())),
        ];
        // No channel: brokers know no channel binding, and refuse a client that speaks of it.
        let exchange = start(mechanism, &properties, None)?;
        let mut challenge = Vec::new();
        loop {
            let (answer, last) = match exchange.step(&challenge)? {
                Answer::Message(answer) => (answer, false),
                Answer::Last(answer) => (answer, true),
                Answer::Done => return Ok(()),
                Answer::Other(_) => return Err(garbled("an exchange that nobody knows")),
            };
            self.frames
                .send_run(ApiKey::SaslAuthenticate, version, answer)?;
            let answer: SaslAuthenticateResponse = self.frames.answer(version)?;
            accepted(answer.error_code, "authentication").map_err(|failure| {
                failure.with_hint("Look at sasl_user, sasl_password and sasl_mechanism.")
            })?;
            if last {
                return Ok(());
            }
            challenge = answer.auth_bytes.to_vec();
        }
    }
}

/// A connection to a broker that another one advertised, under the rules of the bootstrap endpoint.
pub(crate) fn dial_further(
    plan: &[PlanEntry],
    host: &str,
    port: i32,
) -> Result<Connection, Failure> {
    let port = u16::try_from(port).map_err(|_| garbled("a broker without a port"))?;
    let connection = connect_further(BOOTSTRAP, host, port)?;
    if encrypted(plan) {
        connection.start_tls(TLS, &[])?;
    }
    Ok(connection)
}

/// Whether TLS is spoken to every broker.
pub(crate) fn encrypted(plan: &[PlanEntry]) -> bool {
    endpoints(plan)
        .first()
        .is_some_and(|endpoint| endpoint.tls_profile.is_some())
}
