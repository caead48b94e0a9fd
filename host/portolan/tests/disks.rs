//! A full disk under a host: what is said, and that nothing is lost.

#![allow(missing_docs, clippy::expect_used, reason = "tests")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};
use portolan::{Error, Operation, SqlState};
use portolan_disks::Disk;
use support::{World, refused, rows, run};

const CREATE: &str = "CREATE EXTERNAL CONNECTION a AS 'nodelocal://1/a'";
const CREATE_ANOTHER: &str = "CREATE EXTERNAL CONNECTION b AS 'nodelocal://1/b'";

async fn store(world: &World) -> Arc<dyn ObjectStore> {
    let root = world.root();
    let opened = root.open("external://a", Operation::Transfer).await;
    let storage = opened.expect("opened").into_storage();
    storage.expect("storage").object_store()
}

/// The names of the files in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("lists");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Takes all the space that is left, to the byte.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).expect("made");
    for size in [64 << 10, 1 << 10, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

async fn connections(world: &World) -> Vec<String> {
    let rows = rows(&world.root(), "SHOW EXTERNAL CONNECTIONS").await;
    rows.into_iter().map(|row| row[0].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_does_not_fit_is_refused_and_leaves_nothing_behind() {
    let name = "an_object_that_does_not_fit_is_refused_and_leaves_nothing_behind";
    if Disk::Small.enter(name).is_none() {
        return;
    }
    let world = World::new().await;
    run(&world.root(), CREATE).await;
    let store = store(&world).await;
    let path = ObjectPath::from("dump");
    store.put(&path, "old".into()).await.expect("there is room");
    let before = names(&world.external().join("a"));
    let put = store.put(&path, vec![0_u8; 2 << 20].into()).await;
    let mut upload = store.put_multipart(&path).await.expect("begun");
    let part = upload.put_part(vec![0_u8; 2 << 20].into()).await;
    for error in [
        put.map(drop).expect_err("it does not fit"),
        part.expect_err("it does not fit"),
    ] {
        let error = Error::from(error);
        assert_eq!(error.sqlstate(), SqlState::DiskFull, "{error:?}");
        assert_eq!(
            error.message(),
            "cannot write `a/dump`: No space left on device (os error 28)"
        );
        assert_eq!(
            error.hint(),
            Some("free space in the file system of the external I/O directory")
        );
    }
    upload.abort().await.expect("aborted");
    assert_eq!(names(&world.external().join("a")), before);
    let kept = store.get(&path).await.expect("there").bytes().await;
    assert_eq!(kept.expect("read"), "old");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_on_a_full_disk_is_refused_and_loses_nothing() {
    let name = "a_statement_on_a_full_disk_is_refused_and_loses_nothing";
    let Some(directory) = Disk::Small.enter(name) else {
        return;
    };
    let world = World::new().await;
    run(&world.root(), CREATE).await;
    let ballast = directory.join("ballast");
    fill(&ballast);
    // Once the marker does not fit, and once the catalog's row does not.
    let probed = refused(&world.root(), CREATE_ANOTHER).await;
    let error = refused(
        &world.root(),
        &format!("{CREATE_ANOTHER} WITH VALIDATE = 'none'"),
    )
    .await;
    assert_eq!(error.sqlstate(), SqlState::DiskFull, "{error:?}");
    assert_eq!(
        error.message(),
        "the disk that holds the store is full, or its files may not grow"
    );
    assert_eq!(
        error.hint(),
        Some(
            "Free some space, or raise the limit on the size of files (`ulimit -f`), and repeat the \
             statement. Nothing was lost."
        )
    );
    assert_eq!(probed.sqlstate(), SqlState::DiskFull, "{probed:?}");
    assert!(probed.hint().is_some(), "{probed:?}");
    assert_eq!(connections(&world).await, ["a"]);
    fs::remove_file(ballast).expect("frees space");
    run(&world.root(), CREATE_ANOTHER).await;
    assert_eq!(connections(&world).await, ["a", "b"]);
}
