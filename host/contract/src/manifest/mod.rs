//! The manifest: what a provider says of itself before any of its code runs.
//!
//! It is a TOML document of at most 64 KiB in the custom section `portolan:manifest` of the
//! component. The host reads it to split URIs, to list providers, to complete names and to judge
//! every endpoint and request; nothing in the guest repeats it. A key that is not described here is
//! an error that names the nearest one.
//!
//! ```toml
//! name = "s3"
//! version = "0.1.0"
//! contract = "0.1"
//! schemes = ["s3"]
//! kinds = ["storage"]
//! operations = ["backup", "restore", "import", "export", "changefeed"]
//! default_validate = "full"
//!
//! [[option]]
//! name = "AWS_SECRET_ACCESS_KEY"
//! format = "plus"
//! meaning = "the secret half of the access key"
//!
//! [[option]]
//! name = "AWS_ENDPOINT"
//! public = true
//! meaning = "another server that speaks the protocol"
//! example = "https://objects.example.com"
//!
//! [[endpoint]]
//! host = "**.amazonaws.com"
//! ports = [443]
//!
//! [[endpoint]]
//! host = "{option:AWS_ENDPOINT}"
//! ```

mod check;
mod error;
mod fields;
mod host_pattern;
mod option;
mod path_pattern;
mod public;
mod request;
mod rules;
mod version;

pub(crate) use check::is_option_name;
pub use error::ManifestError;
pub use host_pattern::HostPattern;
pub use option::{Format, OptionRule, SignatureAlgorithm};
pub use path_pattern::PathPattern;
pub use public::{EMBEDDED_PUBLIC, looks_like_a_credential};
pub use request::{
    AskedRequest, Authentication, Difference, InvalidPointer, JsonPointer, PartEncoding,
    RequestRefusal, RequestRule,
};
pub use rules::{AuthorityHost, EndpointRule, RuleContext};
pub use version::Version;

use serde::{Deserialize, Serialize};

use crate::{Depth, Endpoint, Kind, Operation};

/// The largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;

/// The JSON Schema of a manifest, for editors and for checks without a host. It says less than
/// [`Manifest::parse`] checks.
pub const MANIFEST_SCHEMA: &str = include_str!("../../manifest.schema.json");

/// The version of the contract that this host speaks, as a manifest's `contract` writes it.
pub const CONTRACT_VERSION: &str = "0.1";

/// Whether a piece of the URI may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// It may be shown, and the provider sees it.
    Public,
    /// It is a secret: shown as `redacted`, and a number to the provider.
    Secret,
}

/// What happens to an option that the manifest does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownOptions {
    /// It goes to the provider as a secret, and the provider decides; the default.
    #[default]
    Secret,
    /// The host refuses the URI, with the nearest known name as the hint.
    Refuse,
}

/// How far a connection is validated when the statement does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Validate {
    /// Planned and judged, without any network.
    None,
    /// Up to authentication, metadata and authorisation; the default.
    #[default]
    Read,
    /// Everything, with one marker or message.
    Full,
}

impl Validate {
    /// The depth of the probe, if there is one.
    #[must_use]
    pub fn depth(self) -> Option<Depth> {
        match self {
            Self::None => None,
            Self::Read => Some(Depth::Read),
            Self::Full => Some(Depth::Full),
        }
    }
}

/// The secrets that a provider sees in clear, by phase. It is empty for a provider that can do its
/// work blind; `provider add` asks before it accepts another.
///
/// An entry is the name of an option that is not public, or `{user}`, `{password}` or `{path}` for
/// these pieces of the URI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// Seen while the URI is planned, in an instance that no byte can leave.
    #[serde(default)]
    pub planning: Vec<String>,
    /// Seen while the provider acts on its endpoints.
    #[serde(default)]
    pub acting: Vec<String>,
}

impl Reveal {
    /// Whether nothing is revealed in any phase.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.planning.is_empty() && self.acting.is_empty()
    }
}

