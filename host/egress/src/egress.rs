//! The way out of a host: one policy, one resolver, one set of connections.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::dial::{self, Resolved};
use crate::http::HttpClient;
use crate::tls::{self, Configs, TlsProfile};
use crate::{
    CurrentPolicy, EgressError, EgressOptions, Host, Judgement, MetadataClient, Policy, Verdict,
};

/// How many clients are kept although nobody uses them, so that a connection that is opened again
/// finds its TLS profile built and its connections open.
const RECENT: usize = 64;

/// The way out. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Egress {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: EgressOptions,
    pub(crate) policy: CurrentPolicy,
    tls: Configs,
    clients: Mutex<Clients>,
}

/// A TLS profile, or none, and the generation of a policy.
type ClientKey = (Option<[u8; 32]>, u64);

#[derive(Debug, Default)]
struct Clients {
    all: HashMap<ClientKey, Weak<HttpClient>>,
    recent: VecDeque<(ClientKey, Arc<HttpClient>)>,
}

impl Egress {
    /// A way out with these options.
    #[must_use]
    pub fn new(options: EgressOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                policy: CurrentPolicy::new(options.policy.clone()),
                options,
                tls: Configs::default(),
                clients: Mutex::default(),
            }),
        }
    }

    /// The policy as it stands now. The one in [`Egress::options`] is the one that it began with.
    #[must_use]
    pub fn policy(&self) -> &CurrentPolicy {
        &self.shared.policy
    }

    /// How it is set up.
    #[must_use]
    pub fn options(&self) -> &EgressOptions {
        &self.shared.options
    }

    /// The verdict of a policy on an endpoint by its name alone, which an operator may have led to
    /// an address of his own.
    #[must_use]
    pub fn judge_name(&self, policy: &Policy, host: &str, port: u16) -> Verdict {
        let led = Host::parse(host)
            .ok()
            .and_then(|host| self.shared.options.connect_to.address(&host, port));
        match led {
            Some(_) => Verdict::NeedsResolution,
            None => policy.judge_name(host, port),
        }
    }

    /// Who asks metadata services for the host's own credentials; nobody, where the operator
    /// disabled implicit credentials.
    #[must_use]
    pub fn metadata(&self) -> Option<&MetadataClient> {
        let options = &self.shared.options;
        (!options.disable_implicit_credentials).then_some(&options.metadata)
    }

    /// Resolves an endpoint and judges its addresses; nothing is dialled.
    ///
    /// # Errors
    ///
    /// [`EgressError::Denied`] if no address is allowed, or that the name does not resolve.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Resolved, EgressError> {
        let (_, policy) = self.shared.policy.get();
        dial::resolve(&self.shared.options, &policy, host, port).await
    }

    /// Tells step by step how an endpoint is judged by the policy as it stands now; the last step
    /// is what it comes to. The name is looked up only where `resolve` says so, and nothing is ever
    /// dialled.
    pub async fn explain(&self, host: &str, port: u16, resolve: bool) -> Vec<Judgement> {
        let (_, policy) = self.shared.policy.get();
        dial::explain(&self.shared.options, &policy, host, port, resolve).await
    }

    /// Dials what [`Egress::resolve`] found: those very addresses, as far as the policy as it
    /// stands now still allows them.
    ///
    /// # Errors
    ///
    /// Why no address took the connection.
    pub async fn connect(&self, resolved: &Resolved) -> Result<tokio::net::TcpStream, EgressError> {
        let (_, policy) = self.shared.policy.get();
        dial::connect(&self.shared.options, &policy, resolved).await
    }

    /// Speaks TLS over a connection to this endpoint, with its own name, offering `alpn`.
    ///
    /// # Errors
    ///
    /// A certificate or key of the profile cannot be used, or the handshake failed.
    pub async fn start_tls<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        host: &str,
        port: u16,
        profile: &TlsProfile,
        alpn: &[String],
    ) -> Result<tokio_rustls::client::TlsStream<S>, EgressError> {
        let options = &self.shared.options;
        let tls = &self.shared.tls;
        let config = tls.get(profile, profile.digest(), &options.roots)?;
        let mut config = ClientConfig::clone(&config);
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        tls::handshake(Arc::new(config), host, port, stream, options.tls_timeout).await
    }

    /// The client for a TLS profile under a policy: the one that others use, or a new one.
    pub(crate) fn http_client(
        &self,
        profile: Option<&TlsProfile>,
        generation: u64,
    ) -> Result<Arc<HttpClient>, EgressError> {
        let digest = profile.map(TlsProfile::digest);
        let key = (digest, generation);
        if let Some(client) = self.clients().find(key) {
            return Ok(client);
        }
        let options = &self.shared.options;
        let config = match profile.zip(digest) {
            None => None,
            Some((profile, digest)) => {
                let config = self.shared.tls.get(profile, digest, &options.roots)?;
                Some(http_config(&config))
            }
        };
        let client = Arc::new(HttpClient::new(
            Arc::downgrade(&self.shared),
            config,
            options.silence_timeout,
            options.runtime.clone(),
        ));
        Ok(self.clients().keep(key, client))
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, Clients> {
        let clients = self.shared.clients.lock();
        clients.unwrap_or_else(PoisonError::into_inner)
    }
}

fn http_config(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

impl Clients {
    fn find(&self, key: ClientKey) -> Option<Arc<HttpClient>> {
        self.all.get(&key)?.upgrade()
    }

    /// Keeps a client, unless another one came first, and lets go of those of older policies.
    fn keep(&mut self, key: ClientKey, client: Arc<HttpClient>) -> Arc<HttpClient> {
        if let Some(first) = self.find(key) {
            return first;
        }
        let generation = key.1;
        self.recent.retain(|((_, of), _)| *of >= generation);
        self.recent.push_back((key, Arc::clone(&client)));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.all.retain(|_, client| client.strong_count() > 0);
        self.all.insert(key, Arc::downgrade(&client));
        client
    }
}
