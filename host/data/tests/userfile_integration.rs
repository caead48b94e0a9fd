//! The public test suite of `object_store`, run on the store of user files.
//!
//! Every public function of `object_store::integration` stands in `SUITE`, either run or with
//! the reason why it cannot be; a test compares it with what runs.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;

use object_store::integration as suite;
use object_store::{Error, ObjectStore};
use portolan_catalog::SqliteUserFiles;
use portolan_data::{Confined, OpenGate, UserfileStore};

/// What is done with a function of the suite.
enum Treatment {
    /// A test below runs it.
    Run,
    /// It is left out, for this reason.
    LeftOut(&'static str),
}
use Treatment::{LeftOut, Run};

/// The functions of the suite in the order of its source.
const SUITE: &[(&str, Treatment)] = &[
    ("put_get_delete_list", Run),
    ("put_get_attributes", Run),
    ("get_opts", Run),
    // With `PutMode::Update`.
    ("put_opts", Run),
    ("stream_get", Run),
    ("list_uses_directories_correctly", Run),
    ("list_with_delimiter", Run),
    ("get_nonexistent_object", Run),
    ("rename_and_copy", Run),
    ("copy_if_not_exists", Run),
    ("copy_rename_nonexistent_object", Run),
    (
        "multipart",
        LeftOut("it needs a `MultipartStore`: an upload here is known to its own process alone"),
    ),
    (
        "multipart_with_opts",
        LeftOut("it needs a `MultipartStore`; `put_get_attributes` uploads with attributes"),
    ),
    (
        "multipart_put_part_out_of_order",
        LeftOut("it needs a `MultipartStore`"),
    ),
    ("multipart_race_condition", Run),
    ("multipart_out_of_order", Run),
    (
        "list_paginated",
        LeftOut("it needs a `PaginatedListStore`, which only stores behind HTTP are"),
    ),
    ("list_with_offset_exclusivity", Run),
    (
        "response_extensions",
        LeftOut("it looks at extensions of HTTP responses, and is compiled with reqwest only"),
    ),
];

/// A store over a fresh file, and the same behind a prefix and a gate.
fn stores() -> (tempfile::TempDir, [Arc<dyn ObjectStore>; 2]) {
    let root = tempfile::tempdir().expect("a directory");
    let files = Arc::new(SqliteUserFiles::new(root.path().join("userfiles.db")));
    let direct = UserfileStore::new(Arc::<SqliteUserFiles>::clone(&files), "a.b.direct");
    let below: Arc<dyn ObjectStore> = Arc::new(UserfileStore::new(files, "a.b.confined"));
    let confined: Confined = Confined::new(below, "some/prefix".into(), Arc::new(OpenGate));
    (root, [Arc::new(direct), Arc::new(confined)])
}

macro_rules! run {
    ($($name:ident($store:ident) $body:expr;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_root, stores) = stores();
                for $store in &stores {
                    $body
                }
            }
        )*

        const RUN: &[&str] = &[$(stringify!($name)),*];
    };
}

run! {
    put_get_delete_list(store) suite::put_get_delete_list(store).await;
    put_get_attributes(store) suite::put_get_attributes(store).await;
    get_opts(store) suite::get_opts(store).await;
    put_opts(store) suite::put_opts(store, true).await;
    stream_get(store) suite::stream_get(store).await;
    list_uses_directories_correctly(store) suite::list_uses_directories_correctly(store).await;
    list_with_delimiter(store) suite::list_with_delimiter(store).await;
    get_nonexistent_object(store) {
        let error = suite::get_nonexistent_object(store, None).await.expect_err("no object");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    };
    rename_and_copy(store) suite::rename_and_copy(store).await;
    copy_if_not_exists(store) suite::copy_if_not_exists(store).await;
    copy_rename_nonexistent_object(store) suite::copy_rename_nonexistent_object(store).await;
    multipart_race_condition(store) suite::multipart_race_condition(store, true).await;
    multipart_out_of_order(store) suite::multipart_out_of_order(store).await;
    list_with_offset_exclusivity(store) suite::list_with_offset_exclusivity(store).await;
}

#[test]
fn the_table_names_every_function_of_the_suite() {
    let mut run = Vec::new();
    for (name, treatment) in SUITE {
        match treatment {
            Run => run.push(*name),
            LeftOut(reason) => assert!(!reason.is_empty(), "{name} needs a reason"),
        }
    }
    assert_eq!(run, RUN, "what the table says is run, is run");
}
