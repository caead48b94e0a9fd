//! Requests and answers, each in a frame with its length.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};
use portolan_sdk::lent::net::Connection;
use portolan_sdk::lent::parts::Part;
use portolan_sdk::{Failure, FailureClass};

use super::{garbled, unwritable};

/// The metadata of a large cluster; other answers are far smaller.
const LONGEST: usize = 8 * 1024 * 1024;
const READ: u32 = 64 * 1024;
const CLIENT: StrBytes = StrBytes::from_static_str("portolan");

/// How a TLS record begins that holds an alert or a handshake.
const TLS_RECORDS: [[u8; 2]; 2] = [[0x15, 0x03], [0x16, 0x03]];

/// A connection, what came over it and is not read yet, and the number of the last request.
pub(crate) struct Frames {
    connection: Connection,
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

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn ask<Q: Encodable, A: Decodable + HeaderVersion>(
        &mut self,
        key: ApiKey,
        version: i16,
        request: &Q,
    ) -> Result<A, Failure> {
        self.send(key, version, request, 64)?;
        self.answer(version)
    }

    /// Sends a request of about this size.
    pub(crate) fn send<Q: Encodable>(
        &mut self,
        key: ApiKey,
        version: i16,
        request: &Q,
        size: usize,
    ) -> Result<(), Failure> {
        // The length, the header with the client's name, and no copy of what comes then.
        let mut frame = BytesMut::with_capacity(4 + 64 + size);
        frame.put_u32(0);
        self.header(&mut frame, key, version)?;
        request.encode(&mut frame, version).map_err(unwritable)?;
        let length = length(frame.len() - 4)?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.connection.write(vec![Part::Bytes(frame.into())])
    }

    /// Sends a request whose whole body is one run of bytes, which may be opaque.
    pub(crate) fn send_run(&mut self, key: ApiKey, version: i16, run: Part) -> Result<(), Failure> {
        let run_length = length(size(&run))?;
        let mut frame = BytesMut::with_capacity(72);
        frame.put_u32(0);
        self.header(&mut frame, key, version)?;
        frame.put_u32(run_length);
        let length = length(frame.len() - 4 + size(&run))?;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.connection.write(vec![Part::Bytes(frame.into()), run])
    }

    /// Sends bytes that stand alone in their frame.
    pub(crate) fn send_alone(&mut self, run: Part) -> Result<(), Failure> {
        let head = length(size(&run))?.to_be_bytes().to_vec();
        self.connection.write(vec![Part::Bytes(head), run])
    }

    fn header(&mut self, frame: &mut BytesMut, key: ApiKey, version: i16) -> Result<(), Failure> {
        self.correlation = self.correlation.wrapping_add(1);
        RequestHeader::default()
            .with_request_api_key(key as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.correlation)
            .with_client_id(Some(CLIENT))
            .encode(frame, key.request_header_version(version))
            .map_err(unwritable)
    }

    /// Waits for the answer to the last request.
    pub(crate) fn answer<A: Decodable + HeaderVersion>(
        &mut self,
        version: i16,
    ) -> Result<A, Failure> {
        let frame = self.frame()?;
        self.read(frame, version)
    }

    /// The answer to the last request, if it is there as a whole.
    pub(crate) fn answered<A: Decodable + HeaderVersion>(
        &mut self,
        version: i16,
    ) -> Result<Option<A>, Failure> {
        loop {
            if let Some(frame) = self.whole()? {
                return self.read(frame, version).map(Some);
            }
            match self.connection.try_read(READ)? {
                None => return Ok(None),
                Some(more) => self.take(&more)?,
            }
        }
    }

    fn read<A: Decodable + HeaderVersion>(
        &mut self,
        mut frame: Bytes,
        version: i16,
    ) -> Result<A, Failure> {
        let header = ResponseHeader::decode(&mut frame, A::header_version(version));
        let header = header.map_err(|_| garbled("a frame is no answer"))?;
        if header.correlation_id != self.correlation {
            return Err(garbled("an answer is to another request"));
        }
        A::decode(&mut frame, version).map_err(|_| garbled("an answer cannot be read"))
    }

    /// Waits for a frame.
    pub(crate) fn frame(&mut self) -> Result<Bytes, Failure> {
        loop {
            if let Some(frame) = self.whole()? {
                return Ok(frame);
            }
            let more = self.connection.read(READ)?;
            self.take(&more)?;
        }
    }

    fn take(&mut self, more: &[u8]) -> Result<(), Failure> {
        if more.is_empty() {
            return Err(Failure::new(
                FailureClass::Unreachable,
                "the broker closed the connection",
            )
            .with_hint(
                "Look at the broker's log, and whether this port wants TLS (tls_enabled).",
            ));
        }
        self.buffer.put_slice(more);
        Ok(())
    }

    /// The next frame, if it has come as a whole.
    fn whole(&mut self) -> Result<Option<Bytes>, Failure> {
        let Some((head, _)) = self.buffer.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*head) as usize;
        if length > LONGEST {
            return Err(
                match TLS_RECORDS.iter().any(|record| head.starts_with(record)) {
                    true => Failure::new(
                        FailureClass::Protocol,
                        "the broker speaks TLS at this port, and the connection plain text",
                    )
                    .with_hint("Add tls_enabled=true, or write the port for plain text."),
                    false => garbled("a frame is longer than any answer")
                        .with_hint("Look whether a Kafka broker listens at this port."),
                },
            );
        }
        if self.buffer.len() < 4 + length {
            return Ok(None);
        }
        let mut frame = self.buffer.split_to(4 + length).freeze();
        frame.advance(4);
        Ok(Some(frame))
    }
}

fn size(run: &Part) -> usize {
    match run {
        Part::Bytes(bytes) => bytes.len(),
        Part::Secret(opaque) => usize::try_from(opaque.length()).unwrap_or(usize::MAX),
    }
}

fn length(bytes: usize) -> Result<u32, Failure> {
    u32::try_from(bytes).map_err(unwritable)
}
