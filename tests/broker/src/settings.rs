//! What does not change while a cluster runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::sasl::Users;

/// What a broker allows a batch to have by default: `message.max.bytes`.
pub(crate) const MAX_BATCH_BYTES: usize = 1_048_588;

/// The settings of a cluster.
pub(crate) struct Settings {
    /// The host that brokers advertise.
    pub(crate) host: String,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// The mechanisms that are offered; without one nobody has to authenticate.
    pub(crate) mechanisms: Vec<String>,
    pub(crate) users: Arc<Users>,
    /// Whether the exchange begins without a handshake, as at some proxies: then the one mechanism.
    pub(crate) without_handshake: bool,
    /// How long an authentication holds.
    pub(crate) session_lifetime: Option<Duration>,
    /// Whether the server's signature at the end of SCRAM is wrong.
    pub(crate) tampers: bool,
    /// The newest version that is spoken of a kind of request, where it is not the newest.
    pub(crate) newest: BTreeMap<i16, i16>,
}
