//! Single options of a URI, set and taken out; the rest stays byte for byte.

use std::collections::HashSet;

use portolan_secret::SecretText;

use super::{UriError, escape, split};
use crate::Manifest;
use crate::manifest::is_option_name;

/// The URI with each option of `set` at its new value and without those of `reset`. A value is raw:
/// it is escaped here, whatever it holds. An option that the URI has keeps its place, one that is
/// there several times is there once afterwards, and a new one comes last.
///
/// # Errors
///
/// [`UriError`] where the URI or the result cannot be split, a name is no option's name or is given
/// twice, the manifest refuses the name, or an option to take out is not there.
pub fn edit(
    uri: &SecretText,
    set: &[(String, SecretText)],
    reset: &[String],
    manifest: &Manifest,
) -> Result<SecretText, UriError> {
    let before = split(uri, manifest)?;
    let mut seen = HashSet::new();
    for name in set.iter().map(|(name, _)| name).chain(reset) {
        if !is_option_name(name) {
            return Err(
                UriError::new("a parameter has no name that an option can have")
                    .hint("a name is a letter, then at most 63 letters, digits, _, . or -"),
            );
        }
        if !seen.insert(name) {
            return Err(
                UriError::new(format!("the parameter {name} is given twice"))
                    .hint("name each parameter once"),
            );
        }
    }
    let has = |name: &str| before.pieces.options.iter().any(|pair| pair.name == name);
    if let Some(missing) = reset.iter().find(|name| !has(name)) {
        let error = UriError::new(format!("the URI has no parameter {missing} to take out"));
        return Err(
            match manifest.nearest_option(missing).filter(|name| has(name)) {
                Some(nearest) => error.hint(format!("did you mean {nearest}?")),
                None => error.hint("SHOW EXTERNAL CONNECTION lists the parameters that it has"),
            },
        );
    }
    let edited = rebuild(uri.expose(), set, reset);
    split(&edited, manifest)?;
    Ok(edited)
}

fn rebuild(uri: &str, set: &[(String, SecretText)], reset: &[String]) -> SecretText {
    let (before_query, query) = uri.split_once('?').unwrap_or((uri, ""));
    let mut placed = HashSet::new();
    // Sized for the worst case, so that growing leaves no copy of a secret behind.
    let escaped: usize = set
        .iter()
        .map(|(name, value)| name.len() + 3 * value.len() + 2)
        .sum();
    let mut edited = String::with_capacity(uri.len() + escaped + 1);
    edited.push_str(before_query);
    let mut separator = '?';
    let mut start_pair = |edited: &mut String| {
        edited.push(separator);
        separator = '&';
    };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let name = String::from_utf8(escape::decode_query(name)).unwrap_or_default();
        if reset.contains(&name) {
            continue;
        }
        match set.iter().find(|(other, _)| *other == name) {
            None => {
                start_pair(&mut edited);
                edited.push_str(pair);
            }
            Some((name, value)) if placed.insert(name.as_str()) => {
                start_pair(&mut edited);
                push_pair(&mut edited, name, value);
            }
            Some(_) => {}
        }
    }
    for (name, value) in set {
        if placed.insert(name) {
            start_pair(&mut edited);
            push_pair(&mut edited, name, value);
        }
    }
    SecretText::new(edited)
}

fn push_pair(edited: &mut String, name: &str, value: &SecretText) {
    edited.push_str(name);
    edited.push('=');
    escape::push_strictly_escaped(edited, value.expose().as_bytes());
}
