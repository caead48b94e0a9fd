//! What a connection becomes: the provider's answer to a URI.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Kind, Operation, SecretNumber};

/// The most entries that a plan may have.
pub const MAX_PLAN_ENTRIES: usize = 256;

/// What the names of those secrets begin with that requests carry as parameters of their query. Such
/// names may repeat, each one being a pair.
pub const QUERY_SECRETS: &str = "query.";

/// A host and a port that the connection needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// A DNS name or an address literal without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The TLS profile of the plan that is spoken to it; absent for plain text.
    pub tls_profile: Option<String>,
}

/// What of a server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsVerification {
    /// The chain and the name.
    Full,
    /// The chain only.
    AuthorityOnly,
    /// Nothing: the URI asked for it.
    None,
}

/// How TLS is spoken; certificates and keys are named secrets of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsProfile {
    /// The name by which endpoints refer to it.
    pub name: String,
    /// The named secret with the authorities to trust instead of the platform's.
    pub certificate_authority: Option<String>,
    /// The named secret with the client's certificate chain.
    pub client_certificate: Option<String>,
    /// The named secret with the client's key.
    pub client_key: Option<String>,
    /// What is checked.
    pub verify: TlsVerification,
}

/// A piece of a value that the host puts together.
///
/// `Debug` shows no text: it may be a secret that the manifest has revealed to the provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fragment {
    /// Text.
    Text(String),
    /// A secret of the URI.
    Secret(SecretNumber),
}

impl fmt::Debug for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Secret(number) => f.debug_tuple("Secret").field(number).finish(),
        }
    }
}

/// A value under a name of the provider's choice, composed of text and secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSecret {
    /// The name by which requests and messages refer to it. Only names that begin with
    /// [`QUERY_SECRETS`] may stand in a plan more than once.
    pub name: String,
    /// Its pieces, in order; at most 16.
    pub fragments: Vec<Fragment>,
}

/// Where an object store keeps its objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectStorePlan {
    /// A backend of the host: `nodelocal`, `userfile`, `s3`, `gs`, `azure`, `http`.
    pub backend: String,
    /// Bucket, container, table or node; empty where the backend has none.
    pub container: String,
    /// Decoded, `/` between segments, without a leading `/`.
    pub prefix: String,
}

/// An identity that the host takes on before it uses the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssumedRole {
    /// A role's ARN, or a service account's address.
    pub role: String,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
}

/// One entry of a plan; see `plan-entry` of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PlanEntry {
    /// What the connection is.
    Kind(Kind),
    /// An operation that it supports.
    Supports(Operation),
    /// A place that the host may dial for it.
    Endpoint(Endpoint),
    /// How TLS is spoken to endpoints.
    Tls(TlsProfile),
    /// The access uses the host's own credentials or trusts the network: what it is.
    ImplicitAccess(String),
    /// A public setting.
    Setting(String, String),
    /// A secret value under a name.
    Secret(NamedSecret),
    /// The object store that the host builds.
    ObjectStore(ObjectStorePlan),
    /// An identity to take on, in the order of the entries.
    AssumeRole(AssumedRole),
    /// A sentence for the administrator.
    Warning(String),
    /// An entry that this host does not know.
    Other(String, String),
}

/// What a connection becomes, entry by entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Plan {
    /// The entries, in the provider's order.
    pub entries: Vec<PlanEntry>,
}

impl Plan {
    /// The kinds, in order; the first decides the type that SHOW prints.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            PlanEntry::Kind(kind) => Some(*kind),
            _ => None,
        })
    }

    /// The operations that the plan lists, and `transfer` where it yields an object store.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations: Vec<_> = self
            .entries
            .iter()
            .filter_map(|entry| match entry {
                PlanEntry::Supports(operation) => Some(*operation),
                _ => None,
            })
            .collect();
        if self.object_store().is_some() {
            operations.push(Operation::Transfer);
        }
        operations.sort_unstable();
        operations.dedup();
        operations
    }

    /// The endpoints, in order: an endpoint's number is its place here.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.entries.iter().filter_map(|entry| match entry {
            PlanEntry::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        })
    }

    /// The TLS profile of this name.
    #[must_use]
    pub fn tls_profile(&self, name: &str) -> Option<&TlsProfile> {
        self.entries.iter().find_map(|entry| match entry {
            PlanEntry::Tls(profile) if profile.name == name => Some(profile),
            _ => None,
        })
    }

    /// The identities to take on, in order.
    pub fn assumed_roles(&self) -> impl Iterator<Item = &AssumedRole> {
        self.entries.iter().filter_map(|entry| match entry {
            PlanEntry::AssumeRole(role) => Some(role),
            _ => None,
        })
    }

    /// The object store, if the plan yields one.
    #[must_use]
    pub fn object_store(&self) -> Option<&ObjectStorePlan> {
        self.entries.iter().find_map(|entry| match entry {
            PlanEntry::ObjectStore(store) => Some(store),
            _ => None,
        })
    }

    /// What makes the access implicit, if something does.
    #[must_use]
    pub fn implicit_access(&self) -> Option<&str> {
        self.entries.iter().find_map(|entry| match entry {
            PlanEntry::ImplicitAccess(what) => Some(what.as_str()),
            _ => None,
        })
    }

    /// A public setting by its name; the first of that name.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.entries.iter().find_map(|entry| match entry {
            PlanEntry::Setting(key, value) if key == name => Some(value.as_str()),
            _ => None,
        })
    }

    /// The sentences for the administrator.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match entry {
            PlanEntry::Warning(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prints_a_plan_shows_no_text_of_a_secret() {
        let plan = Plan {
            entries: vec![PlanEntry::Secret(NamedSecret {
                name: "dsn".to_owned(),
                fragments: vec![Fragment::Text("hunter2".to_owned()), Fragment::Secret(3)],
            })],
        };
        for shown in [format!("{plan:?}"), format!("{plan:#?}")] {
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("Text(7 bytes)"), "{shown}");
            assert!(shown.contains("dsn"), "{shown}");
        }
    }
}
