//! An object store, and the place in it that a URL names.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use object_store::ObjectStore;
use object_store::path::Path;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portolan::{Operation, Session};
use portolan_contract::{ExternalUrl, ExternalUrlError};

use crate::report::Failure;

/// What a URL cannot hold as it is: it would be read as something else than a character of a name.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b'*')
    .add(b'[')
    .add(b'{')
    .add(b'\\');

/// An object store, and a path in it: an object, or what lies below.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The store of the whole connection, confined to it.
    pub(super) store: Arc<dyn ObjectStore>,
    /// The path that the URL names.
    pub(super) path: Path,
    /// `external://name`, for messages and results.
    pub(super) base: Arc<str>,
}

impl Place {
    /// Opens the connection that `url` names.
    pub(super) async fn open(session: &Session, url: &str) -> Result<Self> {
        let parsed: ExternalUrl = url.parse().map_err(refused)?;
        let base = format!("external://{}", parsed.name);
        let store = session
            .open(&base, Operation::Transfer)
            .await?
            .into_storage()?
            .object_store();
        Ok(Self {
            store,
            path: object_path(&parsed.path.segments().join("/"))?,
            base: base.into(),
        })
    }

    /// Another path of the same connection.
    pub(super) fn at(&self, path: Path) -> Self {
        Self {
            store: Arc::clone(&self.store),
            path,
            base: Arc::clone(&self.base),
        }
    }

    /// The path of `name` below this place.
    pub(super) fn below(&self, name: &str) -> Result<Self> {
        let path = match self.path.as_ref() {
            "" => object_path(name),
            above => object_path(&format!("{above}/{name}")),
        };
        Ok(self.at(path?))
    }

    /// Whether the URL names the connection and nothing in it.
    pub(super) fn is_whole(&self) -> bool {
        self.path.as_ref().is_empty()
    }

    /// Refuses the connection itself where an object is meant.
    pub(super) fn require_object(&self) -> Result<()> {
        if !self.is_whole() {
            return Ok(());
        }
        Err(Failure::new(
            "22023",
            format!("{} names a connection, not an object", self.base),
        )
        .hint(format!("write the object's path: {}/PATH", self.base))
        .into())
    }

    /// Whether the two are in one connection, so that its store can copy.
    pub(super) fn shares_store(&self, other: &Self) -> bool {
        self.base == other.base
    }

    /// The last segment of the path, else the connection's name.
    pub(super) fn last_name(&self) -> &str {
        self.path
            .filename()
            .or_else(|| self.base.rsplit('/').next())
            .unwrap_or_default()
    }
}

impl fmt::Display for Place {
    /// The URL that names this place, escaped where a name would be read as something else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)?;
        if !self.is_whole() {
            write!(f, "/{}", utf8_percent_encode(self.path.as_ref(), ESCAPED))?;
        }
        Ok(())
    }
}

/// A text that is no URL of a connection.
pub(super) fn refused(error: ExternalUrlError) -> Failure {
    Failure::new(error.sqlstate(), error.to_string()).hint(error.hint())
}

/// The path that this text is, character by character: nothing is escaped again.
pub(super) fn object_path(text: &str) -> Result<Path> {
    Path::parse(text).map_err(|_| {
        Failure::new("22023", "the path is not one that an object can have")
            .hint("a path has no empty segment, no `.`, no `..` and no control character")
            .into()
    })
}

/// Errors of a store become the library's, which are mapped and scrubbed.
pub(super) fn mapped(error: object_store::Error) -> anyhow::Error {
    portolan::Error::from(error).into()
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    fn place(path: &str) -> Place {
        Place {
            store: Arc::new(InMemory::new()),
            path: Path::parse(path).expect("a path"),
            base: "external://b".into(),
        }
    }

    #[test]
    fn a_place_prints_as_the_url_that_names_it_again() {
        for path in ["a/b", "50%/x*?[1]{2}#\\", "a b/ü", "%41"] {
            let printed = place(path).to_string();
            if path.contains('\\') {
                // No URL can name it, but what is printed says which object is meant.
                assert_eq!(printed, "external://b/50%25/x%2A%3F%5B1]%7B2}%23%5C");
                continue;
            }
            let url: ExternalUrl = printed.parse().expect("a url");
            assert_eq!(url.path.segments().join("/"), path);
        }
        assert_eq!(place("").to_string(), "external://b");
    }

    #[test]
    fn a_name_below_a_place_cannot_climb() {
        assert_eq!(
            place("a").below("b/c").expect("below").path.as_ref(),
            "a/b/c"
        );
        for name in ["..", "b/../c", "b//c", "b\0"] {
            assert!(place("a").below(name).is_err(), "{name:?}");
        }
    }
}
