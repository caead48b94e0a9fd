//! The keys of each table of a manifest, and the nearest one to a key that does not exist.

use super::ManifestError;

pub(super) const MANIFEST: &[&str] = &[
    "name",
    "version",
    "contract",
    "schemes",
    "kinds",
    "operations",
    "user",
    "path",
    "unknown_options",
    "default_validate",
    "failure_prefix",
    "option",
    "endpoint",
    "request",
    "reveal",
];
pub(super) const OPTION: &[&str] = &[
    "name",
    "public",
    "format",
    "required",
    "meaning",
    "example",
    "account",
    "token_url",
    "sign",
];
pub(super) const ENDPOINT: &[&str] = &["host", "ports"];
pub(super) const REQUEST: &[&str] = &[
    "name",
    "host",
    "method",
    "path",
    "query",
    "allow_query",
    "headers",
    "allow_headers",
    "authentication",
    "service",
    "scope",
    "header",
    "parameter",
    "opaque_body",
    "opaque_answer",
];
pub(super) const REVEAL: &[&str] = &["planning", "acting"];

/// Refuses the first key that the tables above do not list, with the nearest one.
pub(super) fn check(table: &toml::Table) -> Result<(), ManifestError> {
    check_table("the manifest", table, MANIFEST)?;
    for (key, known) in [
        ("option", OPTION),
        ("endpoint", ENDPOINT),
        ("request", REQUEST),
    ] {
        let entries = table.get(key).and_then(toml::Value::as_array);
        for (place, entry) in entries.into_iter().flatten().enumerate() {
            if let Some(entry) = entry.as_table() {
                check_table(&format!("[[{key}]] number {}", place + 1), entry, known)?;
            }
        }
    }
    match table.get("reveal").and_then(toml::Value::as_table) {
        Some(reveal) => check_table("[reveal]", reveal, REVEAL),
        None => Ok(()),
    }
}

fn check_table(place: &str, table: &toml::Table, known: &[&str]) -> Result<(), ManifestError> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(ManifestError::UnknownKey {
            place: place.to_owned(),
            key: key.chars().take(64).collect(),
            suggestion: nearest(key, known.iter().copied()).map(str::to_owned),
        }),
        None => Ok(()),
    }
}

/// The known word nearest to `word`: the same but for case, else the most alike, else none.
pub(crate) fn nearest<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<&'a str> {
    // Nobody means a long word: comparing is quadratic in its length.
    if word.len() > 64 {
        return None;
    }
    let same_but_for_case = known.clone().find(|other| other.eq_ignore_ascii_case(word));
    same_but_for_case.or_else(|| {
        let lower = word.to_ascii_lowercase();
        known
            .map(|other| {
                let alike = strsim::jaro_winkler(&lower, &other.to_ascii_lowercase());
                (alike, other)
            })
            .filter(|(alike, _)| *alike > 0.84)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, other)| other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_case_is_nearer_than_another_word() {
        let known = ["aws_region", "AWS_REGIONS"];
        assert_eq!(nearest("AWS_REGION", known.into_iter()), Some("aws_region"));
        assert_eq!(nearest("AWS_REGOIN", known.into_iter()), Some("aws_region"));
        assert_eq!(nearest("sslmode", known.into_iter()), None);
        assert_eq!(nearest(&"AWS_REGION".repeat(100), known.into_iter()), None);
    }
}
