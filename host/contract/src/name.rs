//! The names of connections.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a connection: `[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`, so that every name can stand in
/// `external://NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(String);

/// A text that is no connection's name. It shows at most one character of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// There is nothing.
    #[error("the name of a connection is empty")]
    Empty,
    /// It is too long.
    #[error("the name of a connection has {0} bytes; the most is 128")]
    TooLong(usize),
    /// It begins with what may only follow.
    #[error("the name of a connection begins with {0:?}")]
    First(char),
    /// It holds what no name holds.
    #[error("the name of a connection holds {0:?}")]
    Character(char),
}

impl InvalidName {
    /// The SQLSTATE that a statement with such a name ends with.
    pub const SQLSTATE: &'static str = "42602";

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "a name is a letter, a digit or _, then at most 127 letters, digits, _, . or -"
    }
}

impl ConnectionName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.len() > 128 {
            return Err(InvalidName::TooLong(text.len()));
        }
        let first = text.chars().next().ok_or(InvalidName::Empty)?;
        let allowed = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '.' | '-');
        if let Some(wrong) = text.chars().find(|one| !allowed(*one)) {
            return Err(InvalidName::Character(wrong));
        }
        if matches!(first, '.' | '-') {
            return Err(InvalidName::First(first));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> Self {
        name.0
    }
}

impl AsRef<str> for ConnectionName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_url_can_carry_as_a_host() {
        for right in ["a", "_", "9", "Backup_Bucket-1.x", &"n".repeat(128)] {
            assert_eq!(
                right.parse::<ConnectionName>().map(String::from),
                Ok(right.to_owned())
            );
        }
        for (wrong, message) in [
            ("", "the name of a connection is empty"),
            (".a", "the name of a connection begins with '.'"),
            ("-a", "the name of a connection begins with '-'"),
            ("a b", "the name of a connection holds ' '"),
            ("a'\";", "the name of a connection holds '\\''"),
            ("grüße", "the name of a connection holds 'ü'"),
            ("a\u{1b}", "the name of a connection holds '\\u{1b}'"),
        ] {
            let error = wrong.parse::<ConnectionName>().expect_err(wrong);
            assert_eq!(error.to_string(), message);
        }
        let long = "n"
            .repeat(129)
            .parse::<ConnectionName>()
            .expect_err("too long");
        assert_eq!(
            long.to_string(),
            "the name of a connection has 129 bytes; the most is 128"
        );
        assert!(long.hint().contains("127"));
    }
}
