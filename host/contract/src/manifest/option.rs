//! The rule of one option of the query.

use serde::{Deserialize, Serialize};

/// What the host checks of a secret, and what it then uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Used as decoded; nothing can be wrong. The default.
    #[default]
    Text,
    /// As text, but a space is a `+` that nobody escaped: access keys are made of base64's letters.
    Plus,
    /// Standard base64 with padding, a space read as `+`; used decoded. Offsets are counted as Go's
    /// decoder counts them, line breaks included.
    Base64,
    /// Checked as `base64`, but used as text, a space as `+`: for keys that every client takes in
    /// base64.
    Base64Text,
    /// As `base64`, and what it decodes to is one JSON document.
    Base64Json,
    /// One JSON document.
    Json,
    /// PEM: one block or more, each closed, its body base64.
    Pem,
    /// A whole number in decimal that fits 64 bits with a sign.
    Integer,
}

/// How a provider may have its own bytes signed with a secret that it does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// HMAC with SHA-256; the secret is the key.
    HmacSha256,
    /// Ed25519; the secret is a PEM private key.
    Ed25519,
    /// ECDSA on P-256 with SHA-256; the secret is a PEM private key.
    EcdsaP256Sha256,
    /// RSA PKCS #1 v1.5 with SHA-256; the secret is a PEM private key.
    RsaPkcs1Sha256,
}

/// The rule of one option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionRule {
    /// Its name, case-sensitive: `[A-Za-z][A-Za-z0-9_.-]{0,63}`.
    pub name: String,
    /// Whether its value may be shown; the default is that it may not. A public value that is a
    /// URL may hold no userinfo.
    #[serde(default)]
    pub public: bool,
    /// What the host checks and uses; only a secret has a format other than `text`.
    #[serde(default)]
    pub format: Format,
    /// Whether every URI needs it: for lists and completion. The provider refuses a URI without it.
    #[serde(default)]
    pub required: bool,
    /// What it means, in a few words.
    pub meaning: String,
    /// A value to show in help; for a secret a made-up one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether a public option names whose resource it is, as an account's name does. Changing it
    /// means giving the secrets again. Options that endpoint rules or `token_url` refer to count as
    /// such without saying so.
    #[serde(default)]
    pub account: bool,
    /// Whether its value is the one URL to which OAuth client credentials may be sent; public,
    /// `https`, at most one option of a manifest.
    #[serde(default)]
    pub token_url: bool,
    /// The algorithms with which the provider may have bytes signed by this secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sign: Vec<SignatureAlgorithm>,
}
