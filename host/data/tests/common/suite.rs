//! The public test suite of `object_store`, as every store here runs it.
//!
//! A store says with [`object_store_suite!`] which functions it runs, and why it leaves out others.
//! Every public function of `object_store::integration` stands in [`FUNCTIONS`]; a test of each
//! store sees to it that none is forgotten.

use object_store::{Error, ObjectStore, integration};

/// The functions of the suite in the order of its source.
const FUNCTIONS: [&str; 19] = [
    "put_get_delete_list",
    "put_get_attributes",
    "get_opts",
    "put_opts",
    "stream_get",
    "list_uses_directories_correctly",
    "list_with_delimiter",
    "get_nonexistent_object",
    "rename_and_copy",
    "copy_if_not_exists",
    "copy_rename_nonexistent_object",
    "multipart",
    "multipart_with_opts",
    "multipart_put_part_out_of_order",
    "multipart_race_condition",
    "multipart_out_of_order",
    "list_paginated",
    "list_with_offset_exclusivity",
    "response_extensions",
];

/// What no store here runs, and why.
const NEVER_RUN: [(&str, &str); 5] = [
    (
        "multipart",
        "it needs a `MultipartStore`, and a connection is an `ObjectStore` and no more",
    ),
    (
        "multipart_with_opts",
        "it needs a `MultipartStore`; `put_get_attributes` uploads with attributes",
    ),
    (
        "multipart_put_part_out_of_order",
        "it needs a `MultipartStore`; `multipart_out_of_order` does the same without",
    ),
    (
        "list_paginated",
        "it needs a `PaginatedListStore`, and a connection is an `ObjectStore` and no more",
    ),
    (
        "response_extensions",
        "it looks at extensions of HTTP responses, and is compiled with reqwest only",
    ),
];

#[allow(unused_imports, reason = "a store may leave some out")]
pub(crate) use integration::{
    copy_if_not_exists, copy_rename_nonexistent_object, get_opts, list_uses_directories_correctly,
    list_with_delimiter, list_with_offset_exclusivity, multipart_out_of_order,
    multipart_race_condition, put_get_attributes, put_get_delete_list, put_opts, rename_and_copy,
    stream_get,
};

/// The function of the suite hands its last error on.
pub(crate) async fn get_nonexistent_object(store: &dyn ObjectStore) {
    let got = integration::get_nonexistent_object(store, None).await;
    let error = got.expect_err("no object");
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

/// What is run and what is left out must be the whole suite, each function once.
pub(crate) fn check_table(run: &[&str], left_out: &[(&str, &str)]) {
    let left_out = left_out.iter().chain(&NEVER_RUN);
    let mut table = run.to_vec();
    for (name, reason) in left_out {
        assert!(!reason.is_empty(), "{name} needs a reason");
        table.push(*name);
    }
    table.sort_unstable();
    let mut functions = FUNCTIONS;
    functions.sort_unstable();
    assert_eq!(table, functions);
}

/// A test for each function that is run, over every store of a fresh set, and one for the table.
/// `$stores` is an asynchronous function; what its result has first lives as long as the test.
macro_rules! object_store_suite {
    (
        over: $stores:path,
        run: [$($name:ident $(($argument:expr))?),* $(,)?],
        left out: [$($left_out:expr),* $(,)?] $(,)?
    ) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (_server, stores) = $stores().await;
                for store in &stores {
                    suite::$name(store $(, $argument)?).await;
                }
            }
        )*

        #[test]
        fn the_table_names_every_function_of_the_suite() {
            suite::check_table(&[$(stringify!($name)),*], &[$($left_out),*]);
        }
    };
}
pub(crate) use object_store_suite;
