//! A broker that says which versions it speaks and lets the client in.

use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, ApiVersionsResponse};
use portolan_sdk::lent::net::{self, Connection, TlsFacts};
use portolan_sdk::{Failure, FailureClass, joined};

use super::{Frames, Place, garbled, refusal};
use crate::settings::Settings;

/// The endpoint whose TLS profile and rules further brokers come under.
const BOOTSTRAP: u32 = 0;

/// A connection to a broker.
pub(crate) struct Broker {
    pub(crate) frames: Frames,
    versions: Vec<ApiVersion>,
    /// How long an authentication holds, in milliseconds, and since when this one does. The clock
    /// is that of the messages; until one has told the time, nothing is known.
    pub(super) lifetime: Option<u64>,
    since: Option<u64>,
}

/// Speaks TLS over a connection, where the plan says so.
pub(crate) fn encrypt(
    settings: &Settings,
    connection: &Connection,
) -> Result<Option<TlsFacts>, Failure> {
    let Some(profile) = &settings.profile else {
        return Ok(None);
    };
    match connection.start_tls(profile, &[]) {
        Ok(facts) => Ok(Some(facts)),
        Err(failure) if failure.class == FailureClass::Protocol => {
            let hint = "Leave out tls_enabled if this port speaks plain text.";
            let hint = match &failure.hint {
                Some(of_host) => joined(&[hint, " Otherwise ", of_host, "."]),
                None => hint.to_owned(),
            };
            Err(failure.with_hint(hint))
        }
        Err(failure) => Err(failure),
    }
}

impl Broker {
    /// Dials a broker of the plan, and gets in.
    pub(crate) fn bootstrap(settings: &Settings, number: u32) -> Result<Self, Failure> {
        let connection = net::connect(number)?;
        encrypt(settings, &connection)?;
        Self::enter(settings, connection)
    }

    /// Dials a broker that another one advertised, and gets in.
    pub(crate) fn further(settings: &Settings, place: &Place) -> Result<Self, Failure> {
        Self::enter(settings, Self::dial_further(settings, place)?)
    }

    /// Dials a broker that another one advertised, under the rules of the first of the plan.
    pub(crate) fn dial_further(settings: &Settings, place: &Place) -> Result<Connection, Failure> {
        let port = u16::try_from(place.port).ok().filter(|port| *port > 0);
        let port = port.ok_or_else(|| garbled("a broker is advertised without a port"))?;
        let connection = net::connect_further(BOOTSTRAP, &place.host, port)?;
        encrypt(settings, &connection)?;
        Ok(connection)
    }

    fn enter(settings: &Settings, connection: Connection) -> Result<Self, Failure> {
        let mut broker = Self::greet(settings, connection)?;
        broker.login(settings)?;
        Ok(broker)
    }

    /// A broker at the end of a connection, over which TLS is spoken already if it is to be. One
    /// that wants the exchange first is asked for nothing.
    pub(crate) fn greet(settings: &Settings, connection: Connection) -> Result<Self, Failure> {
        let mut broker = Self {
            frames: Frames::new(connection),
            versions: Vec::new(),
            lifetime: None,
            since: None,
        };
        if settings.handshake {
            broker.ask_versions()?;
        }
        Ok(broker)
    }

    pub(super) fn ask_versions(&mut self) -> Result<(), Failure> {
        // Version 0 is the one that every broker answers.
        let answer: ApiVersionsResponse =
            self.frames
                .ask(ApiKey::ApiVersions, 0, &ApiVersionsRequest::default())?;
        if let Some(failure) = refusal(answer.error_code, "versions") {
            return Err(failure);
        }
        self.versions = answer.api_keys;
        Ok(())
    }

    /// How many kinds of request it answers.
    pub(crate) fn kinds(&self) -> usize {
        self.versions.len()
    }

    /// The newest version of a request that both sides speak, at most `newest`.
    pub(crate) fn version(&self, key: ApiKey, oldest: i16, newest: i16) -> Result<i16, Failure> {
        let known = self.versions.iter().find(|it| it.api_key == key as i16);
        let newest = known.map_or(-1, |known| known.max_version.min(newest));
        let oldest = known.map_or(0, |known| known.min_version.max(oldest));
        match newest < oldest {
            false => Ok(newest),
            true => Err(Failure::new(
                FailureClass::Unsupported,
                joined(&[
                    "the broker speaks no version of ",
                    name(key),
                    " that this provider speaks",
                ]),
            )
            .with_hint("Brokers since Apache Kafka 1.0 do.")),
        }
    }

    /// Whether the authentication has to be renewed soon, at this time of the messages.
    pub(crate) fn is_aging(&mut self, now: u64) -> bool {
        let Some(lifetime) = self.lifetime else {
            return false;
        };
        let since = *self.since.get_or_insert(now);
        now.saturating_sub(since) >= lifetime / 10 * 8
    }

    /// The authentication holds anew.
    pub(super) fn renewed(&mut self, lifetime: i64) {
        self.lifetime = u64::try_from(lifetime).ok().filter(|time| *time > 0);
        self.since = None;
    }
}

fn name(key: ApiKey) -> &'static str {
    match key {
        ApiKey::Produce => "Produce",
        ApiKey::Metadata => "Metadata",
        ApiKey::SaslHandshake => "SaslHandshake",
        ApiKey::SaslAuthenticate => "SaslAuthenticate",
        _ => "a request",
    }
}
