//! The public test suite of `object_store` 0.13, run on a store of 0.14.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store_0_13::integration as suite;
use object_store_0_13::path::Path;
use object_store_0_13::{
    Attribute, AttributeValue, Error, ObjectStore, ObjectStoreExt, PutOptions, TagSet,
};
use portolan_object_store_0_13::Adapted;

fn store() -> Adapted {
    Adapted::new(Arc::new(InMemory::new()))
}

#[tokio::test]
async fn a_store_behaves_as_the_older_version_promises() {
    suite::put_get_delete_list(&store()).await;
    suite::put_get_attributes(&store()).await;
    suite::get_opts(&store()).await;
    suite::put_opts(&store(), true).await;
    suite::stream_get(&store()).await;
    suite::list_uses_directories_correctly(&store()).await;
    suite::list_with_delimiter(&store()).await;
    suite::rename_and_copy(&store()).await;
    suite::copy_if_not_exists(&store()).await;
    suite::copy_rename_nonexistent_object(&store()).await;
    suite::multipart_race_condition(&store(), true).await;
    suite::multipart_out_of_order(&store()).await;
    suite::list_with_offset_exclusivity(&store()).await;
}

#[tokio::test]
async fn an_object_that_is_not_there_is_the_older_versions_error() {
    let error = suite::get_nonexistent_object(&store(), None)
        .await
        .expect_err("no object");
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn tags_and_attributes_arrive_as_they_were() {
    let store = store();
    let path = Path::from("a");
    let mut tags = TagSet::default();
    tags.push("k&y", "v=l ü");
    let metadata = Attribute::Metadata("owner".into());
    let options = PutOptions {
        tags,
        attributes: [(metadata.clone(), AttributeValue::from("ana"))]
            .into_iter()
            .collect(),
        ..PutOptions::default()
    };
    store
        .put_opts(&path, "x".into(), options)
        .await
        .expect("put");
    let got = store.get(&path).await.expect("get");
    let owner = got
        .attributes
        .get(&metadata)
        .map(|owner| owner.as_ref().to_owned());
    assert_eq!(owner.as_deref(), Some("ana"));
}

#[tokio::test]
async fn an_error_in_a_stream_of_paths_comes_back_as_it_was() {
    use futures::StreamExt;
    let own = Error::NotSupported {
        source: "mine".into(),
    };
    let paths = futures::stream::iter([Err(own)]).boxed();
    let deleted: Vec<_> = store().delete_stream(paths).collect().await;
    assert!(
        matches!(&deleted[..], [Err(Error::NotSupported { .. })]),
        "{deleted:?}"
    );
}
