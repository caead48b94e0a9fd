//! The frames of one client, and what it is allowed to ask.

use std::io;
use std::time::Instant;

use bytes::{Buf, Bytes};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestHeader};
use kafka_protocol::protocol::Decodable;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::answers::{self, Asked};
use crate::cluster::{Login, Shared};
use crate::fault::Fault;
use crate::frame;
use crate::sasl::{Exchange, Stepped};

/// Why a connection ended that was not ended by the client.
pub(crate) enum End {
    /// The broker dies with it.
    Death,
    /// The connection is closed.
    Closed,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

impl From<anyhow::Error> for End {
    fn from(_: anyhow::Error) -> Self {
        Self::Closed
    }
}

/// A client at a broker.
pub(crate) struct Connection<'cluster, S> {
    stream: S,
    pub(crate) shared: &'cluster Shared,
    pub(crate) broker: i32,
    login: State,
}

/// How far a client has come.
enum State {
    /// It has not begun.
    Stranger,
    /// It has chosen a mechanism. Whether its messages stand alone in frames.
    Exchanging { exchange: Exchange, alone: bool },
    /// It is in, until then.
    In(Option<Instant>),
}

impl<'cluster, S: AsyncRead + AsyncWrite + Unpin> Connection<'cluster, S> {
    pub(crate) fn new(stream: S, shared: &'cluster Shared, broker: i32) -> Self {
        let settings = &shared.settings;
        let login = match settings.mechanisms.first() {
            None => State::In(None),
            Some(only) if settings.without_handshake => State::Exchanging {
                exchange: Exchange::begin(only, settings),
                alone: true,
            },
            Some(_) => State::Stranger,
        };
        Self {
            stream,
            shared,
            broker,
            login,
        }
    }

    /// Answers until the client goes away.
    pub(crate) async fn serve(mut self) -> Result<(), End> {
        while let Some(frame) = frame::read(&mut self.stream).await? {
            if let State::Exchanging { alone: true, .. } = self.login {
                self.step_alone(&frame).await?;
            } else {
                self.request(frame).await?;
            }
        }
        Ok(())
    }

    async fn request(&mut self, mut frame: Bytes) -> Result<(), End> {
        if frame.len() < 8 {
            return Err(End::Closed);
        }
        let (key, version) = ((&frame[..2]).get_i16(), (&frame[2..4]).get_i16());
        let api = ApiKey::try_from(key).map_err(|()| End::Closed)?;
        if !self.may_ask(api) {
            return Err(End::Closed);
        }
        let header = RequestHeader::decode(&mut frame, api.request_header_version(version))?;
        let asked = Asked {
            api,
            version,
            correlation: header.correlation_id,
        };
        let fault = self.shared.state().fault(api, self.broker);
        match &fault {
            Some(Fault::Die) => return Err(End::Death),
            Some(Fault::Close) => return Err(End::Closed),
            Some(Fault::NeverAnswer) => return Ok(()),
            _ => {}
        }
        let error = match &fault {
            Some(Fault::Error(error)) => Some(*error),
            _ => None,
        };
        let answer = self.answer(&asked, frame, error)?;
        match fault {
            Some(Fault::DieAfterwards) => return Err(End::Death),
            Some(Fault::CloseAfterwards) => return Err(End::Closed),
            Some(Fault::Oversize) => {
                self.stream.write_all(&[0x7f, 0xff, 0xff, 0xff]).await?;
                self.stream.flush().await?;
                return Ok(());
            }
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        let Some(mut answer) = answer else {
            return Ok(());
        };
        match fault {
            Some(Fault::WrongCorrelation) => answer[..4].fill(0x7e),
            Some(Fault::Garbage) => answer[4..].fill(0xff),
            _ => {}
        }
        if let Some(Fault::Cut(bytes)) = fault {
            frame::write_some(&mut self.stream, &answer, bytes).await?;
            return Err(End::Closed);
        }
        frame::write(&mut self.stream, &answer).await?;
        // After a refusal a broker closes.
        match (&self.login, api) {
            (State::Stranger, ApiKey::SaslAuthenticate) => Err(End::Closed),
            _ => Ok(()),
        }
    }

    /// A stranger may ask for versions and authenticate; whose time is over may authenticate again.
    fn may_ask(&self, api: ApiKey) -> bool {
        match (api, &self.login) {
            (ApiKey::ApiVersions | ApiKey::SaslHandshake, _) => true,
            (ApiKey::SaslAuthenticate, state) => matches!(state, State::Exchanging { .. }),
            (_, State::In(None)) => true,
            (_, State::In(Some(until))) => Instant::now() < *until,
            _ => false,
        }
    }

    fn answer(
        &mut self,
        asked: &Asked,
        body: Bytes,
        error: Option<ResponseError>,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let (shared, broker) = (self.shared, self.broker);
        match asked.api {
            ApiKey::ApiVersions => answers::versions(asked, shared, error).map(Some),
            ApiKey::Metadata => answers::metadata(asked, body, shared, broker, error).map(Some),
            ApiKey::Produce => answers::produce(asked, body, shared, broker, error),
            ApiKey::Fetch => answers::fetch(asked, body, shared, broker, error).map(Some),
            ApiKey::ListOffsets => {
                answers::list_offsets(asked, body, shared, broker, error).map(Some)
            }
            ApiKey::FindCoordinator => answers::find_coordinator(asked, body).map(Some),
            ApiKey::SaslHandshake => {
                let (answer, chosen) = answers::handshake(asked, body, shared, error)?;
                if let Some(mechanism) = chosen {
                    self.login = State::Exchanging {
                        exchange: Exchange::begin(&mechanism, &shared.settings),
                        alone: asked.version == 0,
                    };
                }
                Ok(Some(answer))
            }
            ApiKey::SaslAuthenticate => {
                let message = answers::authenticate_message(asked, body)?;
                let stepped = match error {
                    Some(error) => {
                        self.login = State::Stranger;
                        Stepped::Refused(error)
                    }
                    None => self.step(&message)?,
                };
                let lifetime = shared.settings.session_lifetime;
                answers::authenticate(asked, stepped, lifetime).map(Some)
            }
            other => anyhow::bail!("{other:?} was not announced"),
        }
    }

    /// One step of the exchange; what comes of it stays.
    fn step(&mut self, message: &[u8]) -> anyhow::Result<Stepped> {
        let State::Exchanging { exchange, .. } = &mut self.login else {
            anyhow::bail!("no mechanism was chosen");
        };
        let stepped = exchange.step(message);
        let mechanism = exchange.mechanism().to_owned();
        let user = match &stepped {
            Stepped::On(_) => return Ok(stepped),
            Stepped::Done { user, .. } => {
                let lifetime = self.shared.settings.session_lifetime;
                self.login = State::In(lifetime.map(|lifetime| Instant::now() + lifetime));
                Some(user.clone())
            }
            Stepped::Refused(_) => {
                self.login = State::Stranger;
                None
            }
        };
        self.shared.state().logins.push(Login { mechanism, user });
        Ok(stepped)
    }

    /// The same, for messages that stand alone in their frames.
    async fn step_alone(&mut self, message: &[u8]) -> Result<(), End> {
        match self.step(message)? {
            Stepped::On(bytes) | Stepped::Done { bytes, .. } => {
                frame::write(&mut self.stream, &bytes).await?;
                Ok(())
            }
            Stepped::Refused(_) => Err(End::Closed),
        }
    }
}
