//! The token of `OAUTHBEARER`.

use portolan_contract::StoredPlan;
use serde::Deserialize;

use super::properties::Properties;
use super::{SaslError, ServerRefusal};
use crate::Egress;
use crate::credentials::{OauthClient, OauthTokens};
use crate::http::EndpointClient;

/// Where a token comes from: the service that `option` of the connection's own URI names, and no
/// other, and only where the plan has its host as an endpoint.
pub(super) fn tokens(
    egress: &Egress,
    plan: &StoredPlan,
    option: Option<&str>,
    properties: &Properties,
) -> Result<OauthTokens, SaslError> {
    let url = properties.text("token-url")?;
    let mut named = plan.context.options().iter();
    let is_named =
        named.any(|(name, value)| Some(name.as_str()) == option && value == url.expose());
    if !is_named {
        return Err(SaslError::OtherTokenService);
    }
    let optional = |name| -> Result<_, SaslError> {
        let text = properties.optional(name)?;
        Ok(text.map(|text| text.expose().to_owned()))
    };
    let client = OauthClient {
        id: properties.text("client-id")?.expose().to_owned(),
        secret: properties.text("client-secret")?,
        grant_type: optional("grant-type")?,
        scope: optional("scope")?,
    };
    let service = OauthTokens::place(url.expose())?;
    let is_planned = plan.plan.endpoints().any(|endpoint| {
        crate::http::normal(&endpoint.host) == crate::http::normal(&service.host)
            && endpoint.port == service.port
            && endpoint.tls_profile.is_some()
    });
    if !is_planned {
        return Err(SaslError::OtherTokenService);
    }
    // Not with the profile of the plan, which may be one that checks less.
    let way = EndpointClient::bare(egress).with_trusted_endpoint(&service.host, service.port)?;
    Ok(OauthTokens::new(&way, service, client))
}

/// What a server says instead of letting a token pass (RFC 7628, section 3.2.2).
#[derive(Deserialize)]
struct Refused {
    status: String,
}

/// Why the server refused the token. Whatever it says, it has not accepted.
pub(super) fn refusal(challenge: &[u8]) -> ServerRefusal {
    let refused = serde_json::from_slice::<Refused>(challenge);
    match refused.as_ref().map(|refused| refused.status.as_str()) {
        Ok("insufficient_scope") => ServerRefusal::Scope,
        Ok("invalid_token") => ServerRefusal::Token,
        _ => ServerRefusal::Other,
    }
}
