//! Where the connections of a provider may be dialled.

use std::sync::OnceLock;

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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RuleContext {
    /// What the URI begins with; none in plans that were stored before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheme: Option<String>,
    authority: Vec<AuthorityHost>,
    options: Vec<(String, String)>,
    /// The hosts in the value of each option, found when a rule asks for them first: every request is
    /// held to such rules, and to find a host takes longer than the rest of it.
    #[serde(skip)]
    hosts: OnceLock<Vec<Vec<String>>>,
}

impl PartialEq for RuleContext {
    fn eq(&self, other: &Self) -> bool {
        (&self.authority, &self.options) == (&other.authority, &other.options)
    }
}

impl Eq for RuleContext {}

impl RuleContext {
    /// What the rules may refer to in a URI.
    #[must_use]
    pub fn new(uri: &UriPieces) -> Self {
        let options = uri.options.iter().filter_map(|pair| match &pair.value {
            Value::Text(text) => Some((pair.name.clone(), text.clone())),
            Value::Secret(_) => None,
        });
        let authority = crate::uri::authority_hosts(&uri.authority).unwrap_or_default();
        Self::of(authority, options.collect()).with_scheme(&uri.scheme)
    }

    /// The same for a URI of this scheme.
    #[must_use]
    pub fn with_scheme(mut self, scheme: &str) -> Self {
        self.scheme = Some(scheme.to_owned());
        self
    }

    /// Whether the URI says by its scheme that everything is encrypted on its way: `https`, or one
    /// that ends with it.
    #[must_use]
    pub fn promises_tls(&self) -> bool {
        let scheme = self.scheme.as_deref().unwrap_or_default();
        scheme.to_ascii_lowercase().ends_with("https")
    }

    /// These hosts and these public options.
    #[must_use]
    pub fn of(authority: Vec<AuthorityHost>, options: Vec<(String, String)>) -> Self {
        Self {
            scheme: None,
            authority,
            options,
            hosts: OnceLock::new(),
        }
    }

    /// The hosts of the authority, in order.
    #[must_use]
    pub fn authority(&self) -> &[AuthorityHost] {
        &self.authority
    }

    /// The public options, in order.
    #[must_use]
    pub fn options(&self) -> &[(String, String)] {
        &self.options
    }

    /// The hosts in the values of an option.
    pub(super) fn hosts_of(&self, option: &str) -> impl Iterator<Item = &str> {
        let hosts = self.hosts.get_or_init(|| {
            let values = self.options.iter();
            let found = values.map(|(_, value)| crate::uri::hosts_of_value(value));
            found.collect()
        });
        let each = self.options.iter().zip(hosts);
        each.filter(move |((name, _), _)| name == option)
            .flat_map(|(_, hosts)| hosts.iter().map(String::as_str))
    }
}
