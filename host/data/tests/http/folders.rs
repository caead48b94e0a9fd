//! Folders, which a server of files has and a store of objects has not.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};

use super::server::*;

#[tokio::test]
async fn a_folder_is_no_object_and_nothing_deletes_or_replaces_what_is_in_it() {
    let server = Server::start();
    let store = server.store(&plain());
    store.put(&object(), "content".into()).await.expect("put");
    let (folder, other): (Path, Path) = ("objects".into(), "other".into());
    store.put(&other, "other".into()).await.expect("put");
    for error in [
        store.get(&folder).await.expect_err("a folder"),
        store.head(&folder).await.expect_err("a folder"),
        store.delete(&folder).await.expect_err("a folder"),
        store
            .copy(&folder, &"third".into())
            .await
            .expect_err("a folder"),
        store
            .rename(&folder, &"third".into())
            .await
            .expect_err("a folder"),
    ] {
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        failure(&error);
    }
    for error in [
        store.put(&folder, "x".into()).await.expect_err("a folder"),
        store.copy(&other, &folder).await.expect_err("a folder"),
    ] {
        let told = failure(&error);
        assert_eq!(told.class.sqlstate(), "22023");
        assert_eq!(
            told.hint.as_deref(),
            Some(
                "choose another name: a folder has this one, or an object is where the folder \
                 would be"
            )
        );
    }
    let there = std::fs::read(server.files().join("objects/one")).expect("still there");
    assert_eq!(there, b"content");
}

/// Without `create_full_put_path` of nginx, as Apache and others: the folders on the way are made.
#[tokio::test]
async fn folders_on_the_way_are_made_where_the_server_does_not_make_them() {
    let server = Server::start();
    let store = Planned {
        prefix: "strict/a b",
        ..plain()
    };
    let store = server.store(&store);
    let (deep, copy): (Path, Path) = ("x/y/z/one".into(), "u/v/two".into());
    store.put(&deep, "content".into()).await.expect("put");
    store.put(&deep, "content".into()).await.expect("again");
    store.copy(&deep, &copy).await.expect("copied");
    let mut upload = store
        .put_multipart(&"p/q/three".into())
        .await
        .expect("begun");
    upload.put_part("content".into()).await.expect("a part");
    upload.complete().await.expect("completed");
    for name in [deep, copy, "p/q/three".into()] {
        let got = store.get(&name).await.expect("get").bytes().await;
        assert_eq!(got.expect("bytes"), "content", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_objects_are_listed_from_many_folders() {
    let server = Server::start();
    let many = server.files().join("many");
    for folder in 0..10 {
        let folder = many.join(format!("{folder}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        for number in 0..1000 {
            std::fs::write(folder.join(format!("{number:04}")), b"x").expect("written");
        }
    }
    let store = server.store(&plain());
    let listed: Vec<_> = store
        .list(Some(&"many".into()))
        .try_collect()
        .await
        .expect("listed");
    let mut names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 10_000);
    assert_eq!((names[0], names[9_999]), ("many/0/0000", "many/9/0999"));
}

/// A folder is one answer of WebDAV, however many files it has.
#[tokio::test]
async fn ten_thousand_files_of_a_folder_are_listed() {
    let server = Server::start();
    let folder = server.files().join("many");
    std::fs::create_dir_all(&folder).expect("a folder");
    for number in 0..10_000 {
        std::fs::write(folder.join(format!("{number:05}")), b"x").expect("written");
    }
    let store = server.store(&encrypted());
    let listed: Vec<_> = store
        .list(Some(&"many".into()))
        .try_collect()
        .await
        .expect("listed");
    assert_eq!(listed.len(), 10_000);
    let names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    assert_eq!((names[0], names[9_999]), ("many/00000", "many/09999"));
    assert!(names.is_sorted());
}
