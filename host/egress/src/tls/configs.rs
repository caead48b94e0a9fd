//! What the TLS library was told of each profile, kept so that nothing is read twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;

use super::{ProfileError, TlsProfile, TrustRoots};

/// How many profiles are kept.
const RECENT: usize = 64;

/// The profiles that were used last; with each the TLS sessions that may be resumed.
#[derive(Debug, Default)]
pub(crate) struct Configs(Mutex<VecDeque<([u8; 32], Arc<ClientConfig>)>>);

impl Configs {
    /// The configuration of a profile with this digest.
    pub(crate) fn get(
        &self,
        profile: &TlsProfile,
        digest: [u8; 32],
        roots: &TrustRoots,
    ) -> Result<Arc<ClientConfig>, ProfileError> {
        if let Some(config) = find(&self.lock(), digest) {
            return Ok(config);
        }
        let config = Arc::new(profile.client_config(roots)?);
        let mut kept = self.lock();
        if let Some(first) = find(&kept, digest) {
            return Ok(first);
        }
        kept.push_back((digest, Arc::clone(&config)));
        if kept.len() > RECENT {
            kept.pop_front();
        }
        Ok(config)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<([u8; 32], Arc<ClientConfig>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(
    kept: &VecDeque<([u8; 32], Arc<ClientConfig>)>,
    digest: [u8; 32],
) -> Option<Arc<ClientConfig>> {
    let (_, config) = kept.iter().find(|(of, _)| *of == digest)?;
    Some(Arc::clone(config))
}
