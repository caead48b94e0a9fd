//! The socket of a database.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::{Gate, GateError};

/// How old an answer of the gate may be when something comes.
const FRESH: Duration = Duration::from_secs(1);

/// The tag of a server's request to authenticate, and the kind that wants the password as it is.
const AUTHENTICATION: u8 = b'R';
const CLEAR_PASSWORD: [u8; 4] = 3_u32.to_be_bytes();

type Asking = Pin<Box<dyn Future<Output = Result<(), GateError>> + Send>>;

/// A socket over which nothing is sent any more once its gate is closed, and nothing that comes is
/// handed on. So whoever loses the right to a connection loses it while it is open.
pub(super) struct Socket {
    socket: TcpStream,
    gate: Arc<dyn Gate>,
    asking: Option<Asking>,
    asked: Instant,
    login: Option<Login>,
}

/// Why a socket was closed from this side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Closed {
    #[error(transparent)]
    Gate(GateError),
    #[error("the server asks for the password in clear")]
    ClearPassword,
}

impl Socket {
    /// Without TLS nobody is told the password as it is.
    pub(super) fn new(socket: TcpStream, gate: Arc<dyn Gate>, encrypted: bool) -> Self {
        Self {
            socket,
            gate,
            asking: None,
            asked: Instant::now(),
            login: (!encrypted).then(Login::default),
        }
    }

    /// Asks the gate.
    fn poll_gate(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let gate = Arc::clone(&self.gate);
        let asking = self
            .asking
            .get_or_insert_with(|| Box::pin(async move { gate.check().await }));
        let answer = ready!(asking.as_mut().poll(context));
        self.asking = None;
        self.asked = Instant::now();
        Poll::Ready(answer.map_err(|error| Closed::Gate(error).into()))
    }
}

impl From<Closed> for io::Error {
    fn from(closed: Closed) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, closed)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.asking.is_some() || self.asked.elapsed() > FRESH {
            ready!(self.poll_gate(context))?;
        }
        ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
        if let Some(login) = &mut self.login {
            login.look(&buffer.filled()[before..])?;
            if login.is_over() {
                self.login = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_gate(context))?;
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

/// Follows the messages of a login in clear, without keeping any of them.
#[derive(Debug, Default)]
struct Login {
    /// The tag, the length, and the first four bytes of what follows.
    head: Vec<u8>,
    /// What is left of the message at hand.
    left: u32,
    over: bool,
}

impl Login {
    const HEAD: usize = 9;

    fn is_over(&self) -> bool {
        self.over
    }

    /// Looks at what came next.
    fn look(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        for byte in bytes {
            if self.over {
                return Ok(());
            }
            if self.head.is_empty() || self.head.len() < 5 || self.left > 0 {
                self.take(*byte);
            }
            if self.head.len() >= 5 && self.left == 0 {
                self.judge()?;
                self.head.clear();
            }
        }
        Ok(())
    }

    fn take(&mut self, byte: u8) {
        if self.head.len() >= 5 {
            self.left -= 1;
        }
        if self.head.len() < Self::HEAD {
            self.head.push(byte);
        }
        if self.head.len() == 5 && self.left == 0 {
            let length = self.head[1..5].iter();
            let length = length.fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
            // The length counts itself. What is shorter the library refuses.
            self.left = length.saturating_sub(4);
        }
    }

    fn judge(&mut self) -> Result<(), Closed> {
        let Some((tag, rest)) = self.head.split_first() else {
            return Ok(());
        };
        let kind = rest.get(4..8).unwrap_or_default();
        match *tag {
            AUTHENTICATION if kind == CLEAR_PASSWORD => Err(Closed::ClearPassword),
            AUTHENTICATION if kind == [0; 4] => {
                self.over = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("a length");
        [&[tag][..], &length.to_be_bytes(), body].concat()
    }

    fn looked(messages: &[Vec<u8>], piece: usize) -> (Result<(), Closed>, bool) {
        let mut login = Login::default();
        for bytes in messages.concat().chunks(piece) {
            if let Err(closed) = login.look(bytes) {
                return (Err(closed), login.over);
            }
        }
        (Ok(()), login.over)
    }

    #[test]
    fn a_password_in_clear_is_found_however_its_request_arrives() {
        let notice = message(b'N', b"SNOTICE\0\0");
        let sasl = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
        let clear = message(b'R', &CLEAR_PASSWORD);
        let accepted = message(b'R', &[0; 4]);
        let empty = message(b'n', b"");
        for piece in [1, 2, 3, 5, 7, 64] {
            let asked = [notice.clone(), empty.clone(), clear.clone()];
            assert_eq!(
                looked(&asked, piece).0,
                Err(Closed::ClearPassword),
                "{piece}"
            );
            let passed = [notice.clone(), sasl.clone(), accepted.clone()];
            assert_eq!(looked(&passed, piece), (Ok(()), true), "{piece}");
            // What stands in another message is no request, and after the login nothing is one.
            let data = message(b'D', &clear);
            let later = [data, sasl.clone(), accepted.clone(), clear.clone()];
            assert_eq!(looked(&later, piece), (Ok(()), true), "{piece}");
        }
    }

    #[test]
    fn a_length_that_is_none_is_left_to_the_library() {
        for length in [0_u32, 3, u32::MAX] {
            let mut login = Login::default();
            let bytes = [&b"R"[..], &length.to_be_bytes(), &CLEAR_PASSWORD].concat();
            let _ = login.look(&bytes);
        }
    }
}
