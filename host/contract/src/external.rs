//! `external://NAME[/PATH]`: how programs refer to a connection.

use std::str::FromStr;

use crate::{ConnectionName, InvalidName, SubPath, SubPathError};

/// The one option that such a URL may have.
const LOCALITY: &str = "COCKROACH_LOCALITY";

/// A reference to a connection: its name, and a path below it where it is an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    /// The connection.
    pub name: ConnectionName,
    /// The path below the connection's own; a lone `/` is none.
    pub path: SubPath,
    /// The value of `COCKROACH_LOCALITY`, decoded.
    pub locality: Option<String>,
}

/// Why a text is no reference to a connection. It holds nothing of the text but what a name, a
/// scheme or the name of a parameter may hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalUrlError {
    /// It has another scheme, or none.
    #[error("this is no URL of a connection")]
    NotExternal,
    /// It names no connection.
    #[error(
        "host component of an external URI must refer to an existing External Connection object"
    )]
    NoName,
    /// Its name can be no connection's.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// It has a part that belongs to the connection.
    #[error("an external URI takes no {0}")]
    Part(&'static str),
    /// It has another parameter than the one that is allowed, or that one twice.
    #[error("an external URI takes no parameter but COCKROACH_LOCALITY, and that once")]
    Parameter,
    /// The value of its parameter cannot be read.
    #[error("the value of COCKROACH_LOCALITY is not UTF-8 in percent escapes")]
    Locality,
    /// Its path leads out of the connection, or may.
    #[error(transparent)]
    Path(#[from] SubPathError),
}

impl ExternalUrlError {
    /// The SQLSTATE that a statement with such a URL ends with.
    #[must_use]
    pub fn sqlstate(&self) -> &'static str {
        match self {
            Self::Name(_) => InvalidName::SQLSTATE,
            _ => "22023",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotExternal | Self::NoName => {
                "write external://NAME or external://NAME/PATH; SHOW EXTERNAL CONNECTIONS lists the names"
            }
            Self::Name(name) => name.hint(),
            Self::Part("fragment") => "write # in a path as %23",
            Self::Part(_) | Self::Parameter => {
                "everything but the path belongs to the connection; ALTER EXTERNAL CONNECTION changes it"
            }
            Self::Locality => {
                "write a byte that is no letter or digit as % and two hexadecimal digits"
            }
            Self::Path(path) => path.hint(),
        }
    }
}

impl FromStr for ExternalUrl {
    type Err = ExternalUrlError;

    fn from_str(text: &str) -> Result<Self, ExternalUrlError> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or(ExternalUrlError::NotExternal)?;
        if !scheme.eq_ignore_ascii_case("external") {
            return Err(ExternalUrlError::NotExternal);
        }
        if rest.contains('#') {
            return Err(ExternalUrlError::Part("fragment"));
        }
        let (hierarchy, query) = match rest.split_once('?') {
            Some((hierarchy, query)) => (hierarchy, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = hierarchy.split_once('/').unwrap_or((hierarchy, ""));
        if authority.contains('@') {
            return Err(ExternalUrlError::Part("userinfo"));
        }
        if authority.contains(':') {
            return Err(ExternalUrlError::Part("port"));
        }
        if authority.is_empty() {
            return Err(ExternalUrlError::NoName);
        }
        Ok(Self {
            name: authority.parse()?,
            path: path.parse()?,
            locality: query.map(locality).transpose()?.flatten(),
        })
    }
}

fn locality(query: &str) -> Result<Option<String>, ExternalUrlError> {
    let mut locality = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(ExternalUrlError::Parameter)?;
        if name != LOCALITY || locality.is_some() {
            return Err(ExternalUrlError::Parameter);
        }
        if crate::uri::broken_escape(value).is_some() {
            return Err(ExternalUrlError::Locality);
        }
        let value = String::from_utf8(crate::uri::decode_query(value));
        locality = Some(value.map_err(|_| ExternalUrlError::Locality)?);
    }
    Ok(locality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<ExternalUrl>().expect_err(text).to_string()
    }

    #[test]
    fn a_name_alone_or_with_a_path_is_a_reference() {
        let url: ExternalUrl = "external://Backup_1".parse().expect("a url");
        assert_eq!((url.name.as_str(), url.path.is_empty()), ("Backup_1", true));
        let url: ExternalUrl = "EXTERNAL://b/".parse().expect("a url");
        assert!(url.path.is_empty());
        let url: ExternalUrl = "external://b/a%20b/c?COCKROACH_LOCALITY=region%3Dx"
            .parse()
            .expect("a url");
        assert_eq!(url.path.segments(), ["a b", "c"]);
        assert_eq!(url.locality.as_deref(), Some("region=x"));
    }

    #[test]
    fn everything_else_belongs_to_the_connection() {
        for (text, message) in [
            ("s3://b", "this is no URL of a connection"),
            ("b/x", "this is no URL of a connection"),
            (
                "external://u:hunter2@b/x",
                "an external URI takes no userinfo",
            ),
            ("external://b:80/x", "an external URI takes no port"),
            ("external://b/x#y", "an external URI takes no fragment"),
            (
                "external:///x",
                "host component of an external URI must refer to an existing External Connection object",
            ),
            (
                "external://",
                "host component of an external URI must refer to an existing External Connection object",
            ),
            ("external://a%20b", "the name of a connection holds '%'"),
            (
                "external://b?hunter2=1",
                "an external URI takes no parameter but COCKROACH_LOCALITY, and that once",
            ),
            (
                "external://b?hunter2",
                "an external URI takes no parameter but COCKROACH_LOCALITY, and that once",
            ),
            (
                "external://b?COCKROACH_LOCALITY=a&COCKROACH_LOCALITY=b",
                "an external URI takes no parameter but COCKROACH_LOCALITY, and that once",
            ),
            (
                "external://b?COCKROACH_LOCALITY=%f",
                "the value of COCKROACH_LOCALITY is not UTF-8 in percent escapes",
            ),
            (
                "external://b?COCKROACH_LOCALITY=%ff",
                "the value of COCKROACH_LOCALITY is not UTF-8 in percent escapes",
            ),
        ] {
            assert_eq!(refusal(text), message);
            assert!(!refusal(text).contains("hunter2"));
        }
    }

    #[test]
    fn each_refusal_has_a_hint_and_a_sqlstate() {
        let error = "external://b/a/../c"
            .parse::<ExternalUrl>()
            .expect_err("climbs");
        assert_eq!(error.sqlstate(), "22023");
        assert_eq!(error.hint(), "a name is a fence: \"..\" is refused");
        let error = "external://a b"
            .parse::<ExternalUrl>()
            .expect_err("no name");
        assert_eq!(error.sqlstate(), "42602");
        assert!(!error.hint().is_empty());
    }
}
