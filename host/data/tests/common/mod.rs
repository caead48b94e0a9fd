//! What the tests of the local store share.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::path::Path as HostPath;
use std::process::{Child, Command, Stdio};

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use portolan_data::NodelocalStore;

/// A fresh directory with a store over its `root`; what lies beside `root` is outside.
pub(crate) fn store() -> (tempfile::TempDir, NodelocalStore) {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("root")).expect("a directory");
    let store = NodelocalStore::open(dir.path().join("root")).expect("open");
    (dir, store)
}

/// A path taken as it is written.
pub(crate) fn raw(text: &str) -> Path {
    Path::parse(text).expect("a path")
}

/// Every object's path, in the order of the list.
#[allow(dead_code, reason = "not every test file lists")]
pub(crate) async fn names(store: &dyn ObjectStore) -> Vec<String> {
    use futures::TryStreamExt;
    store
        .list(None)
        .map_ok(|meta| meta.location.to_string())
        .try_collect()
        .await
        .expect("list")
}

/// An object's content.
#[allow(dead_code, reason = "not every test file reads")]
pub(crate) async fn read(store: &dyn ObjectStore, name: &str) -> Result<Vec<u8>, Error> {
    let result = store.get(&raw(name)).await?;
    Ok(result.bytes().await?.to_vec())
}

/// Names of the files in a directory of the host.
#[allow(dead_code, reason = "not every test file looks at the disk")]
pub(crate) fn on_disk(dir: &HostPath) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .expect("read")
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("text")
        })
        .collect();
    names.sort();
    names
}

/// A program to start, which only a test may.
#[allow(dead_code, reason = "not every test file starts a program")]
#[allow(
    clippy::disallowed_methods,
    reason = "the other process, or the disk, is what is tested"
)]
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(name)
}

/// The variable that tells a test that it is its own child process, and which directory to use.
const CHILD: &str = "PORTOLAN_DATA_TEST_CHILD";

/// The directory for the child, in the child.
#[allow(dead_code, reason = "not every test file starts itself")]
pub(crate) fn child_directory() -> Option<std::path::PathBuf> {
    std::env::var_os(CHILD).map(Into::into)
}

/// The command that runs the test `name` of this binary as a child over `dir`.
#[allow(dead_code, reason = "not every test file starts itself")]
pub(crate) fn child_command(binary: &HostPath, name: &str, dir: &HostPath) -> Command {
    let mut command = program(binary);
    // What the child says of itself would be counted as a test of its own; panics go to the error
    // output.
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, dir)
        .stdout(Stdio::null());
    command
}

/// Starts the test `name` of this binary as a child over `dir`, its output piped.
#[allow(dead_code, reason = "not every test file starts itself")]
pub(crate) fn spawn_child(name: &str, dir: &HostPath) -> Child {
    child_command(&std::env::current_exe().expect("this binary"), name, dir)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started")
}
