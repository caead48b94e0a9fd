//! How the HTTP client gets its connections: from the dial guard, and from nowhere else.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tower_service::Service;

use super::Watched;
use super::stream::Stream;
use crate::egress::Shared;
use crate::{EgressError, dial, tls};

/// Dials under the policy, and speaks TLS where the client has a profile.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// Weak, because the egress keeps the client that keeps this.
    pub(super) egress: Weak<Shared>,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Connector {
    async fn connect(self, host: String, port: u16) -> Result<TokioIo<Stream>, EgressError> {
        let Some(egress) = self.egress.upgrade() else {
            // Nobody is left who could have asked for it.
            return Err(EgressError::NotPlanned { host, port });
        };
        let options = &egress.options;
        // The policy of this moment, which may be newer than the client's: an older one counts for
        // nothing, and the client of a newer one never uses what was dialled here.
        let (_, policy) = egress.policy.get();
        let resolved = dial::resolve(options, &policy, &host, port).await?;
        let (_, policy) = egress.policy.get();
        let stream = dial::connect(options, &policy, &resolved).await?;
        let stream = Watched::new(stream, options.silence_timeout);
        let stream = match self.tls {
            None => Stream::Plain(stream),
            Some(config) => {
                let most = options.tls_timeout;
                let stream = tls::handshake(config, &host, port, stream, most).await?;
                Stream::Tls(Box::new(stream))
            }
        };
        Ok(TokioIo::new(stream))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, EgressError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (host, port) = super::place(&uri);
        Box::pin(self.clone().connect(host, port))
    }
}
