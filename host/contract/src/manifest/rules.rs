//! Where the connections of a provider may be dialled.

use serde::{Deserialize, Serialize};

use super::HostPattern;
use crate::{Endpoint, UriPieces, Value};

/// A rule that admits endpoints of a plan. The operator's policy judges them as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointRule {
    /// The host: a name in which `*` is one label and a first `**` one label or more,
    /// `{authority}` for a host of the URI's authority, or `{option:NAME}` for a host in the value
    /// of a public option. `**.{option:NAME}` is a name below it.
    pub host: HostPattern,
    /// The ports; without any, every port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
}

impl EndpointRule {
    /// Whether this rule admits the endpoint.
    #[must_use]
    pub fn admits(&self, endpoint: &Endpoint, context: &RuleContext) -> bool {
        (self.ports.is_empty() || self.ports.contains(&endpoint.port))
            && self.host.matches(&endpoint.host, context)
    }
}

/// One host of the URI's authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityHost {
    /// The name, or an address literal without brackets, as given.
    pub host: String,
    /// The port, where the authority has one.
    pub port: Option<u16>,
}

/// What of a URI the rules refer to. It is public, and stored with the plan, because requests are
/// judged when there is no URI at hand any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleContext {
    /// The hosts of the authority, in order.
    pub authority: Vec<AuthorityHost>,
    /// The public options, in order.
    pub options: Vec<(String, String)>,
}

impl RuleContext {
    /// What the rules may refer to in a URI.
    #[must_use]
    pub fn new(uri: &UriPieces) -> Self {
        let options = uri.options.iter().filter_map(|pair| match &pair.value {
            Value::Text(text) => Some((pair.name.clone(), text.clone())),
            Value::Secret(_) => None,
        });
        Self {
            authority: crate::uri::authority_hosts(&uri.authority).unwrap_or_default(),
            options: options.collect(),
        }
    }
}
