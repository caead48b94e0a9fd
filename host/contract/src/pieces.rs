//! A URI in pieces, as a provider sees it: text, and numbers where secrets stand.

use serde::{Deserialize, Serialize};

/// A secret of the URI at hand, by its place; the first is 0.
pub type SecretNumber = u32;

/// What the host found when it checked a secret against the format of its option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FormatVerdict {
    /// The option names no format that can be wrong.
    Unchecked,
    /// The value has the format.
    Valid,
    /// The value breaks the format at this byte of its decoded text, counted from 0.
    InvalidAt(u32),
}

/// All that phase one says of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretReference {
    /// Its number.
    pub number: SecretNumber,
    /// Whether it is empty.
    pub empty: bool,
    /// Whether it has the format of its option.
    pub verdict: FormatVerdict,
}

/// The value of one piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// Text that may be shown.
    Text(String),
    /// A secret, which may not.
    Secret(SecretReference),
}

/// One `name=value` of the query, both decoded once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionPair {
    /// The option's name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A URI, split lexically; see `uri-pieces` of the contract for each field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UriPieces {
    /// Lower case, without the colon.
    pub scheme: String,
    /// Before the first `:` of the userinfo, as given; absent without an `@`.
    pub user: Option<Value>,
    /// After the first `:` of the userinfo; always a secret.
    pub password: Option<Value>,
    /// Host, or hosts, and port, as given: after the authority's last `@`.
    pub authority: String,
    /// As given, with its leading `/` if it has one.
    pub path: Value,
    /// In the order of the URI; a repeated name stays a pair of its own.
    pub options: Vec<OptionPair>,
}
