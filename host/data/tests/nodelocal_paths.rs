//! Names that try to leave the directory, or that no file can have.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod common;

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::{names, on_disk, program, raw, read, store};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_data::{NameFault, NodelocalError, failure_of};

/// The store's own error behind that of the trait.
fn cause(error: &Error) -> &NodelocalError {
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref() {
            return found;
        }
        next = source.source();
    }
    panic!("no error of the store: {error:?}")
}

#[tokio::test]
async fn texts_that_mean_another_place_elsewhere_are_names_here() {
    let (dir, store) = store();
    std::fs::write(dir.path().join("secret"), "secret").expect("write");
    // `Path::from` encodes, `Path::from_iter` encodes each segment; both end below the root.
    let hostile = [
        "../secret",
        "a/../../secret",
        "/../secret",
        "..%2Fsecret",
        "%2e%2e/secret",
        "%252e%252e%252fsecret",
        "..\\secret",
        "\u{ff0e}\u{ff0e}/secret",
        "..\u{2215}secret",
        "./secret",
        "/etc/hostname",
        "C:\\secret",
        "file:///etc/hostname",
    ];
    for text in hostile {
        for path in [
            Some(Path::from(text)),
            Some(Path::from_iter([text])),
            Path::parse(text).ok(),
        ]
        .into_iter()
        .flatten()
        {
            if let Ok(result) = store.get(&path).await {
                panic!("{text}: {:?} was read", result.meta);
            }
            match store.put(&path, "mine".into()).await {
                Ok(_) => {
                    assert_eq!(read(&store, path.as_ref()).await.expect("read"), b"mine");
                    store.delete(&path).await.expect("delete");
                }
                Err(error) => assert!(
                    matches!(cause(&error), NodelocalError::BadName { .. }),
                    "{error}"
                ),
            }
        }
    }
    assert_eq!(on_disk(dir.path()), ["root", "secret"]);
    assert_eq!(
        std::fs::read(dir.path().join("secret")).expect("read"),
        b"secret"
    );
}

#[tokio::test]
async fn a_name_is_taken_as_it_is_and_never_decoded() {
    let (dir, store) = store();
    for name in [
        "a%2Fb", "100%", "%", "~", "a b", "#1", "🙀", "e\u{301}", "é", "-rf", "a?b*c", "CON", "a:b",
    ] {
        store.put(&raw(name), name.into()).await.expect("put");
        let file = dir.path().join("root").join(name);
        assert_eq!(std::fs::read(file).expect("the very name"), name.as_bytes());
        assert_eq!(read(&store, name).await.expect("read"), name.as_bytes());
    }
    assert_eq!(names(&store).await.len(), 13);
}

#[tokio::test]
async fn a_name_that_cannot_be_says_what_is_wrong() {
    let (dir, store) = store();
    let cases = [
        ("a".repeat(256), NameFault::TooLong),
        (format!("a/{}/b", "é".repeat(128)), NameFault::TooLong),
        ("a\\b".to_owned(), NameFault::Character),
        (".portolan-upload-1".to_owned(), NameFault::Reserved),
        ("a/.portolan-upload-1/b".to_owned(), NameFault::Reserved),
    ];
    for (name, expected) in cases {
        let name = raw(&name);
        let other = raw("other");
        for error in [
            store.put(&name, "x".into()).await.expect_err("put"),
            store.put_multipart(&name).await.expect_err("multipart"),
            store.get(&name).await.expect_err("get"),
            store.head(&name).await.expect_err("head"),
            store.delete(&name).await.expect_err("delete"),
            store.copy(&name, &other).await.expect_err("copy"),
            store.rename(&name, &other).await.expect_err("rename"),
        ] {
            match cause(&error) {
                NodelocalError::BadName { fault, .. } => assert_eq!(*fault, expected, "{error}"),
                cause => panic!("{cause:?}"),
            }
            assert!(failure_of(&error).hint.is_some());
        }
    }
    for error in [
        store
            .put(&Path::default(), "x".into())
            .await
            .expect_err("put"),
        store.get(&Path::default()).await.expect_err("get"),
        store.delete(&Path::default()).await.expect_err("delete"),
    ] {
        assert!(matches!(cause(&error), NodelocalError::NoName), "{error}");
    }
    assert!(on_disk(&dir.path().join("root")).is_empty());
    let longest = "a".repeat(255);
    store
        .put(&raw(&longest), "x".into())
        .await
        .expect("255 bytes are a name");
    let mut upload = store.put_multipart(&raw(&longest)).await.expect("start");
    upload.put_part("y".into()).await.expect("part");
    upload.complete().await.expect("complete");
    assert_eq!(read(&store, &longest).await.expect("read"), b"y");
}

