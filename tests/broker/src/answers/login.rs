//! How a client authenticates.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::{Asked, code};
use crate::cluster::Shared;
use crate::sasl::Stepped;

/// The answer to the choice of a mechanism, and the mechanism if it is offered.
pub(crate) fn handshake(
    asked: &Asked,
    mut body: Bytes,
    shared: &Shared,
    error: Option<ResponseError>,
) -> anyhow::Result<(Vec<u8>, Option<String>)> {
    let request = SaslHandshakeRequest::decode(&mut body, asked.version)?;
    let offered = &shared.settings.mechanisms;
    let is_offered = offered
        .iter()
        .any(|name| name == request.mechanism.as_str());
    let error = match (error, is_offered, offered.is_empty()) {
        (Some(error), ..) => Some(error),
        (None, true, _) => None,
        (None, false, false) => Some(ResponseError::UnsupportedSaslMechanism),
        // A port without authentication, as Kafka answers there.
        (None, false, true) => Some(ResponseError::IllegalSaslState),
    };
    let answer = SaslHandshakeResponse::default()
        .with_error_code(code(error))
        .with_mechanisms(
            offered
                .iter()
                .map(|name| StrBytes::from_string(name.clone()))
                .collect(),
        );
    let chosen = error.is_none().then(|| request.mechanism.to_string());
    Ok((asked.answer(&answer)?, chosen))
}

/// The client's message.
pub(crate) fn authenticate_message(asked: &Asked, mut body: Bytes) -> anyhow::Result<Bytes> {
    Ok(SaslAuthenticateRequest::decode(&mut body, asked.version)?.auth_bytes)
}

/// The answer to it.
pub(crate) fn authenticate(
    asked: &Asked,
    stepped: Stepped,
    lifetime: Option<Duration>,
) -> anyhow::Result<Vec<u8>> {
    let answer = SaslAuthenticateResponse::default();
    let answer = match stepped {
        Stepped::On(bytes) => answer.with_auth_bytes(bytes.into()),
        Stepped::Done { bytes, .. } => {
            let lifetime = lifetime.map_or(0, |lifetime| lifetime.as_millis());
            answer
                .with_auth_bytes(bytes.into())
                .with_session_lifetime_ms(i64::try_from(lifetime)?)
        }
        Stepped::Refused(error) => answer
            .with_error_code(error.code())
            .with_error_message(Some(StrBytes::from_static_str(
                "Authentication failed during authentication due to invalid credentials",
            ))),
    };
    // The oldest version has no place for the lifetime.
    match asked.version {
        0 => asked.answer(&answer.with_session_lifetime_ms(0)),
        _ => asked.answer(&answer),
    }
}
