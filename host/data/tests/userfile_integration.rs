//! The public test suite of `object_store`, run on the store of user files.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "common/suite.rs"]
mod suite;

use std::sync::Arc;

use object_store::ObjectStore;
use portolan_catalog::SqliteUserFiles;
use portolan_data::{Confined, OpenGate, UserfileStore};

/// A store over a fresh file, and the same behind a prefix and a gate.
async fn stores() -> (tempfile::TempDir, [Arc<dyn ObjectStore>; 2]) {
    let root = tempfile::tempdir().expect("a directory");
    let files = Arc::new(SqliteUserFiles::new(root.path().join("userfiles.db")));
    let direct = UserfileStore::new(Arc::<SqliteUserFiles>::clone(&files), "a.b.direct");
    let below: Arc<dyn ObjectStore> = Arc::new(UserfileStore::new(files, "a.b.confined"));
    let confined: Confined = Confined::new(below, "some/prefix".into(), Arc::new(OpenGate));
    (root, [Arc::new(direct), Arc::new(confined)])
}

suite::object_store_suite! {
    over: stores,
    run: [
        put_get_delete_list,
        put_get_attributes,
        get_opts,
        put_opts(true),
        stream_get,
        list_uses_directories_correctly,
        list_with_delimiter,
        get_nonexistent_object,
        rename_and_copy,
        copy_if_not_exists,
        copy_rename_nonexistent_object,
        multipart_race_condition(true),
        multipart_out_of_order,
        list_with_offset_exclusivity,
    ],
    left out: [],
}
