//! The name of a set of files: `db.schema.prefix`, three identifiers as SQL writes them.
//!
//! An identifier is plain, letters, digits, `_` and `$` with no digit or `$` first, and then its
//! letters are made small; or it stands in double quotes, written `%22` in a URI, and is taken as it
//! is, so that the set of a user with any name can be named. `""` between the quotes is one `"`.
//!
//! One set has one name: plain where it can be, in quotes where it cannot.

use portolan_sdk::joined;

/// The longest identifier, in bytes.
const MAX_IDENTIFIER_BYTES: usize = 255;

/// What is wrong with the name of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetError {
    /// It is not three identifiers with dots between them.
    NotThree,
    /// An identifier is empty, or holds what it may not hold without quotes, or a quote is left open.
    NoIdentifier,
    /// An identifier holds a control character.
    Control,
    /// An identifier is longer than any may be.
    TooLong,
}

/// The one name of the set that a decoded host names; an empty host names none.
pub(crate) fn name(host: &str) -> Result<String, SetError> {
    if host.is_empty() {
        return Ok(String::new());
    }
    let identifiers = identifiers(host)?;
    let [database, schema, prefix] = identifiers.as_slice() else {
        return Err(SetError::NotThree);
    };
    Ok(joined(&[
        &printed(database),
        ".",
        &printed(schema),
        ".",
        &printed(prefix),
    ]))
}

fn identifiers(host: &str) -> Result<Vec<String>, SetError> {
    let mut found = Vec::new();
    let mut rest = host;
    loop {
        let (identifier, after) = match rest.strip_prefix('"') {
            Some(quoted) => in_quotes(quoted)?,
            None => plain(rest)?,
        };
        if identifier.len() > MAX_IDENTIFIER_BYTES {
            return Err(SetError::TooLong);
        }
        found.push(identifier);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(found),
            None => return Err(SetError::NoIdentifier),
        }
    }
}

/// A plain identifier, and what comes after it.
fn plain(text: &str) -> Result<(String, &str), SetError> {
    let (identifier, after) = text.split_at(text.find('.').unwrap_or(text.len()));
    let identifier = identifier.to_ascii_lowercase();
    if is_plain(&identifier) {
        Ok((identifier, after))
    } else {
        Err(SetError::NoIdentifier)
    }
}

/// An identifier whose opening quote was read, and what comes after its closing one.
fn in_quotes(text: &str) -> Result<(String, &str), SetError> {
    let mut identifier = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(SetError::NoIdentifier)?;
        identifier.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                identifier.push('"');
                rest = more;
            }
            None if identifier.is_empty() => return Err(SetError::NoIdentifier),
            None if identifier.contains(char::is_control) => return Err(SetError::Control),
            None => return Ok((identifier, after)),
        }
    }
}

fn is_plain(identifier: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    identifier.bytes().next().is_some_and(first)
        && identifier
            .bytes()
            .all(|byte| first(byte) || byte.is_ascii_digit() || byte == b'$')
}

fn printed(identifier: &str) -> String {
    if is_plain(identifier) {
        return identifier.to_owned();
    }
    joined(&["\"", &identifier.replace('"', "\"\""), "\""])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(host: &str) -> String {
        name(host).expect(host)
    }

    #[test]
    fn a_set_has_one_name_however_it_is_written() {
        for host in [
            "defaultdb.public.files",
            "DefaultDB.PUBLIC.Files",
            "\"defaultdb\".\"public\".\"files\"",
        ] {
            assert_eq!(named(host), "defaultdb.public.files");
        }
        assert_eq!(named("_a1$._._2"), "_a1$._._2");
        assert_eq!(named(""), "");
    }

    #[test]
    fn what_stands_in_quotes_is_taken_as_it_is() {
        assert_eq!(named("a.b.\"C d\""), "a.b.\"C d\"");
        assert_eq!(
            named("defaultdb.public.\"userfiles_ana@example.com\""),
            "defaultdb.public.\"userfiles_ana@example.com\""
        );
        assert_eq!(named("a.b.\"x\"\"y\""), "a.b.\"x\"\"y\"");
        assert_eq!(named("a.b.\"1\""), "a.b.\"1\"");
        assert_ne!(named("a.b.\"C\""), named("a.b.C"), "quotes keep capitals");
    }

    #[test]
    fn a_name_is_its_own_name() {
        for host in ["A.b.C", "a.\"b.c\".d", "a.b.\"\"\"\"", "a.b.\"é\""] {
            let once = named(host);
            assert_eq!(named(&once), once);
        }
    }

    #[test]
    fn a_name_that_is_not_three_identifiers_says_what_is_wrong() {
        for host in ["a", "a.b", "a.b.c.d"] {
            assert_eq!(name(host), Err(SetError::NotThree), "{host}");
        }
        for host in [
            ".",
            "..",
            "a.b.",
            ".a.b",
            "a..b",
            "1.b.c",
            "$a.b.c",
            "a-b.c.d",
            "a b.c.d",
            "é.b.c",
            "a.b.c:80",
            "a.b.\"c",
            "a.b.\"c\"d",
            "a.b.\"\"",
            "a.b.c\"",
            "a/b.c.d",
            "a,b.c.d",
        ] {
            assert_eq!(name(host), Err(SetError::NoIdentifier), "{host}");
        }
        assert_eq!(name("a.b.\"c\nd\""), Err(SetError::Control));
        assert_eq!(name("a.b.\"c\u{9b}d\""), Err(SetError::Control));
        let longest = "x".repeat(255);
        assert!(name(&format!("a.b.{longest}")).is_ok());
        assert_eq!(name(&format!("a.b.{longest}x")), Err(SetError::TooLong));
    }
}
