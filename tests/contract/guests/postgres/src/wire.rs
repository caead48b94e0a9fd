//! Messages over a connection.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::{ErrorResponseBody, Header, Message};

use crate::bindings::portolan::host::net::Connection;
use crate::bindings::portolan::host::parts::Part;
use crate::bindings::portolan::types::types::{Failure, FailureClass};
use crate::step::failed;

/// No message of a login is longer.
const LONGEST: i32 = 64 * 1024;
const READ: u32 = 16 * 1024;

/// A connection, and what came over it and is not read yet.
pub(crate) struct Wire {
    pub(crate) connection: Connection,
    buffer: BytesMut,
}

impl Wire {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            connection,
            buffer: BytesMut::new(),
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
            let header =
                Header::parse(&self.buffer).map_err(|error| garbled(&error.to_string()))?;
            if header.is_some_and(|header| header.len() > LONGEST) {
                return Err(garbled("a message is longer than a login needs"));
            }
            let message = Message::parse(&mut self.buffer);
            match message.map_err(|error| garbled(&error.to_string()))? {
                Some(Message::NoticeResponse(_)) => {}
                Some(Message::ErrorResponse(body)) => return Err(refusal(&body)),
                Some(message) => return Ok(message),
                None => {
                    let more = self.connection.read(READ)?;
                    if more.is_empty() {
                        return Err(garbled("the server closed the connection"));
                    }
                    self.buffer.extend_from_slice(&more);
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
    failed(
        FailureClass::Protocol,
        format!("this is not what a PostgreSQL server answers: {what}"),
    )
}

/// What the server said, classed by its SQLSTATE.
fn refusal(body: &ErrorResponseBody) -> Failure {
    let mut code = String::new();
    let mut message = String::new();
    let mut fields = body.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => code = value,
            b'M' => message = value,
            _ => {}
        }
    }
    let (class, hint) = match code.as_str() {
        code if code.starts_with("28") => (
            FailureClass::RefusedCredentials,
            Some("Look at the user, the password and the server's pg_hba.conf."),
        ),
        "3D000" => (
            FailureClass::NotFound,
            Some("Look at the name of the database."),
        ),
        "42501" => (FailureClass::Denied, None),
        code if code.starts_with("53") || code.starts_with("57P") => {
            (FailureClass::Unreachable, Some("Try again later."))
        }
        _ => (FailureClass::Protocol, None),
    };
    let mut failure = failed(class, format!("the server answered: {message}"));
    failure.hint = hint.map(str::to_owned);
    failure.facts.push(("sqlstate".to_owned(), code));
    failure
}
