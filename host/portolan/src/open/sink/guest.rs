//! A provider's sink: each target is one instance of the provider.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_contract::{FailureClass, Message};
use portolan_egress::Egress;
use portolan_egress::credentials::Lent;
use portolan_sandbox::{Grants, OpenSink, ProviderError};

use super::outbox::{Opener, Target, Trouble};
use crate::Error;
use crate::host::Shared;
use crate::open::pinned::Pinned;
use crate::providers::Registry;

/// What instances of providers need.
pub(super) struct Guests {
    egress: Egress,
    lent: Lent,
    providers: Arc<Registry>,
}

impl Guests {
    pub(super) fn new(host: &Shared) -> Self {
        Self {
            egress: host.egress.clone(),
            lent: host.lent.clone(),
            providers: Arc::clone(&host.providers),
        }
    }

    /// Whether the provider can be loaded at all.
    pub(super) async fn check(&self, pinned: &Pinned) -> Result<(), Error> {
        pinned.provider.load(&self.providers).await.map(drop)
    }

    /// What opens the sink of a version.
    pub(super) fn of(&self, pinned: Arc<Pinned>) -> GuestOpener<'_> {
        GuestOpener {
            guests: self,
            pinned,
        }
    }
}

/// Opens the sink of one version of a connection.
pub(super) struct GuestOpener<'a> {
    guests: &'a Guests,
    pinned: Arc<Pinned>,
}

#[async_trait]
impl Opener for GuestOpener<'_> {
    async fn open(&self) -> Result<Box<dyn Target>, Trouble> {
        let Guests {
            egress,
            lent,
            providers,
        } = self.guests;
        let provider = self.pinned.provider.load(providers).await;
        let provider = provider.map_err(|error| Trouble {
            error,
            may_pass: false,
        })?;
        let grants = Grants::new(Arc::clone(&self.pinned.stored))
            .with_network(egress.clone(), lent.clone());
        let sink = provider.open_sink(&grants).await.map_err(trouble)?;
        Ok(Box::new(sink))
    }
}

#[async_trait]
impl Target for OpenSink {
    async fn emit(&mut self, messages: &[Message]) -> Result<u64, Trouble> {
        OpenSink::emit(self, messages).await.map_err(trouble)
    }

    async fn flush(&mut self) -> Result<u64, Trouble> {
        OpenSink::flush(self).await.map_err(trouble)
    }

    async fn close(self: Box<Self>) -> Result<(), Trouble> {
        OpenSink::close(*self).await.map_err(trouble)
    }
}

/// A provider that was stopped may do better in another instance, and so may a service that did not
/// answer. What refuses, refuses again.
fn trouble(error: ProviderError) -> Trouble {
    let may_pass = match &error {
        ProviderError::Refused(failure) => matches!(
            failure.class,
            FailureClass::Unreachable | FailureClass::Timeout
        ),
        ProviderError::Fault { .. } => true,
        _ => false,
    };
    Trouble {
        error: error.into(),
        may_pass,
    }
}
