//! Comparing what arrived with what was sent.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use sha2::{Digest, Sha256};

use super::content::{self, Content};
use super::engine::Tools;
use super::place::{Place, mapped};
use super::selection::Object;
use crate::report::Failure;

/// Size and SHA-256 of a content.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    size: u64,
    sha256: [u8; 32],
}

/// Takes the fingerprint of a content while it passes.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap(Arc<Mutex<(u64, Sha256)>>);

impl Tap {
    /// The same content, seen by the tap.
    pub(super) fn on(&self, content: Content) -> Content {
        let tap = Arc::clone(&self.0);
        Content {
            parts: content
                .parts
                .inspect_ok(move |part| {
                    let mut seen = tap.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.0 += part.size;
                    for bytes in &part.bytes {
                        seen.1.update(bytes);
                    }
                })
                .boxed(),
            ..content
        }
    }

    /// What has passed so far.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Fingerprint {
            size: seen.0,
            sha256: seen.1.clone().finalize().into(),
        }
    }
}

/// The fingerprint of an object as the store gives it now.
pub(super) async fn fingerprint_of(place: &Place, tools: &Tools) -> Result<Fingerprint> {
    let size = place.store.head(&place.path).await.map_err(mapped)?.size;
    let object = Object {
        place: place.clone(),
        size,
    };
    let tap = Tap::default();
    let mut content = tap.on(content::of_object(&object, tools).await?);
    while tools
        .unless_asked(content.parts.try_next())
        .await??
        .is_some()
    {}
    Ok(tap.fingerprint())
}

/// Compares the size of an object with what was sent.
pub(super) async fn compare_size(target: &Place, sent: u64) -> Result<()> {
    let arrived = target.store.head(&target.path).await.map_err(mapped)?.size;
    if arrived == sent {
        return Ok(());
    }
    Err(differs(
        target,
        &format!("{arrived} bytes"),
        &format!("{sent} bytes"),
    ))
}

/// Reads an object back and compares it with what was sent.
pub(super) async fn compare(target: &Place, sent: &Fingerprint, tools: &Tools) -> Result<()> {
    let arrived = fingerprint_of(target, tools).await?;
    if arrived == *sent {
        return Ok(());
    }
    Err(differs(target, &arrived.to_string(), &sent.to_string()))
}

fn differs(target: &Place, arrived: &str, sent: &str) -> anyhow::Error {
    Failure::new(
        "08P01",
        format!("{target} has {arrived}, its source {sent}"),
    )
    .hint("the source changed meanwhile, or the target lost bytes; copy again")
    .into()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes with SHA-256 ", self.size)?;
        self.sha256
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;
    use object_store::path::Path;

    use super::*;

    #[tokio::test]
    async fn another_content_of_the_same_size_is_told_from_what_was_sent() {
        let tools = Tools::for_tests(2);
        let place = Place {
            store: Arc::new(InMemory::new()),
            path: Path::from("x"),
            base: "external://b".into(),
        };
        let store = Arc::clone(&place.store);
        store.put(&place.path, "one".into()).await.expect("put");
        let sent = fingerprint_of(&place, &tools).await.expect("read");
        compare(&place, &sent, &tools).await.expect("the same");
        compare_size(&place, 3).await.expect("the same size");
        store.put(&place.path, "two".into()).await.expect("put");
        compare_size(&place, 3).await.expect("the same size");
        let error = compare(&place, &sent, &tools).await.expect_err("differs");
        let text = error.to_string();
        assert!(
            text.contains("7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"),
            "{text}"
        );
        assert!(compare_size(&place, 4).await.is_err());
    }
}
