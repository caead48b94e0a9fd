//! `net`: connections to the endpoints of the plan.

use std::future::poll_fn;
use std::time::Duration;

use portolan_contract::{Failure, FailureClass, Kind};
use portolan_egress::{Connection, ConnectionError};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use wasmtime::component::Resource;

use super::asked::{Taken, broken};
use super::network::Access;
use crate::Fault;
use crate::bindings::host::net::{Host, HostConnection, TlsFacts};
use crate::bindings::host::parts::Part;
use crate::bindings::types;
use crate::guest::{Guest, Patience};

/// The most connections that are waited for at once.
const MAX_WAITED: usize = 64;

/// What a call of a connection gave. Where time ran out nobody knows how far it got, so the
/// connection is of no more use.
fn settle<T>(
    connection: &mut Connection,
    patience: &Patience,
    outcome: Result<Result<T, ConnectionError>, Elapsed>,
) -> Result<T, Failure> {
    match outcome {
        Ok(result) => result.map_err(|error| error.failure()),
        Err(_) => {
            let over = patience.over();
            connection.fail(over.clone());
            Err(over)
        }
    }
}

/// A broker was not reached whose name cannot be told.
fn unnamed() -> Failure {
    Failure::new(
        FailureClass::Denied,
        "a broker that the server names was not reached; its name is left out, because a secret \
         of the connection may stand in it",
    )
    .with_hint(
        "see which brokers the server advertises, and write [[egress.brokers]] into portolan.toml \
         for those that are meant",
    )
}

impl Host for Guest {
    async fn resolve(&mut self, endpoint: u32) -> wasmtime::Result<Result<u32, types::Failure>> {
        let Access {
            network,
            budget,
            patience,
        } = self.network("net@0.1.0#resolve")?;
        let resolved = network.resolve(endpoint, budget, &patience).await?;
        self.answer(resolved.map(|found| u32::try_from(found.count()).unwrap_or(u32::MAX)))
    }

    async fn connect(
        &mut self,
        endpoint: u32,
    ) -> wasmtime::Result<Result<Resource<Connection>, types::Failure>> {
        let Access {
            network,
            budget,
            patience,
        } = self.network("net@0.1.0#connect")?;
        let connected = network.connect(endpoint, budget, &patience).await?;
        self.answer(connected)
    }

    /// The guest may have made the name of what it knows, so a failure repeats it only where no
    /// secret can stand in it.
    async fn connect_further(
        &mut self,
        endpoint: u32,
        host: String,
        port: u16,
    ) -> wasmtime::Result<Result<Resource<Connection>, types::Failure>> {
        self.network("net@0.1.0#connect-further")?;
        let read = portolan_egress::Host::parse(&host)
            .map_or_else(|_| String::new(), |host| host.to_string());
        let is_secret = self.lent.as_ref().is_none_or(|lent| {
            let mut spellings = [&host, &read].into_iter();
            spellings.any(|spelling| lent.words.may_hold_a_secret(spelling))
        });
        let patience = self.patience();
        let Some(network) = self.lent.as_mut().and_then(|lent| lent.network.as_mut()) else {
            return self.answer(Err(unnamed()));
        };
        let connected = network
            .connect_further(endpoint, &host, port, &mut self.budget, &patience)
            .await?;
        self.answer(connected.map_err(|failure| match is_secret {
            true => Failure {
                class: failure.class,
                ..unnamed()
            },
            false => failure,
        }))
    }

    async fn wait(
        &mut self,
        connections: Vec<Resource<Connection>>,
        timeout_milliseconds: u32,
    ) -> wasmtime::Result<Vec<u32>> {
        let Access {
            network, patience, ..
        } = self.network("net@0.1.0#wait")?;
        if connections.len() > MAX_WAITED {
            return Err(Fault::Contract(format!(
                "waited for more than {MAX_WAITED} connections at once"
            ))
            .into());
        }
        let most = Duration::from_millis(timeout_milliseconds.into()).min(patience.left());
        // Whoever only looks would never let the runtime see what has come.
        tokio::task::yield_now().await;
        let waiting = poll_fn(|context| network.poll_readable(&connections, context));
        let readable = match timeout(most, waiting).await {
            Ok(readable) => readable?,
            Err(_) => Vec::new(),
        };
        self.leave(readable)
    }
}

impl HostConnection for Guest {
    async fn start_tls(
        &mut self,
        connection: Resource<Connection>,
        profile: String,
        alpn: Vec<String>,
    ) -> wasmtime::Result<Result<TlsFacts, types::Failure>> {
        let Access {
            network, patience, ..
        } = self.network("net@0.1.0#[method]connection.start-tls")?;
        let plan = std::sync::Arc::clone(&network.plan);
        let connection = network.table.get_mut(&connection)?;
        let starting = connection.start_tls(&plan, &profile, &alpn);
        let outcome = timeout(patience.left(), starting).await;
        let facts = settle(connection, &patience, outcome);
        self.answer(facts.map(|facts| TlsFacts {
            version: facts.version.to_owned(),
            alpn: facts.alpn,
            server_end_point: facts.server_end_point,
        }))
    }

    async fn write(
        &mut self,
        connection: Resource<Connection>,
        parts: Vec<Part>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let Access {
            network, patience, ..
        } = self.network("net@0.1.0#[method]connection.write")?;
        let mut taken = Vec::with_capacity(parts.len());
        for part in parts {
            taken.push(Taken::of(part, network)?);
        }
        // Requests of keys go by rules, and their answers are looked at. Neither holds for bytes.
        let is_key = network.manifest.kinds.contains(&Kind::Kms);
        if is_key && taken.iter().any(|part| matches!(part, Taken::Secret(_))) {
            let refused = broken(
                FailureClass::Denied,
                "a provider of keys writes no opaque part to a connection".to_owned(),
            );
            return self.answer(Err(refused));
        }
        let pieces: Vec<_> = taken.iter().map(Taken::piece).collect();
        let connection = network.table.get_mut(&connection)?;
        let outcome = timeout(patience.left(), connection.write(&pieces)).await;
        let written = settle(connection, &patience, outcome);
        self.answer(written)
    }

    async fn read(
        &mut self,
        connection: Resource<Connection>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Failure>> {
        let Access {
            network,
            budget,
            patience,
        } = self.network("net@0.1.0#[method]connection.read")?;
        let connection = network.table.get_mut(&connection)?;
        let outcome = timeout(patience.left(), connection.read(max as usize)).await;
        let read = settle(connection, &patience, outcome);
        if let Ok(bytes) = &read {
            budget.count_response(bytes.len())?;
        }
        self.answer(read)
    }

    async fn try_read(
        &mut self,
        connection: Resource<Connection>,
        max: u32,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, types::Failure>> {
        let Access {
            network, budget, ..
        } = self.network("net@0.1.0#[method]connection.try-read")?;
        let connection = network.table.get_mut(&connection)?;
        let read = connection.try_read(max as usize).await;
        if let Ok(Some(bytes)) = &read {
            budget.count_response(bytes.len())?;
        }
        self.answer(read.map_err(|error| error.failure()))
    }

    async fn close(
        &mut self,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let Access {
            network, patience, ..
        } = self.network("net@0.1.0#[method]connection.close")?;
        let connection = network.table.get_mut(&connection)?;
        let outcome = timeout(patience.left(), connection.close()).await;
        let closed = settle(connection, &patience, outcome);
        self.answer(closed)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        match self.lent.as_mut().and_then(|lent| lent.network.as_mut()) {
            Some(network) => network.hang_up(connection),
            None => Ok(()),
        }
    }
}
