//! The way to the services of one plan.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH};
use http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full};
use portolan_contract::{Manifest, StoredPlan};

use super::identity::Identities;
use super::target::target;
use super::{ServiceAnswer, ServiceError, ServiceRequest, answer};
use crate::Egress;
use crate::credentials::Lent;
use crate::http::EndpointClient;

/// Sends requests to the endpoints of one plan. Cheap to clone; clones share connections, tokens and
/// keys.
#[derive(Debug, Clone)]
pub struct ServiceClient {
    client: EndpointClient,
    plan: Arc<StoredPlan>,
    identities: Arc<Identities>,
}

impl ServiceClient {
    /// The way to the services of this plan. Nothing is dialled yet.
    ///
    /// # Errors
    ///
    /// A certificate or key of the plan cannot be used, or the operator's switches forbid what the
    /// plan asks for.
    pub fn new(
        egress: &Egress,
        plan: &Arc<StoredPlan>,
        manifest: &Manifest,
        lent: Lent,
    ) -> Result<Self, ServiceError> {
        check_switches(egress, plan)?;
        let client = EndpointClient::new(egress, plan)?;
        let mut options = manifest.options.iter();
        let token_url = options.find(|option| option.token_url);
        let token_url = token_url.map(|option| option.name.clone());
        let identities = Identities::new(client.clone(), Arc::clone(plan), lent, token_url);
        Ok(Self {
            client,
            plan: Arc::clone(plan),
            identities: Arc::new(identities),
        })
    }

    /// Sends a request once and reads its whole answer. Every status is an answer; redirects are not
    /// followed.
    ///
    /// # Errors
    ///
    /// [`ServiceError`]. Where it is [`ServiceError::Egress`] and not
    /// [`is_unsent`](crate::EgressError::is_unsent), or tells of the answer, the service may have
    /// carried the request out.
    pub async fn send(&self, asked: &ServiceRequest<'_>) -> Result<ServiceAnswer, ServiceError> {
        self.identities
            .check(asked.rule, asked.endpoint, asked.body)?;
        let opaque = asked.opaque_members();
        let mut request = self.request(asked, !opaque.is_empty())?;
        let authenticating = self.identities.authenticate(asked.rule, &mut request);
        let fetched = authenticating.await?;
        let request = request.map(|body| {
            let body = Full::new(body).map_err(|never| match never {});
            body.boxed_unsync()
        });
        let answer = self.client.send(request).await?;
        self.identities.answered(asked.rule, answer.status());
        let answer = answer::read(answer, &asked.endpoint.host, &opaque, asked.most).await?;
        Ok(ServiceAnswer { fetched, ..answer })
    }

    /// The request without what authenticates it.
    fn request(
        &self,
        asked: &ServiceRequest<'_>,
        keeps_opaque: bool,
    ) -> Result<Request<Bytes>, ServiceError> {
        let unwritable = |what| move |_| ServiceError::Unwritable(what);
        let method = Method::from_bytes(asked.rule.method.as_bytes());
        let body = asked.whole_body();
        let mut request = Request::new(body);
        *request.method_mut() = method.map_err(|_| ServiceError::Unwritable("its method"))?;
        *request.uri_mut() = target(asked, &self.plan)?;
        let length = request.body().len();
        let given = asked.headers.iter().map(|(name, value)| (name, value));
        for (name, value) in given.chain(&asked.rule.headers) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(unwritable("a header"))?;
            let value = HeaderValue::from_str(value)
                .map_err(|_| ServiceError::Unwritable("the value of a header"))?;
            request.headers_mut().append(name, value);
        }
        let headers = request.headers_mut();
        if length > 0 {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        // What is packed leaves copies of its content in whoever unpacks it.
        let packed = match keeps_opaque {
            true => "identity",
            false => "gzip",
        };
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(packed));
        Ok(request)
    }
}

/// What the operator's switches forbid. A plan is asked when it is made; the switches may have
/// changed since.
fn check_switches(egress: &Egress, plan: &StoredPlan) -> Result<(), ServiceError> {
    let options = egress.options();
    let is = |name, value| plan.plan.setting(name) == Some(value);
    if options.disable_http && is("custom-endpoint", "true") {
        return Err(ServiceError::Disallowed {
            what: "custom endpoints",
            flag: "http",
        });
    }
    if options.disable_implicit_credentials && is("credentials", "implicit") {
        return Err(ServiceError::Disallowed {
            what: "implicit credentials",
            flag: "implicit-credentials",
        });
    }
    Ok(())
}
