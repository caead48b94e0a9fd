//! The public test suite of `object_store`, run on the store of this host's files.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "common/suite.rs"]
mod suite;

use std::sync::Arc;

use object_store::ObjectStore;
use portolan_data::{Confined, NodelocalStore, OpenGate};

/// A store over a fresh directory, and the same behind a prefix and a gate.
async fn stores() -> (tempfile::TempDir, [Arc<dyn ObjectStore>; 2]) {
    let root = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(root.path().join("direct")).expect("a directory");
    std::fs::create_dir(root.path().join("confined")).expect("a directory");
    let direct = NodelocalStore::open(root.path().join("direct")).expect("open");
    let below: Arc<dyn ObjectStore> =
        Arc::new(NodelocalStore::open(root.path().join("confined")).expect("open"));
    let confined: Confined = Confined::new(below, "some/prefix".into(), Arc::new(OpenGate));
    (root, [Arc::new(direct), Arc::new(confined)])
}

suite::object_store_suite! {
    over: stores,
    run: [
        put_get_delete_list,
        // A file has no place for attributes: the suite accepts `NotImplemented` here.
        put_get_attributes,
        get_opts,
        // Without `PutMode::Update`: no call of a file system replaces a file only if it is still
        // the one that was read. The suite then checks that the answer is `NotImplemented`.
        put_opts(false),
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
