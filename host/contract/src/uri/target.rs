//! Whether a changed URI would send old secrets to a new place.

use std::fmt;

use crate::{Manifest, UriPieces, Value};

/// What of a URI decides where, and as whom, its secrets are used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetChange {
    /// The scheme is another.
    Scheme,
    /// The host or port is another.
    Authority,
    /// The user is another.
    User,
    /// A public option that names an address or account is another; its name.
    Option(String),
}

impl fmt::Display for TargetChange {
    /// A noun phrase: `the host`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => f.write_str("the scheme"),
            Self::Authority => f.write_str("the host"),
            Self::User => f.write_str("the user"),
            Self::Option(name) => f.write_str(name),
        }
    }
}

/// The first difference between two URIs that would have the secrets of `old` used at another
/// place or for another account. Whoever changes one of these has to give the secrets again, or a
/// stored secret could be sent to a place of somebody's choice.
#[must_use]
pub fn changes_target(
    old: &UriPieces,
    new: &UriPieces,
    manifest: &Manifest,
) -> Option<TargetChange> {
    if old.scheme != new.scheme {
        return Some(TargetChange::Scheme);
    }
    if !old.authority.eq_ignore_ascii_case(&new.authority) {
        return Some(TargetChange::Authority);
    }
    let shown = |user: &Option<Value>| match user {
        Some(Value::Text(user)) => Some(user.clone()),
        // A secret user is one of the secrets that are given again.
        Some(Value::Secret(_)) | None => None,
    };
    if shown(&old.user) != shown(&new.user) {
        return Some(TargetChange::User);
    }
    manifest
        .options
        .iter()
        .filter(|rule| rule.public)
        .filter(|rule| rule.account || rule.token_url || manifest.refers_to(&rule.name))
        .find(|rule| values(old, &rule.name).ne(values(new, &rule.name)))
        .map(|rule| TargetChange::Option(rule.name.clone()))
}

fn values<'a>(uri: &'a UriPieces, name: &str) -> impl Iterator<Item = &'a Value> {
    uri.options
        .iter()
        .filter(move |pair| pair.name == name)
        .map(|pair| &pair.value)
}
