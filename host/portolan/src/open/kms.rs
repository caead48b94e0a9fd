//! The handle of a connection that is a key of a key management service.

use std::sync::Arc;

use portolan_contract::{Encrypted, Operation};
use portolan_secret::SecretBytes;

use super::OpenOptions;
use super::pinned::Pinned;
use super::service::{Asking, Service};
use crate::Error;
use crate::access::Actor;
use crate::host::Shared;
use crate::metrics::Asked;

/// An open connection to a key: it encrypts and decrypts data keys, at most 4 KiB each.
///
/// The provider that talks to the service sees neither plaintext nor credentials. Its connections
/// and tokens are kept for as long as the handle is, so that a second call dials nothing and
/// authenticates nothing anew. Calls that succeed follow each other in one instance of the provider,
/// up to [`Limits::calls_per_instance`](crate::Limits::calls_per_instance); other handles never share
/// it.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on.
#[derive(Debug, Clone)]
pub struct Kms(Arc<Asking>);

impl Kms {
    pub(crate) async fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        options: OpenOptions,
    ) -> Result<Self, Error> {
        let asking = Asking::open(host, actor, pinned, operation, options, Asked::Key).await?;
        Ok(Self(Arc::new(asking)))
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
        let turn = self.0.turn("encrypt").await?;
        let Service { provider, grants } = &turn.service;
        let encrypted = turn.counted(provider.encrypt(grants, plaintext).await)?;
        Ok((turn.pinned.connection.provider.clone(), encrypted))
    }

    /// Decrypts what [`encrypt`](Self::encrypt) answered, with the very key that it names, in
    /// the version that encrypted it: Azure's service is asked for that one, those of AWS and Google find
    /// it in the ciphertext.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt).
    pub async fn decrypt(&self, encrypted: &Encrypted) -> Result<SecretBytes, Error> {
        let turn = self.0.turn("decrypt").await?;
        let Service { provider, grants } = &turn.service;
        turn.counted(provider.decrypt(grants, encrypted).await)
    }

    /// The key as the connection names it, which may be less than its full name at the service: an
    /// alias, or a name within a vault. None where its provider does not say (a setting `key` of its
    /// plan).
    #[must_use]
    pub fn key_id(&self) -> Option<String> {
        let pinned = self.0.gate.pinned();
        pinned.plan().setting("key").map(str::to_owned)
    }

    /// The name of the provider that talks to the service.
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
