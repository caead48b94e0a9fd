//! What is answered to a challenge.

use portolan_secret::SecretBytes;

/// What is answered to a challenge. All of it stays in the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To be sent; the exchange goes on.
    Message(SecretBytes),
    /// To be sent; the exchange is done if the server accepts.
    Last(SecretBytes),
    /// Nothing more to send: the server has proved that it knows the secret, or accepted.
    Done,
}