/// What a provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The provider's name: `[a-z][a-z0-9-]{0,62}`.
    pub name: String,
    /// Its version, three numbers: `1.4.0`. A stored plan is used while the major one is the same.
    pub version: Version,
    /// The version of the contract that the component was built against: `0.1`.
    pub contract: String,
    /// The schemes that it answers for, in lower case; one to sixteen, never `external`.
    pub schemes: Vec<String>,
    /// What its connections can be; the component exports one acting interface for each.
    pub kinds: Vec<Kind>,
    /// What its connections can be used for; a plan may list a part of these. `transfer` is not
    /// listed: it comes with every plan that yields an object store.
    pub operations: Vec<Operation>,
    /// Whether a userinfo without `:` may be shown. What stands after a `:` is always a secret, and
    /// what stands before it never is.
    #[serde(default = "secret")]
    pub user: Visibility,
    /// Whether the path may be shown; a secret one is printed as `/redacted`.
    #[serde(default = "public")]
    pub path: Visibility,
    /// What happens to an option that is not listed.
    #[serde(default)]
    pub unknown_options: UnknownOptions,
    /// How far CREATE and ALTER validate when the statement does not say.
    #[serde(default)]
    pub default_validate: Validate,
    /// What stands, with a colon, before each failure to create or alter a connection, in the words
    /// that users of this feature know: `failed to create s3 external connection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_prefix: Option<String>,
    /// The options of the query, each listed once.
    #[serde(default, rename = "option", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OptionRule>,
    /// Where its connections may be dialled. Without a rule there is no endpoint.
    #[serde(default, rename = "endpoint", skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<EndpointRule>,
    /// The kinds of HTTP request that the host sends, and signs, for it.
    #[serde(default, rename = "request", skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRule>,
    /// The secrets that it sees in clear.
    #[serde(default, skip_serializing_if = "Reveal::is_empty")]
    pub reveal: Reveal,
}

fn secret() -> Visibility {
    Visibility::Secret
}

fn public() -> Visibility {
    Visibility::Public
}

impl Manifest {
    /// Reads a manifest and checks all of it but which credentials it calls public, which
    /// [`Manifest::check_public`] does.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] says which field is wrong and what may stand there.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { bytes: text.len() });
        }
        let table: toml::Table = text.parse().map_err(ManifestError::syntax)?;
        check::contract(&table)?;
        fields::check(&table)?;
        // Read from the text once more, so that a value of the wrong type is shown with its place.
        let manifest: Self = toml::from_str(text).map_err(ManifestError::syntax)?;
        check::manifest(&manifest)?;
        Ok(manifest)
    }

    /// What connections of this provider may be opened for: what the manifest lists, and `transfer`,
    /// which goes with every object store and stands in no manifest.
    pub fn offered_operations(&self) -> impl Iterator<Item = Operation> {
        let transfer = self.kinds.contains(&Kind::Storage);
        let operations = self.operations.iter().copied();
        operations.chain(transfer.then_some(Operation::Transfer))
    }

    /// The rule of an option, if it is listed; names are case-sensitive.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&OptionRule> {
        self.options.iter().find(|option| option.name == name)
    }

    /// Whether the value of an option may be shown. One that is not listed is a secret.
    #[must_use]
    pub fn is_public(&self, option: &str) -> bool {
        self.option(option).is_some_and(|rule| rule.public)
    }

    /// The rule under which a host and port of a plan may be dialled, if there is one.
    #[must_use]
    pub fn endpoint_rule(
        &self,
        endpoint: &Endpoint,
        context: &RuleContext,
    ) -> Option<&EndpointRule> {
        self.endpoints
            .iter()
            .find(|rule| rule.admits(endpoint, context))
    }

    /// Whether an endpoint or request rule takes its host from the value of this option.
    #[must_use]
    pub fn refers_to(&self, option: &str) -> bool {
        let endpoints = self.endpoints.iter().map(|rule| &rule.host);
        let requests = self.requests.iter().flat_map(|rule| &rule.host);
        endpoints
            .chain(requests)
            .any(|host| host.option() == Some(option))
    }

    /// Whether the authority of the URI is a network address that the provider dials, and not the
    /// name of a bucket or the like.
    #[must_use]
    pub fn dials_authority(&self) -> bool {
        self.endpoints.iter().any(|rule| rule.host.is_authority())
    }

    /// A request rule by its name.
    #[must_use]
    pub fn request_rule(&self, name: &str) -> Option<&RequestRule> {
        self.requests.iter().find(|rule| rule.name == name)
    }

    /// The listed name that is nearest to one that is not listed: another case first, then a slip
    /// of the keyboard.
    #[must_use]
    pub fn nearest_option(&self, name: &str) -> Option<&str> {
        fields::nearest(name, self.options.iter().map(|option| option.name.as_str()))
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
