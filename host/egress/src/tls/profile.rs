//! A TLS profile of a plan, with its certificates and keys.

use std::fmt;
use std::sync::Arc;

use portolan_contract::{StoredPlan, TlsVerification};
use portolan_secret::SecretBytes;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};

use super::TrustRoots;
use super::client::NoCertificate;
use super::roots::certificates;
use super::verify::{AnyCertificate, AnyName};

/// How TLS is spoken to the endpoints that name this profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsProfile {
    verify: TlsVerification,
    /// PEM, trusted instead of the host's own authorities.
    authority: Option<SecretBytes>,
    /// PEM.
    client_certificate: Option<SecretBytes>,
    /// PEM.
    client_key: Option<SecretBytes>,
}

/// A part of a profile, as errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfilePart {
    /// The authorities of the connection.
    Authority,
    /// Those that the operator added.
    ExtraAuthority,
    /// The client's certificate.
    ClientCertificate,
    /// Its key.
    ClientKey,
}

impl fmt::Display for ProfilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "the certificate authority of the connection",
            Self::ExtraAuthority => "an extra certificate authority of this host",
            Self::ClientCertificate => "the client certificate of the connection",
            Self::ClientKey => "the client key of the connection",
        })
    }
}

/// Why a profile cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The plan has no profile of this name, or the profile names a secret that it does not have.
    #[error("the plan of the connection has no TLS profile that is whole")]
    NotWhole,
    /// A part is not what it should be.
    #[error("{0} cannot be read")]
    Unreadable(ProfilePart),
    /// There is a certificate without a key, or the other way round.
    #[error("{0} is there, but not the other half")]
    Half(ProfilePart),
    /// The key is another certificate's.
    #[error("the client key is not that of the client certificate")]
    Mismatch,
}

impl ProfileError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotWhole => "create the connection again",
            Self::Unreadable(ProfilePart::ClientKey) => {
                "give one unencrypted private key in PEM: PKCS #8, PKCS #1 or SEC 1"
            }
            Self::Unreadable(_) => "give certificates in PEM, from BEGIN to END CERTIFICATE",
            Self::Half(_) => "give the client's certificate and its key together",
            Self::Mismatch => "give the key that the client certificate was issued for",
        }
    }
}

impl TlsProfile {
    /// The usual: the host's authorities, and the server's name is checked.
    #[must_use]
    pub fn full() -> Self {
        Self {
            verify: TlsVerification::Full,
            authority: None,
            client_certificate: None,
            client_key: None,
        }
    }

    /// The profile of this name in a plan, its secrets put in.
    ///
    /// # Errors
    ///
    /// [`ProfileError::NotWhole`].
    pub fn of_plan(plan: &StoredPlan, name: &str) -> Result<Self, ProfileError> {
        let profile = plan.plan.tls_profile(name).ok_or(ProfileError::NotWhole)?;
        let secret = |name: &Option<String>| match name {
            None => Ok(None),
            Some(name) => match plan.secret(name) {
                Some(secret) => Ok(Some(secret.clone())),
                None => Err(ProfileError::NotWhole),
            },
        };
        Ok(Self {
            verify: profile.verify,
            authority: secret(&profile.certificate_authority)?,
            client_certificate: secret(&profile.client_certificate)?,
            client_key: secret(&profile.client_key)?,
        })
    }

    /// What tells two profiles apart: equal ones share their connections.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update([self.verify as u8]);
        for part in [&self.authority, &self.client_certificate, &self.client_key] {
            let length = part.as_ref().map_or(u64::MAX, |part| part.len() as u64);
            digest.update(length.to_be_bytes());
            digest.update(part.as_ref().map_or(&[][..], |part| part.expose()));
        }
        digest.finalize().into()
    }

    /// What the TLS library needs; it offers no protocol by ALPN yet.
    pub(crate) fn client_config(&self, roots: &TrustRoots) -> Result<ClientConfig, ProfileError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|_| ProfileError::NotWhole)?;
        let builder = match self.verify {
            TlsVerification::Full => builder.with_root_certificates(self.authorities(roots)?),
            TlsVerification::AuthorityOnly => {
                let verifier = AnyName {
                    chain: self.chain_verifier(roots, &provider)?,
                    signatures: AnyCertificate(provider),
                };
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
            TlsVerification::None => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
        };
        match (&self.client_certificate, &self.client_key) {
            (None, None) => Ok(builder.with_client_cert_resolver(Arc::new(NoCertificate))),
            (Some(_), None) => Err(ProfileError::Half(ProfilePart::ClientCertificate)),
            (None, Some(_)) => Err(ProfileError::Half(ProfilePart::ClientKey)),
            (Some(certificate), Some(key)) => {
                let chain = certificates(certificate.expose(), ProfilePart::ClientCertificate)?;
                let key = PrivateKeyDer::from_pem_slice(key.expose())
                    .map_err(|_| ProfileError::Unreadable(ProfilePart::ClientKey))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| match error {
                        rustls::Error::InconsistentKeys(_) => ProfileError::Mismatch,
                        _ => ProfileError::Unreadable(ProfilePart::ClientKey),
                    })
            }
        }
    }

    fn authorities(&self, roots: &TrustRoots) -> Result<Arc<RootCertStore>, ProfileError> {
        let Some(pem) = &self.authority else {
            return Ok(roots.store());
        };
        let mut store = RootCertStore::empty();
        for certificate in certificates(pem.expose(), ProfilePart::Authority)? {
            store
                .add(certificate)
                .map_err(|_| ProfileError::Unreadable(ProfilePart::Authority))?;
        }
        Ok(Arc::new(store))
    }

    fn chain_verifier(
        &self,
        roots: &TrustRoots,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Arc<WebPkiServerVerifier>>, ProfileError> {
        let authorities = self.authorities(roots)?;
        if authorities.is_empty() {
            return Ok(None);
        }
        WebPkiServerVerifier::builder_with_provider(authorities, Arc::clone(provider))
            .build()
            .map(Some)
            .map_err(|_| ProfileError::Unreadable(ProfilePart::Authority))
    }
}
