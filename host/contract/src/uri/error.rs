//! Why a URI is refused, told without showing any of it.

use std::fmt;

use super::escape;

/// Why a URI is refused, by the host itself. The texts say where and what to write instead; of the
/// URI they hold nothing but the names of options that the manifest lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UriError {
    /// What is wrong and where.
    pub message: String,
    /// What to write instead.
    pub hint: Option<String>,
    /// The option that is wrong, where one is and the manifest lists it.
    pub option_name: Option<String>,
}

impl UriError {
    /// The SQLSTATE that a statement with such a URI ends with.
    pub const SQLSTATE: &'static str = "22023";

    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            option_name: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn option(mut self, name: &str) -> Self {
        self.option_name = Some(name.to_owned());
        self
    }

    /// A character that has to be escaped where it stands; `at` is its byte in `uri`.
    pub(super) fn unescaped(uri: &str, at: usize, what: &str, character: char) -> Self {
        let mut escaped = String::new();
        escape::push_escaped_char(&mut escaped, character);
        let position = Position::of(uri, at);
        let hint = match character {
            ' '..='~' => format!("write {character} as {escaped}"),
            _ => format!("write it as {escaped}"),
        };
        Self::new(format!("the URI has {what} at {position}")).hint(hint)
    }
}

/// A place in a URI, counted in characters from 1.
pub(super) struct Position(usize);

impl Position {
    pub(super) fn of(uri: &str, at: usize) -> Self {
        Self(1 + uri.get(..at).map_or(0, |before| before.chars().count()))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "character {}", self.0)
    }
}

/// A place in a list, from 1: `1st`, `2nd`, `13th`.
pub(super) struct Ordinal(pub(super) usize);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match (self.0 % 100, self.0 % 10) {
            (11..=13, _) => "th",
            (_, 1) => "st",
            (_, 2) => "nd",
            (_, 3) => "rd",
            _ => "th",
        };
        write!(f, "{}{ending}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_are_written_as_people_write_them() {
        let written: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111]
            .map(|number| Ordinal(number).to_string())
            .into();
        assert_eq!(
            written,
            [
                "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"
            ]
        );
    }

    #[test]
    fn an_unescaped_character_is_told_by_its_place_and_escape() {
        let error = UriError::unescaped("ü://#", 5, "a fragment", '#');
        assert_eq!(error.message, "the URI has a fragment at character 5");
        assert_eq!(error.hint.as_deref(), Some("write # as %23"));
        let error = UriError::unescaped("a\nb", 1, "a control character", '\n');
        assert_eq!(error.hint.as_deref(), Some("write it as %0A"));
    }
}
