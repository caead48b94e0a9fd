//! The certificate authorities that servers are checked against.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{ProfileError, ProfilePart};

/// The authorities that are trusted where a connection names none of its own.
///
/// Nothing is read from the disk but by [`TrustRoots::platform`], and then at the first handshake.
#[derive(Clone, Default)]
pub struct TrustRoots {
    source: Source,
    extra: Vec<CertificateDer<'static>>,
    store: Arc<OnceLock<Arc<RootCertStore>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Source {
    #[default]
    Mozilla,
    Platform,
    Nothing,
}

impl TrustRoots {
    /// Mozilla's list, as it was when this version was made; the default.
    #[must_use]
    pub fn mozilla() -> Self {
        Self::default()
    }

    /// What the operating system trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR` are heeded, as other
    /// programs do.
    #[must_use]
    pub fn platform() -> Self {
        Self {
            source: Source::Platform,
            ..Self::default()
        }
    }

    /// Nobody, but those that are added.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            source: Source::Nothing,
            ..Self::default()
        }
    }

    /// Trusts the authorities of a PEM text as well: `[tls] extra_ca`.
    ///
    /// # Errors
    ///
    /// The text holds no certificate, or one that cannot be read.
    pub fn with_pem(mut self, pem: &[u8]) -> Result<Self, ProfileError> {
        let certificates = certificates(pem, ProfilePart::ExtraAuthority)?;
        self.extra.extend(certificates);
        self.store = Arc::default();
        Ok(self)
    }

    /// The authorities, read when they are first needed.
    pub(super) fn store(&self) -> Arc<RootCertStore> {
        let store = self.store.get_or_init(|| {
            let mut store = RootCertStore::empty();
            match self.source {
                Source::Mozilla => store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
                Source::Platform => {
                    let found = rustls_native_certs::load_native_certs();
                    if !found.errors.is_empty() {
                        tracing::warn!(
                            problems = found.errors.len(),
                            "some certificate authorities of the system cannot be read"
                        );
                    }
                    store.add_parsable_certificates(found.certs);
                }
                Source::Nothing => {}
            }
            store.add_parsable_certificates(self.extra.iter().cloned());
            Arc::new(store)
        });
        Arc::clone(store)
    }
}

/// The certificates of a PEM text; at least one.
pub(super) fn certificates(
    pem: &[u8],
    part: ProfilePart,
) -> Result<Vec<CertificateDer<'static>>, ProfileError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ProfileError::Unreadable(part))?;
    if certificates.is_empty() {
        return Err(ProfileError::Unreadable(part));
    }
    Ok(certificates)
}

impl fmt::Debug for TrustRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustRoots")
            .field("source", &self.source)
            .field("extra", &self.extra.len())
            .finish_non_exhaustive()
    }
}
