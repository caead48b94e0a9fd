//! Without a client certificate: told whether the server asked for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

tokio::task_local! {
    /// Set by [`NoCertificate`] during the handshake of this task.
    pub(super) static ASKED: Arc<AtomicBool>;
}

/// Has no certificate, and notes that one was asked for. TLS 1.2 servers refuse a client without
/// one by an alert that could mean many things.
#[derive(Debug)]
pub(super) struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let _ = ASKED.try_with(|asked| asked.store(true, Ordering::Relaxed));
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
