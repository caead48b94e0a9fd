//! What a URL means: one object, what lies below a path, or what matches a pattern.

use anyhow::Result;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use portolan::Session;

use super::pattern::{Located, Pattern};
use super::place::{Place, mapped};
use crate::report::Failure;

/// What a URL means.
#[derive(Debug)]
pub(super) struct Selection {
    /// The object, or where the listing begins.
    pub(super) place: Place,
    pub(super) pattern: Option<Pattern>,
    recursive: bool,
    url: String,
}

/// An object that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) object: Object,
    /// Its path below where the listing began; for a single object its last segment.
    pub(super) relative: String,
}

/// An object, and its size when it was found.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) place: Place,
    pub(super) size: u64,
}

impl Selection {
    /// Opens the connection in `url`; a URL without a pattern must name an object unless
    /// everything below is meant.
    pub(super) async fn open(session: &Session, url: &str, recursive: bool) -> Result<Self> {
        let Located {
            url: begin,
            pattern,
        } = Located::read(url)?;
        let place = Place::open(session, &begin).await?;
        if pattern.is_none() && !recursive {
            place.require_object()?;
        }
        Ok(Self {
            place,
            pattern,
            recursive,
            url: url.to_owned(),
        })
    }

    /// Whether it can only be one object, named by the URL.
    pub(super) fn is_one(&self) -> bool {
        self.pattern.is_none() && !self.recursive
    }

    /// Whether it is everything that the connection holds.
    pub(super) fn is_everything(&self) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.is_everything(self.recursive),
            None => self.recursive && self.place.is_whole(),
        }
    }

    /// The objects, as the store lists them.
    pub(super) fn objects(self) -> BoxStream<'static, Result<Found>> {
        if self.is_one() {
            return stream::once(one(self.place)).boxed();
        }
        let prefix = (!self.place.is_whole()).then_some(&self.place.path);
        let listing = self.place.store.list(prefix).map_err(mapped).boxed();
        let state = (listing, self, 0_u64);
        stream::try_unfold(state, async |(mut listing, selection, found)| {
            while let Some(meta) = listing.try_next().await? {
                if selection.means(&meta.location) {
                    let object = selection.found(meta);
                    return Ok(Some((object, (listing, selection, found + 1))));
                }
            }
            if found > 0 || (selection.pattern.is_none() && selection.place.is_whole()) {
                return Ok(None);
            }
            let object = selection.instead().await?;
            Ok(Some((object, (listing, selection, 1))))
        })
        .boxed()
    }

    fn means(&self, location: &Path) -> bool {
        let path = location.as_ref();
        match &self.pattern {
            Some(pattern) => {
                pattern.matches(path) || (self.recursive && pattern.ancestor(path).is_some())
            }
            None => true,
        }
    }

    fn found(&self, meta: ObjectMeta) -> Found {
        Found {
            relative: relative(&self.place.path, &meta.location),
            object: Object {
                place: self.place.at(meta.location),
                size: meta.size,
            },
        }
    }

    /// What is meant where nothing was listed: the object of the very name, else a mistake.
    async fn instead(&self) -> Result<Found> {
        if self.pattern.is_some() {
            return Err(nothing_matches(&self.url, &self.place));
        }
        match self.place.store.head(&self.place.path).await {
            Ok(meta) => Ok(Found {
                relative: self.place.last_name().to_owned(),
                object: Object {
                    place: self.place.clone(),
                    size: meta.size,
                },
            }),
            Err(object_store::Error::NotFound { .. }) => Err(Failure::new(
                "58P01",
                format!("there is no object {}, and nothing below it", self.place),
            )
            .hint("portolan ls shows what is there")
            .into()),
            Err(error) => Err(mapped(error)),
        }
    }
}

/// The error of a pattern that nothing matches.
pub(super) fn nothing_matches(url: &str, place: &Place) -> anyhow::Error {
    Failure::new("42704", format!("nothing matches the pattern {url}"))
        .hint(format!(
            "portolan ls -r {place} shows what is there; * does not go across /, ** does"
        ))
        .into()
}

async fn one(place: Place) -> Result<Found> {
    let meta = place.store.head(&place.path).await.map_err(mapped)?;
    Ok(Found {
        relative: place.last_name().to_owned(),
        object: Object {
            place,
            size: meta.size,
        },
    })
}

/// A path without the beginning that it shares with `prefix`.
fn relative(prefix: &Path, location: &Path) -> String {
    let whole = location.as_ref();
    let rest = whole
        .strip_prefix(prefix.as_ref())
        .map_or(whole, |rest| rest.trim_start_matches('/'));
    rest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_where_the_listing_began() {
        for (prefix, location, rest) in [
            ("", "a/b", "a/b"),
            ("a", "a/b", "b"),
            ("a/b", "a/b/c/d", "c/d"),
        ] {
            let path = |text| Path::parse(text).expect("a path");
            assert_eq!(relative(&path(prefix), &path(location)), rest);
        }
    }
}
