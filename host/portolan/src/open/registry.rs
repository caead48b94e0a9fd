//! The handle of a connection that is a schema registry.

use std::sync::Arc;

use portolan_contract::{MAX_SUBJECTS, Operation, Schema};

use super::OpenOptions;
use super::pinned::Pinned;
use super::service::{Asking, Service};
use crate::Error;
use crate::access::Actor;
use crate::host::Shared;
use crate::metrics::Asked;

/// The most subjects that are listed: a registry that has more answers with the first of them.
const MOST_LISTED: u32 = 1_000_000;

/// An open connection to a schema registry.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Debug, Clone)]
pub struct Registry(Arc<Asking>);

impl Registry {
    pub(crate) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        options: OpenOptions,
    ) -> Result<Self, Error> {
        let asking = Asking::open(host, actor, pinned, operation, options, Asked::Registry).await?;
        Ok(Self(Arc::new(asking)))
    }

    /// The names of all subjects, in the registry's order.
    ///
    /// # Errors
    /// Why the handle may not be used any more, and what the registry refuses: 28000 or 42501 as it
    /// says, 08001 where it does not answer, 08P01 where it is none.
    pub async fn subjects(&self) -> Result<Vec<String>, Error> {
        let turn = self.0.turn("subjects").await?;
        let mut names = Vec::new();
        loop {
            let Service { provider, grants } = &turn.service;
            let skip = u32::try_from(names.len()).unwrap_or(MOST_LISTED);
            let more = provider.subjects(grants, skip, MAX_SUBJECTS).await;
            let count = match &more {
                Ok(more) => more.len(),
                Err(_) => return turn.counted(more),
            };
            names.extend(more.unwrap_or_default());
            if count < MAX_SUBJECTS as usize || names.len() >= MOST_LISTED as usize {
                return turn.counted(Ok(names));
            }
        }
    }

    /// Registers a schema under a subject: its number. One that is registered already keeps its
    /// number.
    ///
    /// # Errors
    /// As [`subjects`](Self::subjects); 42501 for a schema that is not compatible with those before
    /// it, 0A000 for one that the registry cannot read.
    pub async fn register(&self, subject: &str, schema: &Schema) -> Result<u32, Error> {
        let turn = self.0.turn("register").await?;
        let Service { provider, grants } = &turn.service;
        turn.counted(provider.register(grants, subject, schema).await)
    }

    /// The schema with a number.
    ///
    /// # Errors
    /// As [`subjects`](Self::subjects); 42704 where there is none.
    pub async fn get(&self, id: u32) -> Result<Schema, Error> {
        let turn = self.0.turn("get").await?;
        let Service { provider, grants } = &turn.service;
        turn.counted(provider.schema(grants, id).await)
    }

    /// The name of the provider that talks to the registry.
    #[must_use]
    pub fn provider(&self) -> String {
        self.0.provider()
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.gate.version()
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.0.gate.is_current().await
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        self.0.gate.changed().await;
    }
}
