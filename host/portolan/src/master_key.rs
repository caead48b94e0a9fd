//! A key of a key management service that wraps the key of a slot of the store.
//!
//! It is named by the operator's configuration and not by the catalog, which it opens. So it works
//! without a host: with a provider that the program carries, and never with one that the catalog
//! approves; the operator's policy and the dial guard judge it as they judge every connection.

use std::fmt;
use std::sync::{Arc, mpsc};

use portolan_catalog::KeyService;
use portolan_contract::{Encrypted, Kind, scheme_of};
use portolan_egress::{Egress, EgressOptions};
use portolan_sandbox::{Grants, Provider, SandboxOptions};
use portolan_secret::{KeyError, SecretText, SlotKey};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::builder::lent;
use crate::probing::interrupted;
use crate::providers::{Entry, Registry};
use crate::{Error, SqlState, planning, policy};

/// What a slot of this kind says of itself. Holds no secret: the key in it is wrapped.
#[derive(Serialize, Deserialize)]
struct Parameters {
    provider: String,
    /// The URI that it was made with, without its secrets.
    uri: String,
    /// The key as the service named it, and its version where it has one.
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key_version: Option<String>,
    /// The slot's key, wrapped, in hexadecimal digits.
    wrapped: String,
}

impl Parameters {
    /// The provider and the key, safe to print.
    fn named(&self) -> (&str, String) {
        let key = portolan_contract::strip_controls(&self.key, 2048);
        (&self.provider, key)
    }

    /// That the service did not unwrap the key, told with the key that it wrapped it with.
    fn not_unwrapped(&self, error: &Error) -> Error {
        let (provider, key) = self.named();
        let message = match error.message() {
            message if message.contains(&key) => message.to_owned(),
            message => format!("{message}; it was encrypted with {key} of {provider}"),
        };
        let told = Error::new(error.sqlstate(), message);
        match (error.sqlstate(), error.hint()) {
            // It is not a key of the service, or of another one: the service was not asked.
            (SqlState::InvalidParameterValue, _) => told.with_hint(format!(
                "Write the URI of that key at {CONFIGURED} in the configuration."
            )),
            (_, Some(hint)) => told.with_hint(hint),
            (_, None) => told,
        }
    }
}

/// A key of a key management service, for [`KeySource::Service`](portolan_catalog::KeySource).
///
/// Nothing is asked of the service, and no provider is compiled, before a slot has to be unwrapped or
/// made. Its methods block, and need a thread of the runtime's that may.
pub struct MasterKeyService(Arc<Inner>);

struct Inner {
    uri: SecretText,
    provider: Arc<Entry>,
    registry: Registry,
    egress: Egress,
    lends_credentials: bool,
    runtime: Handle,
    ready: OnceCell<Ready>,
}

/// The provider with its plan.
struct Ready {
    provider: Provider,
    grants: Grants,
    redacted_uri: String,
}

impl MasterKeyService {
    /// The key that a URI leads to, as `CREATE EXTERNAL CONNECTION` would take it. With
    /// `lends_credentials` the URI may ask for the credentials of this host (`AUTH=implicit`).
    ///
    /// # Errors
    /// 22023 for a URI without a scheme, 0A000 where no provider that the program carries has keys
    /// of this scheme.
    pub fn new(
        uri: SecretText,
        egress: EgressOptions,
        sandbox: SandboxOptions,
        lends_credentials: bool,
        runtime: Handle,
    ) -> Result<Self, Error> {
        let registry = Registry::new(sandbox, Vec::new(), None)?;
        let scheme = scheme_of(uri.expose()).map_err(|error| configured(error.into()))?;
        let provider = registry
            .carried_by_scheme(&scheme)
            .filter(|entry| entry.manifest().kinds.contains(&Kind::Kms))
            .ok_or_else(|| configured(no_such_service(&scheme)))?;
        let mut options = egress;
        options.runtime.get_or_insert_with(|| runtime.clone());
        Ok(Self(Arc::new(Inner {
            uri,
            provider,
            registry,
            egress: Egress::new(options),
            lends_credentials,
            runtime,
            ready: OnceCell::new(),
        })))
    }

    /// Waits for work that runs on the runtime. It ends with the runtime too.
    fn wait<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, KeyError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        let work = work(Arc::clone(&self.0));
        self.0.runtime.spawn(async move {
            // Nobody listens any more where the caller was ended.
            let _ = sender.send(work.await);
        });
        let result = receiver.recv().unwrap_or_else(|_| Err(interrupted()));
        result.map_err(|error| failed(&error))
    }
}