#[tokio::test]
async fn an_object_and_a_directory_do_not_share_a_name() {
    let (dir, store) = store();
    store.put(&raw("a/b"), "x".into()).await.expect("put");

    let error = store
        .put(&raw("a"), "y".into())
        .await
        .expect_err("a directory");
    assert!(
        matches!(cause(&error), NodelocalError::IsDirectory { path } if path == "a"),
        "{error}"
    );
    let error = store
        .copy(&raw("a/b"), &raw("a"))
        .await
        .expect_err("a directory");
    assert!(
        matches!(cause(&error), NodelocalError::IsDirectory { .. }),
        "{error}"
    );
    let error = store
        .rename(&raw("a/b"), &raw("a"))
        .await
        .expect_err("a directory");
    assert!(
        matches!(cause(&error), NodelocalError::IsDirectory { .. }),
        "{error}"
    );
    let error = store
        .put_multipart(&raw("a"))
        .await
        .expect_err("a directory");
    assert!(
        matches!(cause(&error), NodelocalError::IsDirectory { .. }),
        "{error}"
    );

    let error = store
        .put(&raw("a/b/c/d"), "y".into())
        .await
        .expect_err("an object");
    assert!(
        matches!(cause(&error), NodelocalError::IsObject { path } if path == "a/b"),
        "{error}"
    );
    assert_eq!(failure_of(&error).class.sqlstate(), "22023");
    assert!(
        !error
            .to_string()
            .contains(dir.path().to_str().expect("text")),
        "{error}"
    );

    for name in ["a", "a/b/c"] {
        assert!(matches!(
            store.get(&raw(name)).await,
            Err(Error::NotFound { .. })
        ));
        assert!(matches!(
            store.head(&raw(name)).await,
            Err(Error::NotFound { .. })
        ));
        assert!(matches!(
            store.delete(&raw(name)).await,
            Err(Error::NotFound { .. })
        ));
        let copy = store.copy(&raw(name), &raw("z")).await;
        assert!(matches!(copy, Err(Error::NotFound { .. })));
    }
    assert_eq!(names(&store).await, ["a/b"]);
    assert_eq!(on_disk(&dir.path().join("root")), ["a"]);
}

#[tokio::test]
async fn no_symbolic_link_is_followed_wherever_it_leads() {
    let (dir, store) = store();
    let root = dir.path().join("root");
    let outside = dir.path().join("outside");
    std::fs::create_dir(&outside).expect("a directory");
    std::fs::write(outside.join("secret"), "secret").expect("write");
    store.put(&raw("inside/a"), "a".into()).await.expect("put");
    symlink(&outside, root.join("dir")).expect("link");
    symlink(outside.join("secret"), root.join("file")).expect("link");
    symlink("../outside/secret", root.join("relative")).expect("link");
    symlink("inside", root.join("within")).expect("link");
    symlink("loop", root.join("loop")).expect("link");
    symlink("gone", root.join("dangling")).expect("link");

    for name in [
        "dir/secret",
        "file",
        "relative",
        "within/a",
        "loop",
        "loop/a",
        "dangling",
        "dir/new",
    ] {
        let name = raw(name);
        for error in [
            store.get(&name).await.expect_err("get"),
            store.head(&name).await.expect_err("head"),
            store
                .get_ranges(&name, &[0..1, 1..2])
                .await
                .expect_err("ranges"),
            store.put(&name, "x".into()).await.expect_err("put"),
            store.put_multipart(&name).await.expect_err("multipart"),
            store.delete(&name).await.expect_err("delete"),
            store
                .copy(&name, &raw("copy"))
                .await
                .expect_err("copy from"),
            store
                .copy(&raw("inside/a"), &name)
                .await
                .expect_err("copy to"),
            store
                .rename(&name, &raw("moved"))
                .await
                .expect_err("rename from"),
            store
                .rename(&raw("inside/a"), &name)
                .await
                .expect_err("rename to"),
        ] {
            assert!(
                matches!(cause(&error), NodelocalError::IsLink { .. }),
                "{name}: {error}"
            );
        }
    }
    assert_eq!(names(&store).await, ["inside/a"]);
    let listed = store.list_with_delimiter(None).await.expect("list");
    assert_eq!(listed.common_prefixes, [raw("inside")]);
    assert!(listed.objects.is_empty());
    assert_eq!(on_disk(&outside), ["secret"]);
    assert_eq!(
        std::fs::read(outside.join("secret")).expect("read"),
        b"secret"
    );
}

