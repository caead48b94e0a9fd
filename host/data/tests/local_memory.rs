//! How much memory a large object takes on its way to this host's own disk: a process of its own,
//! where nothing else takes any.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "common/memory.rs"]
mod memory;

use std::sync::Arc;

use memory::growth;
use object_store::ObjectStore;
use portolan_catalog::SqliteUserFiles;
use portolan_data::{NodelocalStore, UserfileStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_of_1_gib_needs_little_memory_to_and_from_a_directory_and_the_user_files() {
    // One after the other, so that neither counts for the other's growth.
    for backend in ["nodelocal", "userfile"] {
        let directory = tempfile::tempdir().expect("a directory");
        let store: Arc<dyn ObjectStore> = match backend {
            "nodelocal" => Arc::new(NodelocalStore::open(directory.path()).expect("opened")),
            _ => {
                let files = SqliteUserFiles::new(directory.path().join("userfiles.db"));
                Arc::new(UserfileStore::new(Arc::new(files), "a.b.c"))
            }
        };
        let grown = growth(store).await;
        assert!(grown < 64, "{backend}: {grown} MiB more");
    }
}
