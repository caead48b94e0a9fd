//! Writes that meet each other, are killed, or find the disk full.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails"
)]

mod common;

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::{
    child_command, child_directory, names, on_disk, program, raw, read, spawn_child, store,
};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};
use portolan_contract::FailureClass;
use portolan_data::{NodelocalStore, UnfinishedUploads, failure_of};
use portolan_disks::{Disk, set_read_only};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_one_writers_object_whole() {
    const BYTES: usize = 3 << 20;
    let (dir, store) = store();
    store
        .put(&raw("a"), vec![b'0'; BYTES].into())
        .await
        .expect("put");
    let writers: Vec<_> = (b'1'..=b'3')
        .map(|byte| {
            let store = store.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let content = Bytes::from(vec![byte; BYTES]);
                    if byte == b'3' {
                        let mut upload = store.put_multipart(&raw("a")).await.expect("start");
                        for half in [content.slice(..BYTES / 2), content.slice(BYTES / 2..)] {
                            upload.put_part(half.into()).await.expect("part");
                        }
                        upload.complete().await.expect("complete");
                    } else {
                        store.put(&raw("a"), content.into()).await.expect("put");
                    }
                }
            })
        })
        .collect();
    let mut reads = 0;
    // Three at least, however busy the machine is.
    while reads < 3 || !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let content = read(&store, "a").await.expect("always there");
        assert_eq!(content.len(), BYTES);
        assert!(
            content.iter().all(|byte| *byte == content[0]),
            "a mixed object"
        );
        assert_eq!(names(&store).await, ["a"]);
        reads += 1;
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    assert_eq!(on_disk(&dir.path().join("root")), ["a"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_create_one_name_one_does() {
    let (_dir, store) = store();
    let store = Arc::new(store);
    for round in 0..10 {
        let name = Path::from(format!("deep/er/{round}"));
        let attempts = (0..8).map(|number| {
            let (store, name) = (Arc::clone(&store), name.clone());
            tokio::spawn(async move {
                let content = number.to_string();
                match store
                    .put_opts(&name, content.into(), PutMode::Create.into())
                    .await
                {
                    Ok(_) => Some(number),
                    Err(Error::AlreadyExists { .. }) => None,
                    Err(error) => panic!("{error}"),
                }
            })
        });
        let winners: Vec<i32> = futures::future::join_all(attempts)
            .await
            .into_iter()
            .filter_map(|attempt| attempt.expect("attempt"))
            .collect();
        assert_eq!(winners.len(), 1);
        let content = read(&*store, name.as_ref()).await.expect("read");
        assert_eq!(content, winners[0].to_string().as_bytes());
    }
}

#[tokio::test]
async fn an_upload_given_up_leaves_nothing() {
    let (dir, store) = store();
    let root = dir.path().join("root");
    let mut upload = store.put_multipart(&raw("a")).await.expect("start");
    upload.put_part("x".into()).await.expect("part");
    assert_eq!(on_disk(&root).len(), 1, "the hidden file");
    assert!(names(&store).await.is_empty());
    assert!(
        store
            .list_with_delimiter(None)
            .await
            .expect("list")
            .objects
            .is_empty()
    );
    assert!(
        store
            .unfinished_uploads(&Path::default())
            .await
            .expect("look")
            .uploads
            .is_empty(),
        "it is in use"
    );
    upload.abort().await.expect("abort");
    assert!(on_disk(&root).is_empty());
    let error = upload.complete().await.expect_err("over");
    assert!(error.to_string().contains("is over"), "{error}");
    upload.put_part("y".into()).await.expect_err("over");

    let mut upload = store.put_multipart(&raw("a")).await.expect("start");
    upload.put_part("x".into()).await.expect("part");
    drop(upload);
    for _ in 0..500 {
        if on_disk(&root).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a dropped upload left its file");
}

#[tokio::test]
async fn an_upload_with_a_part_that_was_not_written_is_never_completed() {
    let (_dir, store) = store();
    let mut upload = store.put_multipart(&raw("a")).await.expect("start");
    drop(upload.put_part("first".into()));
    upload.put_part("second".into()).await.expect("part");
    upload.complete().await.expect_err("a hole");
    assert!(names(&store).await.is_empty());
}

#[tokio::test]
async fn an_object_may_not_share_bytes_with_its_copy() {
    let (dir, store) = store();
    store.put(&raw("a"), "one".into()).await.expect("put");
    store.copy(&raw("a"), &raw("b")).await.expect("copy");
    store
        .rename_if_not_exists(&raw("a"), &raw("c"))
        .await
        .expect("rename");
    std::fs::write(dir.path().join("root/c"), "two").expect("in place, by another program");
    assert_eq!(read(&store, "b").await.expect("read"), b"one");
    let error = store
        .rename_if_not_exists(&raw("b"), &raw("c"))
        .await
        .expect_err("there");
    assert!(matches!(error, Error::AlreadyExists { .. }), "{error}");
    assert_eq!(names(&store).await, ["b", "c"]);
}

/// The process is killed in the middle of an upload: nothing is visible, what it left behind is
/// named, and an upload that is under way elsewhere is not mistaken for it.
#[tokio::test]
async fn a_killed_upload_leaves_nothing_visible() {
    if let Some(root) = child_directory() {
        let store = NodelocalStore::open(root).expect("open");
        let mut upload = store.put_multipart(&raw("d/a")).await.expect("start");
        upload
            .put_part(vec![1; 1 << 20].into())
            .await
            .expect("part");
        println!("\nunder way");
        std::thread::sleep(Duration::from_secs(60));
        panic!("nobody killed the upload");
    }
    let (dir, store) = store();
    let root = dir.path().join("root");
    let mut child = spawn_child("a_killed_upload_leaves_nothing_visible", &root);
    let output = BufReader::new(child.stdout.take().expect("output"));
    output
        .lines()
        .map_while(Result::ok)
        .find(|line| line == "under way")
        .expect("the child began");
    let all = Path::default();
    assert!(
        store
            .unfinished_uploads(&all)
            .await
            .expect("look")
            .uploads
            .is_empty(),
        "its writer lives"
    );
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(names(&store).await.is_empty());
    let abandoned = store.unfinished_uploads(&all).await.expect("look").uploads;
    assert_eq!(abandoned.len(), 1);
    assert!(
        abandoned[0].path.starts_with("d/.portolan-upload-"),
        "{abandoned:?}"
    );
    assert_eq!(abandoned[0].size, Some(1 << 20));
    store
        .put(&raw("d/a"), "x".into())
        .await
        .expect("the name is free");
    assert_eq!(names(&store).await, ["d/a"]);
}

/// Runs as a user who may not write: as root the test starts itself as `nobody`.
#[tokio::test]
async fn a_directory_that_may_not_be_written_says_so() {
    if let Some(root) = child_directory() {
        let store = NodelocalStore::open(&root).expect("open");
        assert_eq!(read(&store, "a").await.expect("may be read"), b"x");
        let errors = [
            store.put(&raw("b"), "x".into()).await.expect_err("put"),
            store.put(&raw("a"), "x".into()).await.expect_err("put"),
            store
                .put(&raw("d/b"), "x".into())
                .await
                .expect_err("put below"),
            store.delete(&raw("a")).await.expect_err("delete"),
            store
                .rename(&raw("a"), &raw("b"))
                .await
                .expect_err("rename"),
            store.get(&raw("closed")).await.expect_err("get"),
        ];
        for error in errors {
            assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
            let failure = failure_of(&error);
            assert_eq!(failure.class, FailureClass::Denied);
            assert!(
                failure
                    .hint
                    .expect("a hint")
                    .contains("let the user that runs Portolan")
            );
            assert!(
                !failure.message.contains(root.to_str().expect("text")),
                "{}",
                failure.message
            );
        }
        return;
    }
    let (dir, store) = store();
    store.put(&raw("a"), "x".into()).await.expect("put");
    store.put(&raw("closed"), "x".into()).await.expect("put");
    let root = dir.path().join("root");
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mode");
    };
    set(&root.join("closed"), 0o000);
    set(&root.join("a"), 0o644);
    set(&root, 0o555);
    set(dir.path(), 0o755);
    // The binary may lie where `nobody` cannot reach it. Another process copies it: a file that this
    // one had open for writing would be busy for as long as a child that another test starts just
    // then holds the same handle.
    let binary = dir.path().join("test");
    let copied = program("cp")
        .arg(std::env::current_exe().expect("this binary"))
        .arg(&binary)
        .status()
        .expect("cp");
    assert!(copied.success());
    set(&binary, 0o755);
    let mut command = child_command(
        &binary,
        "a_directory_that_may_not_be_written_says_so",
        &root,
    );
    let root_is_us = std::fs::metadata("/proc/self")
        .is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0);
    if root_is_us {
        command.uid(65534).gid(65534);
    }
    let status = command.current_dir("/").status().expect("started");
    set(&root, 0o755);
    assert!(status.success());
}

#[tokio::test]
async fn a_full_disk_and_a_read_only_one_say_so() {
    if let Some(root) = Disk::Small.enter("a_full_disk_and_a_read_only_one_say_so") {
        on_a_small_disk(&root).await;
    }
}

#[tokio::test]
async fn a_file_that_may_not_grow_says_so() {
    let Some(root) = Disk::ShortFiles.enter("a_file_that_may_not_grow_says_so") else {
        return;
    };
    let store = NodelocalStore::open(&root).expect("open");
    store.put(&raw("a"), "old".into()).await.expect("put");
    let large = vec![0_u8; 1 << 20];
    let error = store.put(&raw("a"), large.into()).await.expect_err("large");
    let failure = failure_of(&error);
    assert_eq!(failure.class.sqlstate(), "53100", "{error:?}");
    assert!(failure.hint.expect("a hint").starts_with("write smaller"));
    assert_eq!(read(&store, "a").await.expect("read"), b"old");
    assert_eq!(on_disk(&root), ["a"], "nothing half-written stays behind");
}

async fn on_a_small_disk(root: &std::path::Path) {
    let store = NodelocalStore::open(root).expect("open");
    store
        .put(&raw("a"), "old".into())
        .await
        .expect("there is room");
    let large = vec![0_u8; 2 << 20];
    let put = store
        .put(&raw("a"), large.clone().into())
        .await
        .expect_err("full");
    let mut upload = store.put_multipart(&raw("b")).await.expect("start");
    let part = upload.put_part(large.into()).await.expect_err("full");
    for error in [put, part] {
        let failure = failure_of(&error);
        assert_eq!(failure.class.sqlstate(), "53100", "{error:?}");
        assert!(failure.hint.expect("a hint").starts_with("free space"));
    }
    upload.complete().await.expect_err("a part is missing");
    drop(upload);
    assert_eq!(
        read(&store, "a").await.expect("read"),
        b"old",
        "the old object stays whole"
    );
    assert_eq!(names(&store).await, ["a"]);
    for _ in 0..500 {
        if on_disk(root) == ["a"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(on_disk(root), ["a"], "nothing half-written fills the disk");

    set_read_only(root, true);
    for error in [
        store.put(&raw("a"), "new".into()).await.expect_err("put"),
        store
            .put(&raw("d/a"), "new".into())
            .await
            .expect_err("put below"),
        store.delete(&raw("a")).await.expect_err("delete"),
    ] {
        let failure = failure_of(&error);
        assert_eq!(failure.class, FailureClass::Denied, "{error:?}");
        assert!(
            failure
                .hint
                .expect("a hint")
                .starts_with("mount the file system")
        );
    }
    assert_eq!(read(&store, "a").await.expect("read"), b"old");
}
