//! Many objects, and a large one.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::server::*;

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_objects_are_listed_over_many_pages() {
    let server = start(Front::open()).await;
    let directory = server.root.path().join(BUCKET).join("in/the harbour/many");
    std::fs::create_dir_all(&directory).expect("a directory");
    for number in 0..10_000 {
        std::fs::write(directory.join(format!("{number:05}")), b"x").expect("written");
    }
    // The server looks at every file of the directory for each page.
    let options = portolan_egress::EgressOptions {
        silence_timeout: std::time::Duration::from_secs(60),
        ..server.options()
    };
    let store = backends(options)
        .build(&Planned::default().plan())
        .expect("built");
    let prefix = Path::from("many");
    let listed: Vec<_> = store
        .list(Some(&prefix))
        .try_collect()
        .await
        .expect("listed");
    let mut names: Vec<_> = listed.iter().map(|meta| meta.location.as_ref()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 10_000);
    assert_eq!((names[0], names[9_999]), ("many/00000", "many/09999"));
    assert!(server.requests().len() >= 10);
}

/// The most memory that this process has had so far, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.expect("a figure").parse::<usize>().expect("a number") * 1024
}

/// The variable that tells the test below that it is its own child process.
const CHILD: &str = "PORTOLAN_S3_TEST_CHILD";

#[test]
fn one_gib_goes_up_in_parts_and_comes_down_in_constant_memory() {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(move_one_gib());
    }
    // In a process of its own, so that the memory of no other test counts.
    #[allow(
        clippy::disallowed_methods,
        reason = "the other process is what is measured"
    )]
    let mut command = std::process::Command::new(std::env::current_exe().expect("this binary"));
    let name = "transfers::one_gib_goes_up_in_parts_and_comes_down_in_constant_memory";
    // What the child says of itself would be counted as a test of its own.
    let status = command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.expect("started").success());
}

/// The server is in this process, so its memory counts as well.
async fn move_one_gib() {
    const PARTS: usize = 128;
    const PART: usize = 8 * MIB;
    let server = start(Front::open()).await;
    // The server puts the parts together before it answers.
    let options = portolan_egress::EgressOptions {
        silence_timeout: std::time::Duration::from_secs(60),
        ..server.options()
    };
    let store = backends(options)
        .build(&Planned::default().plan())
        .expect("built");
    let name = Path::from("large");
    let before = peak();
    let mut upload = store.put_multipart(&name).await.expect("started");
    for number in 0..PARTS {
        let part = Bytes::from(vec![number as u8; PART]);
        upload.put_part(part.into()).await.expect("a part");
    }
    upload.complete().await.expect("completed");
    let mut content = store.get(&name).await.expect("get").into_stream();
    let (mut read, mut expected) = (0, vec![0; PART]);
    while let Some(piece) = content.next().await {
        let piece = piece.expect("a piece");
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let length = rest.len().min(PART - read % PART);
            if expected[0] != (read / PART) as u8 {
                expected.fill((read / PART) as u8);
            }
            // Byte by byte it would take as long as the way there and back.
            assert!(rest[..length] == expected[..length], "at {read}");
            rest = &rest[length..];
            read += length;
        }
    }
    assert_eq!(read, PARTS * PART);
    let grown = peak().saturating_sub(before);
    assert!(grown < 96 * MIB, "{} MiB more", grown / MIB);
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    let mut upload = store
        .put_multipart(&Path::from("a"))
        .await
        .expect("started");
    upload
        .put_part(vec![1; 5 * MIB].into())
        .await
        .expect("a part");
    upload.abort().await.expect("given up");
    let listed: Vec<_> = store.list(None).try_collect().await.expect("listed");
    assert!(listed.is_empty());
    let left = std::fs::read_dir(server.root.path()).expect("read");
    let left: Vec<_> = left
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(left, [BUCKET], "no part is left");
}
