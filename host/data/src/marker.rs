//! What a probe may touch: one marker object, and a bounded look at its names.

use std::sync::Arc;

use futures::StreamExt;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use portolan_contract::{Failure, FailureClass};

use crate::failure::failure_of;

/// The name of the marker object. It stays where a probe wrote it, as the documentation of
/// `CREATE EXTERNAL CONNECTION` promises.
pub const MARKER_NAME: &str = "crdb_external_storage_location";

/// The most bytes that a marker may have: 64 KiB.
pub const MARKER_MAX_BYTES: usize = 64 << 10;

/// The most names that one list gives.
pub const MARKER_MAX_LISTED: u32 = 1_000;

/// How many names a list looks at. Stores list in the order of names, so the marker's come
/// first; one that does not is not walked to its end for a probe.
const MAX_EXAMINED: usize = 10_000;

/// A storage connection as its probe sees it: it can write and read the marker, and list names
/// that begin with the marker's. Nothing deletes.
#[derive(Debug, Clone)]
pub struct MarkerStore {
    store: Arc<dyn ObjectStore>,
}

impl MarkerStore {
    /// Cuts a store, which is at the connection's path, down to the marker.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Replaces the marker by `content`.
    ///
    /// # Errors
    ///
    /// The content has more than [`MARKER_MAX_BYTES`], or the store fails.
    pub async fn write_marker(&self, content: Vec<u8>) -> Result<(), Failure> {
        if content.len() > MARKER_MAX_BYTES {
            return Err(too_large("a marker to write"));
        }
        self.store
            .put(&marker(), content.into())
            .await
            .map_err(|error| failure_of(&error))?;
        Ok(())
    }

    /// The marker's content.
    ///
    /// # Errors
    ///
    /// There is no marker ([`FailureClass::NotFound`]), it has more than [`MARKER_MAX_BYTES`], or
    /// the store fails.
    pub async fn read_marker(&self) -> Result<Vec<u8>, Failure> {
        let result = self
            .store
            .get_opts(&marker(), GetOptions::default())
            .await
            .map_err(|error| failure_of(&error))?;
        if result.meta.size > MARKER_MAX_BYTES as u64 {
            return Err(too_large("the object at the marker's name"));
        }
        let mut content = Vec::new();
        let mut chunks = result.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| failure_of(&error))?;
            // A server may send more than it announced.
            if content.len() + chunk.len() > MARKER_MAX_BYTES {
                return Err(too_large("the object at the marker's name"));
            }
            content.extend_from_slice(&chunk);
        }
        Ok(content)
    }

    /// Names below the connection's path that begin with the marker's, at most `at_most` and
    /// never more than [`MARKER_MAX_LISTED`].
    ///
    /// # Errors
    ///
    /// The store fails.
    pub async fn list_markers(&self, at_most: u32) -> Result<Vec<String>, Failure> {
        let at_most = at_most.min(MARKER_MAX_LISTED) as usize;
        let mut names = Vec::new();
        let mut listed = self
            .store
            .list_with_offset(None, &before_marker())
            .take(MAX_EXAMINED);
        while names.len() < at_most {
            let Some(meta) = listed.next().await else {
                break;
            };
            let name = meta.map_err(|error| failure_of(&error))?.location;
            if name.as_ref().starts_with(MARKER_NAME) {
                names.push(name.into());
            }
        }
        Ok(names)
    }
}

fn marker() -> Path {
    Path::from(MARKER_NAME)
}

/// The name that a list starts after: one byte shorter than the marker's, so it comes right
/// before every name that begins as the marker's does.
fn before_marker() -> Path {
    Path::from(&MARKER_NAME[..MARKER_NAME.len() - 1])
}

fn too_large(what: &str) -> Failure {
    Failure::new(
        FailureClass::Budget,
        format!("{what} has more than {MARKER_MAX_BYTES} bytes"),
    )
    .with_hint(format!("a probe keeps its marker `{MARKER_NAME}` small"))
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;
    use crate::NodelocalStore;

    fn over(store: Arc<dyn ObjectStore>) -> (Arc<dyn ObjectStore>, MarkerStore) {
        (Arc::clone(&store), MarkerStore::new(store))
    }

    #[tokio::test]
    async fn a_marker_reads_back_as_it_was_written() {
        let (_, markers) = over(Arc::new(InMemory::new()));
        let failure = markers.read_marker().await.expect_err("none yet");
        assert_eq!(failure.class, FailureClass::NotFound);
        for content in [vec![], b"a cluster".to_vec(), vec![7; MARKER_MAX_BYTES]] {
            markers
                .write_marker(content.clone())
                .await
                .expect("written");
            assert_eq!(markers.read_marker().await.expect("read"), content);
        }
    }

    #[tokio::test]
    async fn a_marker_over_64_kib_is_neither_written_nor_read() {
        let (store, markers) = over(Arc::new(InMemory::new()));
        let large = vec![0; MARKER_MAX_BYTES + 1];
        let failure = markers
            .write_marker(large.clone())
            .await
            .expect_err("too large");
        assert_eq!(failure.class, FailureClass::Budget);
        assert!(store.head(&marker()).await.is_err(), "nothing was written");
        store
            .put(&marker(), large.into())
            .await
            .expect("by another");
        let failure = markers.read_marker().await.expect_err("too large");
        assert_eq!(failure.class, FailureClass::Budget);
    }

    #[tokio::test]
    async fn a_list_shows_the_markers_names_only_and_so_many() {
        let root = tempfile::tempdir().expect("a directory");
        let local = Arc::new(NodelocalStore::open(root.path()).expect("open"));
        for store in [Arc::new(InMemory::new()) as Arc<dyn ObjectStore>, local] {
            let (store, markers) = over(store);
            assert!(markers.list_markers(10).await.expect("list").is_empty());
            for name in [
                "a",
                "crdb_external",
                "crdb_external_storage_locatiom",
                "z",
                "zz/y",
            ] {
                store.put(&Path::from(name), "".into()).await.expect("put");
            }
            assert!(markers.list_markers(10).await.expect("list").is_empty());
            futures::stream::iter(0..1_010)
                .for_each_concurrent(32, async |number| {
                    let name = Path::from(format!("{MARKER_NAME}_{number}"));
                    store.put(&name, "".into()).await.expect("put");
                })
                .await;
            markers.write_marker(b"x".to_vec()).await.expect("written");
            assert_eq!(markers.list_markers(1).await.expect("list"), [MARKER_NAME]);
            assert!(markers.list_markers(0).await.expect("list").is_empty());
            let all = markers.list_markers(u32::MAX).await.expect("list");
            assert_eq!(all.len(), 1_000);
            assert!(all.iter().all(|name| name.starts_with(MARKER_NAME)));
        }
    }

    #[tokio::test]
    async fn a_directory_at_the_markers_name_says_what_to_do() {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(root.path().join(MARKER_NAME)).expect("a directory");
        let (_, markers) = over(Arc::new(NodelocalStore::open(root.path()).expect("open")));
        let failure = markers
            .write_marker(vec![1])
            .await
            .expect_err("a directory");
        assert_eq!(failure.class, FailureClass::InvalidUri);
        assert_eq!(
            failure.message,
            "`crdb_external_storage_location` is a directory, not an object"
        );
        assert!(
            failure
                .hint
                .expect("a hint")
                .contains("move the directory away")
        );
    }
}