#[tokio::test]
async fn a_named_pipe_neither_blocks_nor_is_an_object() {
    let (dir, store) = store();
    let pipe = dir.path().join("root/pipe");
    let made = program("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        assert!(matches!(
            store.get(&raw("pipe")).await,
            Err(Error::NotFound { .. })
        ));
        let error = store
            .put(&raw("pipe"), "x".into())
            .await
            .expect_err("a pipe");
        assert!(
            matches!(cause(&error), NodelocalError::IsSpecial { .. }),
            "{error}"
        );
        assert!(names(&store).await.is_empty());
    });
    ended.await.expect("nothing waits for a writer");
}

#[tokio::test]
async fn names_that_no_path_can_have_are_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let (dir, store) = store();
    for name in [&b"\xff\xfe"[..], b"line\nbreak", b"back\\slash"] {
        let name = std::ffi::OsStr::from_bytes(name);
        std::fs::write(dir.path().join("root").join(name), "x").expect("write");
    }
    store.put(&raw("a"), "x".into()).await.expect("put");
    assert_eq!(names(&store).await, ["a"]);
}

/// A thread swaps a directory for a link to the outside and back, as fast as it can, while the
/// store is used: nothing outside is ever read, written, moved or removed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_swapped_in_meanwhile_leads_nowhere() {
    let (dir, store) = store();
    let root = dir.path().join("root");
    let outside = dir.path().join("outside");
    std::fs::create_dir(&outside).expect("a directory");
    std::fs::write(outside.join("f"), "secret").expect("write");
    std::fs::create_dir(root.join("d")).expect("a directory");
    std::fs::write(root.join("d/f"), "mine").expect("write");

    symlink(&outside, root.join("link")).expect("link");

    let stop = Arc::new(AtomicBool::new(false));
    let swapping = std::thread::spawn({
        let (stop, d, link) = (Arc::clone(&stop), root.join("d"), root.join("link"));
        move || {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            let mut swaps = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                renameat_with(CWD, &d, CWD, &link, RenameFlags::EXCHANGE).expect("swap");
                swaps += 1;
            }
            swaps
        }
    });
    let began = Instant::now();
    let (mut done, mut refused) = (0, 0);
    while began.elapsed() < Duration::from_secs(2) {
        let results = [
            read(&store, "d/f")
                .await
                .map(|content| assert_ne!(content, b"secret")),
            store.put(&raw("d/f"), "mine".into()).await.map(|_| ()),
            store.put(&raw("d/new"), "mine".into()).await.map(|_| ()),
            store.copy(&raw("d/f"), &raw("d/copy")).await,
            store.rename(&raw("d/new"), &raw("d/moved")).await,
            store.delete(&raw("d/moved")).await,
        ];
        for result in results {
            match result {
                Ok(()) => done += 1,
                Err(_) => refused += 1,
            }
        }
        for meta in store
            .list_with_delimiter(Some(&raw("d")))
            .await
            .iter()
            .flat_map(|list| &list.objects)
        {
            assert_ne!(meta.size, 6, "the secret was listed");
        }
    }
    stop.store(true, Ordering::Relaxed);
    let swaps = swapping.join().expect("the swapping thread");
    assert!(
        swaps > 100 && done > 0 && refused > 0,
        "{swaps} swaps, {done} done, {refused} refused"
    );
    assert_eq!(on_disk(&outside), ["f"]);
    assert_eq!(std::fs::read(outside.join("f")).expect("read"), b"secret");
}
