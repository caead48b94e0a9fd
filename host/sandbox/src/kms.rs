//! What a provider of keys is called for: a plaintext goes to the key and comes back from it, and
//! the provider sees neither.

use std::sync::Arc;

use portolan_contract::{Encrypted, Failure, FailureClass, Kind, MAX_PLAINTEXT};
use portolan_secret::{SecretBytes, SecretForms};
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Lift, Lower, Resource, TypedFunc,
};

use crate::acting::{Acting, Grants};
use crate::answer::AnswerProblem;
use crate::bindings::provided::kms::Encrypted as GuestEncrypted;
use crate::bindings::types::{self, PlanEntry};
use crate::capabilities::{Opaque, Origin, SHORTEST_GIVEN_AWAY};
use crate::refusal::Refusal;
use crate::{Fault, Provider, ProviderError, component};

impl Provider {
    /// Has the key of a plan encrypt at most [`MAX_PLAINTEXT`] bytes: a data key, not data.
    ///
    /// Dropping the future ends the instance; the service may have carried the request out.
    ///
    /// # Errors
    ///
    /// The plaintext is too long, the service or the provider refuses, or the provider was stopped
    /// or gave an answer that breaks a rule.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn encrypt(
        &self,
        grants: &Grants,
        plaintext: &SecretBytes,
    ) -> Result<Encrypted, ProviderError> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(ProviderError::Refused(too_long()));
        }
        let (operation, next) = self.next_of_key(grants);
        let encrypting = async {
            let mut instance = next.begin(&operation).await?;
            let acting = &mut instance.acting;
            let encrypt: Encrypt<'_> = acting.key_call(self, |calls| calls.encrypt)?;
            let plan = self.acting_plan(grants);
            let opaque = Opaque::new(plaintext.clone(), Origin::Host);
            let handle = acting.network()?.lend(opaque);
            let handle = handle.map_err(|error| acting.stopped(&error))?;
            let called = encrypt.call_async(&mut acting.store, (&plan, handle));
            let (answer,) = called.await.map_err(|error| acting.stopped(&error))?;
            let encrypted = answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            let encrypted = acting.believed(encrypted, plaintext)?;
            Ok((encrypted, instance))
        };
        let (encrypted, instance) = operation.run(encrypting).await?;
        self.rest(grants, instance);
        Ok(encrypted)
    }

    /// Has the key decrypt what it [encrypted](Self::encrypt), with the version that it names.
    ///
    /// Dropping the future ends the instance.
    ///
    /// # Errors
    ///
    /// As [`encrypt`](Self::encrypt), and what it is to decrypt breaks a bound.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub async fn decrypt(
        &self,
        grants: &Grants,
        encrypted: &Encrypted,
    ) -> Result<SecretBytes, ProviderError> {
        if let Err(what) = encrypted.check() {
            return Err(ProviderError::Refused(no_ciphertext(what)));
        }
        let (operation, next) = self.next_of_key(grants);
        let decrypting = async {
            let mut instance = next.begin(&operation).await?;
            let acting = &mut instance.acting;
            let decrypt: Decrypt<'_> = acting.key_call(self, |calls| calls.decrypt)?;
            let plan = self.acting_plan(grants);
            let asked = GuestEncrypted {
                ciphertext: encrypted.ciphertext.clone(),
                key: encrypted.key.clone(),
                key_version: encrypted.key_version.clone(),
            };
            let called = decrypt.call_async(&mut acting.store, (&plan, &asked));
            let (answer,) = called.await.map_err(|error| acting.stopped(&error))?;
            let handle = answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            let opaque = acting.network()?.take(handle);
            let opaque = opaque.map_err(|error| acting.stopped(&error))?;
            // A provider cannot read a secret of the plan, but it could hand one to whoever may use
            // the key and not see its credentials.
            if opaque.origin != Origin::Answer {
                return Err(AnswerProblem::ForeignPlaintext.into());
            }
            if opaque.bytes.len() > MAX_PLAINTEXT {
                return Err(AnswerProblem::LongPlaintext.into());
            }
            Ok((opaque.bytes, instance))
        };
        let (bytes, instance) = operation.run(decrypting).await?;
        // With it goes every other handle to them.
        self.rest(grants, instance);
        Ok(Arc::unwrap_or_clone(bytes))
    }
}

/// Where a component exports what is called for every data key. The generated bindings would compare
/// the types of all exports of the interface before each call; here it is those of the one.
pub(crate) struct KeyCalls {
    encrypt: ComponentExportIndex,
    decrypt: ComponentExportIndex,
}

impl KeyCalls {
    pub(crate) fn of(component: &Component) -> Option<Self> {
        let call = |name: &str| component::function_of(component, Kind::Kms, name);
        Some(Self {
            encrypt: call("encrypt")?,
            decrypt: call("decrypt")?,
        })
    }
}

type Encrypt<'a> =
    TypedFunc<(&'a [PlanEntry], Resource<Opaque>), (Result<GuestEncrypted, types::Failure>,)>;

type Decrypt<'a> =
    TypedFunc<(&'a [PlanEntry], &'a GuestEncrypted), (Result<Resource<Opaque>, types::Failure>,)>;

impl Acting {
    /// One function of the interface of keys.
    fn key_call<Given, Answered>(
        &mut self,
        provider: &Provider,
        which: impl FnOnce(&KeyCalls) -> ComponentExportIndex,
    ) -> Result<TypedFunc<Given, Answered>, Fault>
    where
        Given: ComponentNamedList + Lower,
        Answered: ComponentNamedList + Lift,
    {
        let Some(calls) = &provider.prepared.actor.key_calls else {
            return Err(Fault::unlisted(Some(Kind::Kms)));
        };
        let call = self.instance.get_typed_func(&mut self.store, which(calls));
        call.map_err(|error| self.stopped(&error))
    }

    /// What a key answered, once it is held to the contract.
    fn believed(
        &self,
        encrypted: GuestEncrypted,
        plaintext: &SecretBytes,
    ) -> Result<Encrypted, Refusal> {
        let encrypted = Encrypted {
            ciphertext: encrypted.ciphertext,
            key: encrypted.key,
            key_version: encrypted.key_version,
        };
        encrypted.check().map_err(AnswerProblem::Ciphertext)?;
        let plaintext = plaintext.expose();
        let version = encrypted.key_version.as_deref().unwrap_or_default();
        let kept = [
            &encrypted.ciphertext[..],
            encrypted.key.as_bytes(),
            version.as_bytes(),
        ];
        let forms = SecretForms::of(plaintext);
        if plaintext.len() >= SHORTEST_GIVEN_AWAY && kept.iter().any(|text| forms.are_in(text)) {
            return Err(AnswerProblem::Ciphertext("what shows the plaintext").into());
        }
        // Of all secrets, those too that the operation fetched.
        let words = self.store.data().lent.as_ref().map(|lent| &lent.words);
        let shows = |name: &str| words.is_some_and(|words| words.finds_a_secret(name));
        // These are shown and kept in clear.
        if shows(&encrypted.key) || encrypted.key_version.as_deref().is_some_and(shows) {
            return Err(AnswerProblem::SecretInKeyName.into());
        }
        Ok(encrypted)
    }
}

fn too_long() -> Failure {
    Failure::new(
        FailureClass::InvalidUri,
        "a key of a key management service encrypts at most 4 KiB",
    )
    .with_hint("encrypt a data key with it, and the data with the data key")
}

fn no_ciphertext(what: &str) -> Failure {
    Failure::new(
        FailureClass::InvalidUri,
        format!("what is to be decrypted has {what}"),
    )
    .with_hint("give what the same connection answered when it encrypted")
}
