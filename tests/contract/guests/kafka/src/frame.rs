//! Requests and answers over a connection, each in a frame with its length.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use crate::bindings::portolan::host::net::Connection;
use crate::bindings::portolan::host::parts::Part;
use crate::bindings::portolan::types::types::{Failure, FailureClass};
use crate::step::failed;

/// The metadata of a large cluster; produce answers are far smaller.
const LONGEST: usize = 8 * 1024 * 1024;
const READ: u32 = 64 * 1024;
const CLIENT: &str = "portolan";

/// A connection, what came over it and is not read yet, and the number of the last request.
pub(crate) struct Frames {
    pub(crate) connection: Connection,
    buffer: BytesMut,
    correlation: i32,
}

impl Frames {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            buffer: BytesMut::new(),
            correlation: 0,
        }
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask<Q: Encodable, A: Decodable + HeaderVersion>(
        &mut self,
        key: ApiKey,
        version: i16,
        request: &Q,
    ) -> Result<A, Failure> {
        self.send(key, version, request)?;
        self.answer(version)
    }

    /// Sends a request.
    pub(crate) fn send<Q: Encodable>(
        &mut self,
        key: ApiKey,
        version: i16,
        request: &Q,
    ) -> Result<(), Failure> {
        let mut body = self.header(key, version)?;
        request.encode(&mut body, version).map_err(unwritable)?;
        let mut frame = (body.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(&body);
        self.connection.write(vec![Part::Bytes(frame)])
    }

    /// Sends a request whose whole body is one run of bytes, which may be opaque.
    pub(crate) fn send_run(&mut self, key: ApiKey, version: i16, run: Part) -> Result<(), Failure> {
        let length = match &run {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Secret(opaque) => opaque.length(),
        } as u32;
        let header = self.header(key, version)?;
        let mut frame = (header.len() as u32 + 4 + length).to_be_bytes().to_vec();
        frame.extend_from_slice(&header);
        frame.extend(length.to_be_bytes());
        self.connection.write(vec![Part::Bytes(frame), run])
    }

    fn header(&mut self, key: ApiKey, version: i16) -> Result<BytesMut, Failure> {
        self.correlation += 1;
        let header = RequestHeader::default()
            .with_request_api_key(key as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(StrBytes::from_static_str(CLIENT)));
        let mut bytes = BytesMut::new();
        header
            .encode(&mut bytes, key.request_header_version(version))
            .map_err(unwritable)?;
        Ok(bytes)
    }

    /// The answer to the last request.
    pub(crate) fn answer<A: Decodable + HeaderVersion>(
        &mut self,
        version: i16,
    ) -> Result<A, Failure> {
        let mut frame = self.frame()?;
        let header = ResponseHeader::decode(&mut frame, A::header_version(version));
        let header = header.map_err(|error| garbled(&error.to_string()))?;
        if header.correlation_id != self.correlation {
            return Err(garbled("the answer to another request"));
        }
        A::decode(&mut frame, version).map_err(|error| garbled(&error.to_string()))
    }

    fn frame(&mut self) -> Result<Bytes, Failure> {
        loop {
            if let Some((length, _)) = self.buffer.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                if length > LONGEST {
                    return Err(garbled("a frame is longer than any answer")
                        .with_hint("Look whether this port speaks TLS: tls_enabled=true."));
                }
                if self.buffer.len() >= 4 + length {
                    let frame = self.buffer.split_to(4 + length).freeze();
                    return Ok(frame.slice(4..));
                }
            }
            let more = self.connection.read(READ)?;
            if more.is_empty() {
                return Err(garbled("the broker closed the connection"));
            }
            self.buffer.put_slice(&more);
        }
    }
}

/// Nothing for zero; otherwise the broker's error, classed.
pub(crate) fn accepted(code: i16, what: &str) -> Result<(), Failure> {
    if code == 0 {
        return Ok(());
    }
    let error = ResponseError::try_from_code(code);
    let class = match error {
        Some(ResponseError::SaslAuthenticationFailed) => FailureClass::RefusedCredentials,
        Some(ResponseError::UnsupportedSaslMechanism | ResponseError::UnsupportedVersion) => {
            FailureClass::Unsupported
        }
        Some(
            ResponseError::TopicAuthorizationFailed | ResponseError::ClusterAuthorizationFailed,
        ) => FailureClass::Denied,
        Some(ResponseError::UnknownTopicOrPartition | ResponseError::InvalidTopicException) => {
            FailureClass::NotFound
        }
        Some(error) if error.is_retriable() => FailureClass::Unreachable,
        _ => FailureClass::Protocol,
    };
    let name = error.map_or_else(|| format!("error {code}"), |error| error.to_string());
    Err(failed(class, format!("{what}: the broker answered {name}")))
}

/// The broker does not speak the protocol.
pub(crate) fn garbled(what: &str) -> Failure {
    failed(
        FailureClass::Protocol,
        format!("this is not what a Kafka broker answers: {what}"),
    )
}

/// A request that no version of the protocol can hold.
pub(crate) fn unwritable(error: impl ToString) -> Failure {
    failed(FailureClass::Unsupported, error.to_string())
}
