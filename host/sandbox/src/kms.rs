//! What a provider of keys is called for: a plaintext goes to the key and comes back from it, and
//! the provider sees neither.

use std::sync::Arc;

use portolan_contract::{Encrypted, Failure, FailureClass, Kind, MAX_PLAINTEXT};
use portolan_secret::SecretBytes;

use crate::acting::{Acting, Grants};
use crate::answer::AnswerProblem;
use crate::bindings::provided::kms::{Encrypted as GuestEncrypted, Guest as Kms};
use crate::capabilities::{Opaque, Origin};
use crate::refusal::Refusal;
use crate::{Fault, Provider, ProviderError};

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
        let (operation, guest) = self.acting(grants);
        let encrypting = async {
            let mut acting = Acting::start(&operation, guest).await?;
            let kms = acting.kms(self)?;
            let plan = self.acting_plan(&grants.plan);
            let opaque = Opaque::new(plaintext.clone(), Origin::Host);
            let handle = acting.network()?.lend(opaque);
            let handle = handle.map_err(|error| acting.stopped(&error))?;
            let called = kms.call_encrypt(&mut acting.store, &plan, handle).await;
            let answer = called.map_err(|error| acting.stopped(&error))?;
            let encrypted = answer.map_err(|failure| Refusal::Refused(acting.failure(failure)))?;
            believed(grants, encrypted)
        };
        operation.run(encrypting).await
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
        let (operation, guest) = self.acting(grants);
        let decrypting = async {
            let mut acting = Acting::start(&operation, guest).await?;
            let kms = acting.kms(self)?;
            let plan = self.acting_plan(&grants.plan);
            let asked = GuestEncrypted {
                ciphertext: encrypted.ciphertext.clone(),
                key: encrypted.key.clone(),
                key_version: encrypted.key_version.clone(),
            };
            let called = kms.call_decrypt(&mut acting.store, &plan, &asked).await;
            let answer = called.map_err(|error| acting.stopped(&error))?;
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
            drop(acting);
            Ok(Arc::unwrap_or_clone(opaque.bytes))
        };
        operation.run(decrypting).await
    }
}

impl Acting {
    /// The interface of keys.
    fn kms(&mut self, provider: &Provider) -> Result<Kms, Fault> {
        let Some(kms) = &provider.prepared.actor.kms else {
            return Err(Fault::unlisted(Some(Kind::Kms)));
        };
        let loaded = kms.load(&mut self.store, &self.instance);
        loaded.map_err(|error| self.stopped(&error))
    }
}

/// What a key answered, once it is held to the contract.
fn believed(grants: &Grants, encrypted: GuestEncrypted) -> Result<Encrypted, Refusal> {
    let encrypted = Encrypted {
        ciphertext: encrypted.ciphertext,
        key: encrypted.key,
        key_version: encrypted.key_version,
    };
    encrypted.check().map_err(AnswerProblem::Ciphertext)?;
    let shows = |name: &str| grants.words.finds_a_secret(name);
    // These are shown and kept in clear.
    if shows(&encrypted.key) || encrypted.key_version.as_deref().is_some_and(shows) {
        return Err(AnswerProblem::SecretInPlan("the name of its key").into());
    }
    Ok(encrypted)
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
