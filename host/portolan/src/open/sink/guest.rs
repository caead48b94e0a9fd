//! A provider's sink: each target is one instance of the provider.

use std::sync::Arc;

use async_trait::async_trait;
use portolan_contract::{FailureClass, Message};
use portolan_sandbox::{OpenSink, ProviderError};

use super::outbox::{Opener, Target, Trouble};
use crate::open::pinned::Pinned;
use crate::open::service::Services;

/// Opens the sink of one version of a connection.
pub(super) struct Guest<'a> {
    pub(super) services: &'a Services,
    pub(super) pinned: Arc<Pinned>,
}

#[async_trait]
impl Opener for Guest<'_> {
    async fn open(&self) -> Result<Box<dyn Target>, Trouble> {
        let service = self.services.of(&self.pinned).await;
        let service = service.map_err(|error| Trouble {
            error,
            may_pass: false,
        })?;
        let opened = service.provider.open_sink(&service.grants).await;
        Ok(Box::new(opened.map_err(trouble)?))
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
/// answer, or broke off. What refuses, refuses again.
fn trouble(error: ProviderError) -> Trouble {
    let may_pass = match &error {
        ProviderError::Refused(failure) => matches!(
            failure.class,
            FailureClass::Unreachable | FailureClass::Timeout | FailureClass::Protocol
        ),
        ProviderError::Fault { .. } => true,
        _ => false,
    };
    Trouble {
        error: error.into(),
        may_pass,
    }
}