impl Inner {
    /// The provider and its plan, once the policy has agreed.
    async fn ready(&self) -> Result<&Ready, Error> {
        self.ready
            .get_or_try_init(async || {
                let entry = Arc::clone(&self.provider);
                let planned = planning::plan_by(&self.registry, entry, &self.uri);
                let planned = planned.await.map_err(configured)?;
                policy::judge(&self.egress, &planned.stored).map_err(configured)?;
                let lent = lent(self.lends_credentials, &self.egress);
                let grants = Grants::new(Arc::new(planned.stored));
                Ok(Ready {
                    provider: planned.provider,
                    grants: grants.with_network(self.egress.clone(), lent),
                    redacted_uri: planned.redacted_uri,
                })
            })
            .await
    }

    async fn wrap_and_try(&self, key: &SlotKey) -> Result<String, Error> {
        let ready = self.ready().await?;
        let bytes = key.to_bytes();
        let encrypted = ready.provider.encrypt(&ready.grants, &bytes).await?;
        // A slot that cannot be opened again would look like a way in.
        let decrypted = ready.provider.decrypt(&ready.grants, &encrypted).await?;
        if decrypted != bytes {
            return Err(Error::new(
                SqlState::ProtocolViolation,
                "the key management service decrypts to something else than it encrypted",
            )
            .with_hint("check that the URI names one key of one service"));
        }
        let parameters = Parameters {
            provider: self.provider.name().to_owned(),
            uri: ready.redacted_uri.clone(),
            key: encrypted.key,
            key_version: encrypted.key_version,
            wrapped: hex::encode(&encrypted.ciphertext),
        };
        serde_json::to_string(&parameters).map_err(|_| unreadable())
    }

    async fn unwrap_again(&self, parameters: &str) -> Result<SlotKey, Error> {
        let slot = read(parameters).ok_or_else(unreadable)?;
        let encrypted = Encrypted {
            ciphertext: hex::decode(&slot.wrapped).map_err(|_| unreadable())?,
            key: slot.key.clone(),
            key_version: slot.key_version.clone(),
        };
        let ready = self.ready().await?;
        let decrypted = ready.provider.decrypt(&ready.grants, &encrypted).await;
        let decrypted = decrypted.map_err(|error| slot.not_unwrapped(&error.into()))?;
        SlotKey::from_bytes(&decrypted).ok_or_else(something_else)
    }
}

impl KeyService for MasterKeyService {
    fn holds(&self, parameters: &str) -> bool {
        read(parameters).is_some_and(|slot| slot.provider == self.0.provider.name())
    }

    fn unwrap(&self, parameters: &str) -> Result<SlotKey, KeyError> {
        let parameters = parameters.to_owned();
        self.wait(|inner| async move { inner.unwrap_again(&parameters).await })
    }

    fn wrap(&self, key: &SlotKey) -> Result<String, KeyError> {
        let key = key.clone();
        self.wait(|inner| async move { inner.wrap_and_try(&key).await })
    }

    fn label(&self) -> String {
        self.0.provider.name().to_owned()
    }
}

/// What to call the key of a slot of this kind: the URI that it was made with, without its secrets.
/// None where these are no parameters of such a slot.
#[must_use]
pub fn master_key_shown(parameters: &str) -> Option<String> {
    read(parameters).map(|parameters| portolan_contract::strip_controls(&parameters.uri, 2048))
}

/// The key of such a slot, as the service called it when it encrypted: with the provider's name, so
/// that slots of one and the same key are told from others.
#[must_use]
pub fn master_key_of(parameters: &str) -> Option<String> {
    let slot = read(parameters)?;
    let (provider, key) = slot.named();
    Some(format!("{provider} {key}"))
}

fn read(parameters: &str) -> Option<Parameters> {
    serde_json::from_str(parameters).ok()
}

fn failed(error: &Error) -> KeyError {
    let hint = error
        .hint()
        .unwrap_or("Check the URI of [master_key] kms in the configuration.");
    KeyError::Service {
        sqlstate: error.sqlstate().code(),
        message: error.message().to_owned(),
        hint: Some(hint.to_owned()),
    }
}

/// Where the URI stands.
const CONFIGURED: &str = "[master_key] kms";

/// What is wrong with the URI itself: no service was asked.
fn configured(error: Error) -> Error {
    error.prefixed(CONFIGURED)
}

fn no_such_service(scheme: &str) -> Error {
    Error::new(
        SqlState::FeatureNotSupported,
        format!("no provider of this program has keys of the scheme {scheme}"),
    )
    .with_hint("[master_key] kms takes the URI of a key: aws-kms, gcp-kms or azure-kms")
}

/// The slot is as it was: nothing is wrong with what the store holds.
fn something_else() -> Error {
    Error::new(
        SqlState::ProtocolViolation,
        "the key management service gave back something else than the key that it was given",
    )
    .with_hint("check that [master_key] kms leads to the service that the slot was made with")
}

fn unreadable() -> Error {
    Error::new(
        SqlState::DataCorrupted,
        "what the key slot says of its key cannot be read",
    )
    .with_hint("open the store with another slot, and remove this one: see --unlock")
}

impl fmt::Debug for MasterKeyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeyService")
            .field("provider", &self.0.provider.name())
            .finish_non_exhaustive()
    }
}
