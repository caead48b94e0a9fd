//! What the types alone cannot say: names, doubles, and fields that go together.

use std::collections::HashSet;

use super::{CONTRACT_VERSION, Format, HostPattern, Manifest, ManifestError, OptionRule};
use crate::Operation;

const MAX_SCHEMES: usize = 16;
const MAX_OPTIONS: usize = 256;
const MAX_RULES: usize = 256;
const MAX_SENTENCE: usize = 400;

/// Refuses a manifest of another contract before its fields are read: they may be unknown here.
pub(super) fn contract(table: &toml::Table) -> Result<(), ManifestError> {
    match table.get("contract").and_then(toml::Value::as_str) {
        Some(CONTRACT_VERSION) => Ok(()),
        Some(found) => Err(ManifestError::Contract {
            found: found.chars().take(32).collect(),
        }),
        None => Err(ManifestError::invalid(
            "contract",
            format!(
                "the version of the contract is missing; write contract = \"{CONTRACT_VERSION}\""
            ),
        )),
    }
}

pub(super) fn manifest(manifest: &Manifest) -> Result<(), ManifestError> {
    if !is_name(&manifest.name) {
        return Err(bad_name("name"));
    }
    schemes(&manifest.schemes)?;
    if manifest.kinds.is_empty() {
        return Err(ManifestError::invalid(
            "kinds",
            "at least one kind is listed",
        ));
    }
    no_doubles("the kind", manifest.kinds.iter().map(|kind| kind.as_str()))?;
    no_doubles(
        "the operation",
        manifest.operations.iter().map(|one| one.as_str()),
    )?;
    if manifest.operations.contains(&Operation::Transfer) {
        return Err(ManifestError::invalid(
            "operations",
            "transfer is not listed: it comes with every plan that yields an object store",
        ));
    }
    no_doubles(
        "the option",
        manifest.options.iter().map(|one| one.name.as_str()),
    )?;
    no_doubles(
        "the request",
        manifest.requests.iter().map(|one| one.name.as_str()),
    )?;
    at_most("[[option]]", manifest.options.len(), MAX_OPTIONS)?;
    at_most("[[endpoint]]", manifest.endpoints.len(), MAX_RULES)?;
    at_most("[[request]]", manifest.requests.len(), MAX_RULES)?;
    if let Some(prefix) = &manifest.failure_prefix {
        sentence("failure_prefix", prefix)?;
    }
    for rule in &manifest.options {
        option(rule)?;
    }
    if manifest
        .options
        .iter()
        .filter(|rule| rule.token_url)
        .count()
        > 1
    {
        return Err(ManifestError::invalid(
            "token_url",
            "at most one option is the token URL",
        ));
    }
    for (place, rule) in manifest.endpoints.iter().enumerate() {
        let field = format!("[[endpoint]] number {}", place + 1);
        host(&field, &rule.host, manifest)?;
        if rule.ports.contains(&0) {
            return Err(ManifestError::invalid(field, "a port is 1 to 65535"));
        }
    }
    for rule in &manifest.requests {
        super::request::check::rule(rule, manifest)?;
    }
    reveal(manifest)
}

fn schemes(schemes: &[String]) -> Result<(), ManifestError> {
    if schemes.is_empty() || schemes.len() > MAX_SCHEMES {
        let problem = format!("one to {MAX_SCHEMES} schemes are listed");
        return Err(ManifestError::invalid("schemes", problem));
    }
    for scheme in schemes {
        if !is_scheme(scheme) {
            return Err(ManifestError::invalid(
                "schemes",
                format!(
                    "{:?} is no scheme: a lower-case letter, then at most 31 letters, digits, +, . or -",
                    short(scheme)
                ),
            ));
        }
        if scheme == "external" {
            return Err(ManifestError::invalid(
                "schemes",
                "external is how connections are named; no provider may have it",
            ));
        }
    }
    no_doubles("the scheme", schemes.iter().map(String::as_str))
}

