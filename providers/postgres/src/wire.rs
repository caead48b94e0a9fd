//! Messages over a connection.

use bytes::BytesMut;
use portolan_sdk::lent::net::Connection;
use portolan_sdk::lent::parts::Part;
use portolan_sdk::{Failure, FailureClass, joined};
use postgres_protocol::message::backend::{Header, Message};

use crate::refusal;

/// No message of a login is longer.
const LONGEST: i32 = 64 << 10;
/// No login has more messages, notices included.
const MOST: u32 = 512;
const READ: u32 = 16 << 10;

/// A connection, and what came over it and is not read yet.
pub(crate) struct Wire {
    pub(crate) connection: Connection,
    buffer: BytesMut,
    messages: u32,
}

impl Wire {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            buffer: BytesMut::new(),
            messages: 0,
        }
    }

    /// Sends a message that `make` writes.
    pub(crate) fn send(&self, make: impl FnOnce(&mut BytesMut)) -> Result<(), Failure> {
        let mut message = BytesMut::new();
        make(&mut message);
        self.connection.write(vec![Part::Bytes(message.to_vec())])
    }

    /// Sends a message of the tag `p`: bytes, an answer that may be opaque, and bytes.
    pub(crate) fn send_around(
        &self,
        before: &[u8],
        answer: Part,
        after: &[u8],
    ) -> Result<(), Failure> {
        let length = 4 + before.len() as u64 + length(&answer) + after.len() as u64;
        let length = u32::try_from(length).map_err(|_| garbled("an answer is too long"))?;
        let mut head = vec![b'p'];
        head.extend(length.to_be_bytes());
        head.extend(before);
        self.connection
            .write(vec![Part::Bytes(head), answer, Part::Bytes(after.to_vec())])
    }

    /// The next message; an error of the server is a failure, a notice is passed over.
    pub(crate) fn next(&mut self) -> Result<Message, Failure> {
        loop {
            let header = Header::parse(&self.buffer).map_err(|_| garbled("a broken message"))?;
            if header.is_some_and(|header| header.len() > LONGEST) {
                return Err(garbled("a message is longer than a login needs"));
            }
            let message = Message::parse(&mut self.buffer);
            match message.map_err(|_| garbled("a broken message"))? {
                None => {
                    let more = self.connection.read(READ)?;
                    if more.is_empty() {
                        return Err(garbled("the server closed the connection"));
                    }
                    self.buffer.extend_from_slice(&more);
                }
                Some(Message::ErrorResponse(body)) => return Err(refusal::failure(&body)),
                Some(message) => {
                    self.messages += 1;
                    if self.messages > MOST {
                        return Err(garbled("more messages than a login has"));
                    }
                    if !matches!(message, Message::NoticeResponse(_)) {
                        return Ok(message);
                    }
                }
            }
        }
    }
}

/// How many bytes a part is.
pub(crate) fn length(part: &Part) -> u64 {
    match part {
        Part::Bytes(bytes) => bytes.len() as u64,
        Part::Secret(opaque) => opaque.length(),
    }
}

/// The server does not speak the protocol.
pub(crate) fn garbled(what: &str) -> Failure {
    Failure::new(
        FailureClass::Protocol,
        joined(&["this is not what a PostgreSQL server answers: ", what]),
    )
    .with_hint("Check that host and port are those of the database, and look at its log.")
}
