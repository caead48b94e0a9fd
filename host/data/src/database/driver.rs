//! What moves the bytes of a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_postgres::Connection;

use super::spoken::Stream;

/// Moves the bytes of one connection, for as long as it is polled: it is spawned beside its client,
/// and ends when the client is gone, the server closes, or the handle may not be used any more.
#[must_use = "a client waits for ever where nobody polls its driver"]
pub struct DatabaseDriver(Connection<Stream, Stream>);

impl DatabaseDriver {
    pub(super) fn new(connection: Connection<Stream, Stream>) -> Self {
        Self(connection)
    }

    /// A parameter that the server told when the connection began, such as `server_version`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.0.parameter(name)
    }

    /// The next notice or notification of the server; none at the end of the connection. For those
    /// who want them, in place of awaiting the driver.
    pub fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<tokio_postgres::AsyncMessage, tokio_postgres::Error>>> {
        self.0.poll_message(context)
    }
}

impl Future for DatabaseDriver {
    type Output = Result<(), tokio_postgres::Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl fmt::Debug for DatabaseDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseDriver")
    }
}
