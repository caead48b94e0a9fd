//! The handle of a connection that is a key of a key management service.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use portolan_contract::{Encrypted, Operation};
use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use portolan_sandbox::{Grants, Provider, ProviderError};
use portolan_secret::SecretBytes;

use super::OpenOptions;
use super::gate::{HandleGate, Worker};
use super::made::Made;
use super::pinned::Pinned;
use crate::Error;
use crate::access::Actor;
use crate::host::Shared;
use crate::metrics::{Metrics, sqlstate_of};
use crate::providers::Registry;

/// An open connection to a key: it encrypts and decrypts data keys, at most 4 KiB each.
///
/// The provider that talks to the service sees neither plaintext nor credentials. Its connections
/// and tokens are kept for as long as the handle is, so that a second call dials nothing and
/// authenticates nothing anew.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Clone)]
pub struct Kms {
    gate: Arc<HandleGate>,
    shared: Arc<Parts>,
}

/// What clones of a handle have in common.
struct Parts {
    key: Made<Key>,
    egress: Egress,
    lent: Lent,
    providers: Arc<Registry>,
    metrics: Metrics,
}

/// A provider, and what it is granted for one version of a connection.
#[derive(Debug, Clone)]
struct Key {
    provider: Provider,
    grants: Grants,
}

impl Key {
    async fn of(
        pinned: &Pinned,
        providers: &Registry,
        egress: &Egress,
        lent: &Lent,
    ) -> Result<Self, Error> {
        let provider = pinned.provider.load(providers).await?.clone();
        let grants = Grants::new(Arc::clone(&pinned.stored));
        Ok(Self {
            provider,
            grants: grants.with_network(egress.clone(), lent.clone()),
        })
    }
}

impl Kms {
    pub(crate) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        options: OpenOptions,
    ) -> Result<Self, Error> {
        let worker = Worker::Provider;
        let gate = HandleGate::new(host, actor, Arc::clone(&pinned), operation, worker, options);
        let key = Key::of(&pinned, &host.providers, &host.egress, &host.lent).await?;
        host.handles.add(&gate);
        let shared = Parts {
            key: Made::new(pinned, key),
            egress: host.egress.clone(),
            lent: host.lent.clone(),
            providers: Arc::clone(&host.providers),
            metrics: host.metrics.clone(),
        };
        Ok(Self {
            gate,
            shared: Arc::new(shared),
        })
    }

    /// Encrypts at most 4 KiB: a data key, not data. The answer says with which key and, where the
    /// service has versions, with which of them.
    ///
    /// # Errors
    /// 22023 for a longer plaintext, why the handle may not be used any more, and what the service
    /// refuses: 28000, 42501 or 42704 as it says, 08001 where it does not answer.
    pub async fn encrypt(&self, plaintext: &SecretBytes) -> Result<Encrypted, Error> {
        let (_, encrypted) = self.encrypt_and_tell(plaintext).await?;
        Ok(encrypted)
    }

    /// As [`encrypt`](Self::encrypt), with the name of the provider that did it.
    pub(super) async fn encrypt_and_tell(
        &self,
        plaintext: &SecretBytes,
    ) -> Result<(String, Encrypted), Error> {
        let turn = self.turn("encrypt").await?;
        let Key { provider, grants } = &turn.key;
        let encrypted = turn.counted(provider.encrypt(grants, plaintext).await)?;
        Ok((turn.pinned.connection.provider.clone(), encrypted))
    }

    /// Decrypts what [`encrypt`](Self::encrypt) answered, with the very version of the key that it
    /// names.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt).
    pub async fn decrypt(&self, encrypted: &Encrypted) -> Result<SecretBytes, Error> {
        let turn = self.turn("decrypt").await?;
        let Key { provider, grants } = &turn.key;
        turn.counted(provider.decrypt(grants, encrypted).await)
    }

    /// The key as the connection names it, which may be less than its full name at the service: an
    /// alias, or a name within a vault. None where its provider does not say (a setting `key` of its
    /// plan).
    #[must_use]
    pub fn key_id(&self) -> Option<String> {
        let pinned = self.gate.pinned();
        pinned.plan().setting("key").map(str::to_owned)
    }

    /// The name of the provider that talks to the service.
    #[must_use]
    pub fn provider(&self) -> String {
        self.gate.pinned().connection.provider.clone()
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.gate.version()
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.gate.is_current().await
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        self.gate.changed().await;
    }

    /// Lets an operation begin.
    async fn turn(&self, operation: &'static str) -> Result<Turn<'_>, Error> {
        let started = Instant::now();
        let pinned = self.gate.pass().await?;
        let Parts {
            key,
            providers,
            egress,
            lent,
            metrics,
        } = &*self.shared;
        let making = Key::of(&pinned, providers, egress, lent);
        let key = key.of(&pinned, making).await?;
        Ok(Turn {
            key,
            pinned,
            operation,
            started,
            metrics,
        })
    }
}

/// One operation of a key.
struct Turn<'a> {
    key: Key,
    pinned: Arc<Pinned>,
    operation: &'static str,
    started: Instant,
    metrics: &'a Metrics,
}

impl Turn<'_> {
    fn counted<T>(&self, result: Result<T, ProviderError>) -> Result<T, Error> {
        let result = result.map_err(Error::from);
        let provider = &self.pinned.connection.provider;
        let took = self.started.elapsed();
        self.metrics
            .key_operation(provider, self.operation, sqlstate_of(&result), took);
        result
    }
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kms")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
