//! HTTP to the endpoints of one plan, and to nowhere else.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Request, Response, Uri};
use portolan_contract::StoredPlan;

use super::body::{RequestBody, ResponseBody};
use super::client::HttpClient;
use super::normal;
use super::patience::patience_of;
use crate::tls::TlsProfile;
use crate::{Egress, EgressError};

/// The HTTP client of one connection. Cheap to clone; clones share everything.
///
/// A request whose scheme, host and port are no endpoint of the plan is refused before anything is
/// resolved. So whatever a library, a redirect or a reply talks it into, a connection's credentials
/// go to its own endpoints. After the operator replaced the policy, requests go over connections
/// that were dialled under the new one.
#[derive(Clone)]
pub struct EndpointClient {
    egress: Egress,
    endpoints: Arc<Vec<PlannedEndpoint>>,
    /// How long a server may take, where the connection says so.
    patience: Option<Duration>,
}

struct PlannedEndpoint {
    host: String,
    port: u16,
    profile: Option<TlsProfile>,
    /// The client that it used last, and the generation of the policy that this one is for.
    client: Mutex<Option<(u64, Arc<HttpClient>)>>,
}

impl EndpointClient {
    /// The client of a plan's endpoints.
    ///
    /// # Errors
    ///
    /// [`EgressError::Profile`] where a certificate or a key of the plan cannot be used.
    pub fn new(egress: &Egress, plan: &StoredPlan) -> Result<Self, EgressError> {
        let mut endpoints = Vec::new();
        for endpoint in plan.plan.endpoints() {
            let profile = match &endpoint.tls_profile {
                None => None,
                Some(name) => Some(TlsProfile::of_plan(plan, name)?),
            };
            endpoints.push(PlannedEndpoint::new(
                egress,
                &endpoint.host,
                endpoint.port,
                profile,
            )?);
        }
        Ok(Self {
            egress: egress.clone(),
            endpoints: Arc::new(endpoints),
            patience: patience_of(&plan.plan),
        })
    }

    /// A client without endpoints, for those that the host itself adds.
    pub(crate) fn bare(egress: &Egress) -> Self {
        Self {
            egress: egress.clone(),
            endpoints: Arc::default(),
            patience: None,
        }
    }

    /// The same client, with one more endpoint that the host itself adds: the regional server of a
    /// bucket whose region it found out, say. It has the TLS profile of the plan's first endpoint.
    ///
    /// # Errors
    ///
    /// As [`EndpointClient::new`].
    pub fn with_endpoint(&self, host: &str, port: u16) -> Result<Self, EgressError> {
        let profile = self
            .endpoints
            .first()
            .and_then(|first| first.profile.clone());
        self.with(host, port, profile)
    }

    fn with(
        &self,
        host: &str,
        port: u16,
        profile: Option<TlsProfile>,
    ) -> Result<Self, EgressError> {
        let mut endpoints = Vec::new();
        for endpoint in &*self.endpoints {
            let profile = endpoint.profile.clone();
            endpoints.push(PlannedEndpoint::new(
                &self.egress,
                &endpoint.host,
                endpoint.port,
                profile,
            )?);
        }
        endpoints.push(PlannedEndpoint::new(&self.egress, host, port, profile)?);
        Ok(Self {
            egress: self.egress.clone(),
            endpoints: Arc::new(endpoints),
            patience: self.patience,
        })
    }

    /// The same client, with one more endpoint, whose certificate is checked in full whatever the
    /// plan says of its own: a token service.
    ///
    /// # Errors
    ///
    /// As [`EndpointClient::new`].
    pub fn with_trusted_endpoint(&self, host: &str, port: u16) -> Result<Self, EgressError> {
        self.with(host, port, Some(TlsProfile::full()))
    }

    /// How long its servers may take to be reached, to begin an answer, and to go on with it, where
    /// the plan says so (its setting `timeout`); else [`EgressOptions::silence_timeout`] counts. The
    /// guard's own limits hold beside it.
    ///
    /// [`EgressOptions::silence_timeout`]: crate::EgressOptions::silence_timeout
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.patience
    }

    /// The way out that it uses.
    #[must_use]
    pub fn egress(&self) -> &Egress {
        &self.egress
    }

    /// Sends a request and waits for the head of the answer. Every status is an answer; redirects
    /// are not followed.
    ///
    /// # Errors
    ///
    /// [`EgressError`]; its [`is_unsent`](EgressError::is_unsent) says whether the server can have
    /// seen anything of the request.
    pub async fn send(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, EgressError> {
        let uri = request.uri();
        let (host, port) = super::place(uri);
        let encrypted = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        let endpoint = self.endpoints.iter().find(|endpoint| {
            endpoint.host == host
                && endpoint.port == port
                && endpoint.profile.is_some() == encrypted
        });
        let Some(endpoint) = endpoint else {
            return Err(EgressError::NotPlanned { host, port });
        };
        // A server of many names would take another one here; the client writes that of the URI.
        request.headers_mut().remove(http::header::HOST);
        without_user(request.uri_mut());
        let client = endpoint.client(&self.egress)?;
        client.send(request, self.patience).await
    }
}

impl PlannedEndpoint {
    fn new(
        egress: &Egress,
        host: &str,
        port: u16,
        profile: Option<TlsProfile>,
    ) -> Result<Self, EgressError> {
        let endpoint = Self {
            host: normal(host),
            port,
            profile,
            client: Mutex::default(),
        };
        // Now, so that a bad certificate is found before anything is dialled.
        endpoint.client(egress)?;
        Ok(endpoint)
    }

    fn client(&self, egress: &Egress) -> Result<Arc<HttpClient>, EgressError> {
        let (generation, _) = egress.policy().get();
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, client)) = &*kept
            && *of == generation
        {
            return Ok(Arc::clone(client));
        }
        let client = egress.http_client(self.profile.as_ref(), generation)?;
        *kept = Some((generation, Arc::clone(&client)));
        Ok(client)
    }
}

/// Drops the user and password of a URI. They are never sent, and whoever keeps a URI to tell
/// connections apart must not keep them.
fn without_user(uri: &mut Uri) {
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    let Some((_, place)) = authority.rsplit_once('@') else {
        return;
    };
    let Ok(place) = place.parse() else { return };
    let mut parts = std::mem::take(uri).into_parts();
    parts.authority = Some(place);
    if let Ok(rebuilt) = Uri::from_parts(parts) {
        *uri = rebuilt;
    }
}

impl fmt::Debug for EndpointClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = self.endpoints.iter();
        f.debug_list()
            .entries(places.map(|endpoint| format!("{}:{}", endpoint.host, endpoint.port)))
            .finish()
    }
}