fn option(rule: &OptionRule) -> Result<(), ManifestError> {
    if !is_option_name(&rule.name) {
        return Err(ManifestError::invalid(
            "option",
            format!(
                "{:?} is no option name: a letter, then at most 63 letters, digits, _, . or -",
                short(&rule.name)
            ),
        ));
    }
    let field = |field: &str| format!("option {}: {field}", rule.name);
    sentence(&field("meaning"), &rule.meaning)?;
    if let Some(example) = &rule.example {
        sentence(&field("example"), example)?;
    }
    if rule.public && rule.format != Format::Text {
        return Err(ManifestError::invalid(
            field("format"),
            "only a secret has a format; the provider reads a public value itself",
        ));
    }
    if rule.public && !rule.sign.is_empty() {
        return Err(ManifestError::invalid(
            field("sign"),
            "only a secret can sign",
        ));
    }
    if !rule.public && (rule.account || rule.token_url) {
        return Err(ManifestError::invalid(
            field(if rule.account { "account" } else { "token_url" }),
            "the host compares its value in clear, so the option has to be public",
        ));
    }
    Ok(())
}

pub(super) fn host(
    field: &str,
    pattern: &HostPattern,
    manifest: &Manifest,
) -> Result<(), ManifestError> {
    match pattern.option() {
        Some(option) if !manifest.is_public(option) => Err(ManifestError::invalid(
            field,
            format!("the host refers to {option}, which is no public option of this manifest"),
        )),
        _ => Ok(()),
    }
}

fn reveal(manifest: &Manifest) -> Result<(), ManifestError> {
    for (field, names) in [
        ("reveal.planning", &manifest.reveal.planning),
        ("reveal.acting", &manifest.reveal.acting),
    ] {
        no_doubles("the revealed secret", names.iter().map(String::as_str))?;
        for name in names {
            let piece = matches!(name.as_str(), "{user}" | "{password}" | "{path}");
            let secret = manifest.option(name).is_some_and(|rule| !rule.public);
            if !piece && !secret {
                return Err(ManifestError::invalid(
                    field,
                    format!(
                        "{:?} is no secret option of this manifest, nor {{user}}, {{password}} or {{path}}",
                        short(name)
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// `[a-z][a-z0-9-]{0,62}`
pub(super) fn is_name(text: &str) -> bool {
    shaped(
        text,
        63,
        |byte| byte.is_ascii_lowercase(),
        |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-',
    )
}

fn is_scheme(text: &str) -> bool {
    shaped(
        text,
        32,
        |byte| byte.is_ascii_lowercase(),
        |byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'.' | b'-')
        },
    )
}

/// `[A-Za-z][A-Za-z0-9_.-]{0,63}`
pub(crate) fn is_option_name(text: &str) -> bool {
    shaped(
        text,
        64,
        |byte| byte.is_ascii_alphabetic(),
        |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'),
    )
}

fn shaped(text: &str, most: usize, first: fn(u8) -> bool, rest: fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    text.len() <= most && bytes.next().is_some_and(first) && bytes.all(rest)
}

pub(super) fn bad_name(field: &str) -> ManifestError {
    ManifestError::invalid(
        field,
        "a name is a lower-case letter, then at most 62 lower-case letters, digits or hyphens",
    )
}

fn sentence(field: &str, text: &str) -> Result<(), ManifestError> {
    if text.is_empty() || text.len() > MAX_SENTENCE {
        let problem = format!("it has 1 to {MAX_SENTENCE} bytes");
        return Err(ManifestError::invalid(field, problem));
    }
    if crate::strip_controls(text, text.len()) != text {
        return Err(ManifestError::invalid(
            field,
            "it holds control characters or line breaks",
        ));
    }
    Ok(())
}

pub(super) fn at_most(field: &str, count: usize, most: usize) -> Result<(), ManifestError> {
    if count > most {
        return Err(ManifestError::invalid(
            field,
            format!("there are {count}; the most is {most}"),
        ));
    }
    Ok(())
}

pub(super) fn no_doubles<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), ManifestError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ManifestError::Duplicate {
                what,
                name: short(name),
            });
        }
    }
    Ok(())
}

pub(super) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
