//! Connects: server by server, one way after the other.

use std::fmt;
use std::sync::Arc;

use portolan_contract::{Endpoint, StoredPlan};
use portolan_egress::tls::TlsProfile;
use portolan_egress::{Egress, EgressError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::parameters::{config, is_wanted, patience};
use super::spoken::{Spoken, Stream};
use super::stream::Socket;
use super::ways::servers;
use super::{DatabaseClient, DatabaseDriver, DatabaseError};
use crate::Gate;

/// What is asked before TLS is spoken.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The protocol as TLS names it.
const ALPN: &str = "postgresql";

/// A database of one plan.
#[derive(Clone)]
pub struct Database {
    egress: Egress,
    plan: Arc<StoredPlan>,
}

impl Database {
    /// The database of this plan. Nothing is dialled yet.
    #[must_use]
    pub fn new(egress: &Egress, plan: &Arc<StoredPlan>) -> Self {
        Self {
            egress: egress.clone(),
            plan: Arc::clone(plan),
        }
    }

    /// Connects to the first server that lets the connection in, over the way that `sslmode` wants.
    /// While the connection is open its gate is asked before anything is sent.
    ///
    /// # Errors
    ///
    /// Why the last server that was tried did not let it in.
    pub async fn connect(
        &self,
        gate: &Arc<dyn Gate>,
    ) -> Result<(DatabaseClient, DatabaseDriver), DatabaseError> {
        let servers = servers(&self.plan.plan);
        let wanted = self
            .plan
            .plan
            .setting("target_session_attrs")
            .unwrap_or("any");
        let mut last = DatabaseError::NoEndpoint;
        for (place, server) in servers.iter().enumerate() {
            let another = place + 1 < servers.len();
            match self.reach(&server.ways, gate).await {
                Ok((client, driver)) => {
                    let is = |name: &str| driver.parameter(name) == Some("on");
                    let standby = is("in_hot_standby");
                    let read_only = is("default_transaction_read_only");
                    if is_wanted(wanted, standby, read_only, another) {
                        return Ok((client, driver));
                    }
                    last = DatabaseError::NotWanted(wanted.to_owned());
                }
                Err(error) if another && error.is_of_the_server() => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// One server, with TLS or without.
    async fn reach(
        &self,
        ways: &[&Endpoint],
        gate: &Arc<dyn Gate>,
    ) -> Result<(DatabaseClient, DatabaseDriver), DatabaseError> {
        let most = patience(&self.plan);
        let mut last = DatabaseError::NoEndpoint;
        for (place, way) in ways.iter().enumerate() {
            let another = place + 1 < ways.len();
            let reached = timeout(most, self.log_in(way, gate)).await;
            let reached = reached.unwrap_or_else(|_| {
                Err(DatabaseError::Slow {
                    host: way.host.clone(),
                    seconds: most.as_secs(),
                })
            });
            match reached {
                Err(error) if another && error.is_of_the_way() => last = error,
                reached => return reached,
            }
        }
        Err(last)
    }

    async fn log_in(
        &self,
        endpoint: &Endpoint,
        gate: &Arc<dyn Gate>,
    ) -> Result<(DatabaseClient, DatabaseDriver), DatabaseError> {
        let Endpoint {
            host,
            port,
            tls_profile,
        } = endpoint;
        let resolved = self.egress.resolve(host, *port).await?;
        let socket = self.egress.connect(&resolved).await?;
        let config = config(&self.plan, tls_profile.is_some());
        let socket = Socket::new(socket, Arc::clone(gate), tls_profile.is_some());
        let stream = match tls_profile {
            None => Stream::Clear(socket),
            Some(profile) => Stream::Encrypted(self.encrypt(socket, endpoint, profile).await?),
        };
        // The library is told that TLS comes first, and finds that it is spoken already.
        let logged_in = config.connect_raw(stream, Spoken).await;
        let (client, connection) =
            logged_in.map_err(|error| DatabaseError::of(&error, &self.plan, host))?;
        Ok((client, DatabaseDriver::new(connection)))
    }

    /// Asks the server whether it speaks TLS, in the one byte that it answers in clear, and speaks it.
    /// What it adds to that byte is no part of a handshake.
    async fn encrypt(
        &self,
        mut socket: Socket,
        endpoint: &Endpoint,
        profile: &str,
    ) -> Result<Box<TlsStream<Socket>>, DatabaseError> {
        let Endpoint { host, port, .. } = endpoint;
        let closed = |_| EgressError::Closed {
            host: host.clone(),
            unanswered: false,
        };
        socket.write_all(&SSL_REQUEST).await.map_err(closed)?;
        let mut answer = [0];
        socket.read_exact(&mut answer).await.map_err(closed)?;
        match answer {
            [b'S'] => {}
            [b'N'] => return Err(DatabaseError::NoTls),
            _ => {
                return Err(DatabaseError::Login { host: host.clone() });
            }
        }
        let profile = TlsProfile::of_plan(&self.plan, profile).map_err(EgressError::from)?;
        let alpn = [ALPN.to_owned()];
        let started = self.egress.start_tls(socket, host, *port, &profile, &alpn);
        Ok(Box::new(started.await?))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}
