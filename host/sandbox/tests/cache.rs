//! The cache of compiled components: used when it is whole, made anew when it is not.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use portolan_contract::split;
use portolan_sandbox::{Allocation, Component, Sandbox, SandboxOptions};
use portolan_secret::SecretText;
use sha2::{Digest, Sha256};

const DIGEST: usize = 32;

fn sandbox(directory: &Path, allocation: Allocation) -> Sandbox {
    let options = SandboxOptions {
        allocation,
        cache_dir: Some(directory.to_owned()),
        ..SandboxOptions::default()
    };
    Sandbox::new(options).expect("a sandbox")
}

fn nodelocal() -> &'static portolan_plugins::BuiltIn {
    portolan_plugins::built_in_named("nodelocal").expect("it is built in")
}

/// What a file has to begin with: the hash of its name, with the name's length, and of its body.
fn hash(file: &Path, body: &[u8]) -> blake3::Hash {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.expect("a name");
    let length = name.len() as u64;
    blake3::hash(&[&length.to_le_bytes()[..], name.as_bytes(), body].concat())
}

/// Loads nodelocal in a new sandbox and has it plan.
async fn load(directory: &Path, allocation: Allocation) {
    let component = Component::new(nodelocal().component);
    let provider = sandbox(directory, allocation).load(component).await;
    let provider = provider.expect("it loads");
    let uri = split(&SecretText::new("nodelocal://self/x"), provider.manifest());
    let planned = provider.plan(&uri.expect("it splits")).await;
    assert_eq!(planned.expect("a plan").redacted_uri, "nodelocal://self/x");
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
}

fn only_file(directory: &Path) -> PathBuf {
    let mut files = files(directory);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// A file that was made anew is another file: it was renamed into its place.
#[cfg(unix)]
fn identity(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).expect("metadata"))
}

#[tokio::test]
async fn a_component_is_compiled_once_and_kept_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().expect("a directory");
    let directory = root.path().join("a").join("cache");
    load(&directory, Allocation::OnDemand).await;
    let file = only_file(&directory);
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
    let content = fs::read(&file).expect("read");
    assert_eq!(
        content[..DIGEST],
        *hash(&file, &content[DIGEST..]).as_bytes()
    );
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .expect("a name");
    let digest = Sha256::digest(nodelocal().component);
    assert!(name.starts_with(&hex::encode(digest)), "{name}");
    let before = identity(&file);
    load(&directory, Allocation::OnDemand).await;
    assert_eq!(identity(&only_file(&directory)), before);
}

#[tokio::test]
async fn a_file_that_is_damaged_is_made_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path().join("cache");
    load(&directory, Allocation::OnDemand).await;
    let file = only_file(&directory);
    let whole = fs::read(&file).expect("read");
    let mut damages: Vec<Vec<u8>> = [0, DIGEST - 1, DIGEST, whole.len() / 2, whole.len() - 1]
        .map(|at| {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            damaged
        })
        .to_vec();
    damages.extend([0, 1, DIGEST, DIGEST + 1, whole.len() - 1].map(|end| whole[..end].to_vec()));
    damages.push([whole.as_slice(), b"more"].concat());
    // With a digest that is right, but a body that no compiler of ours made.
    let foreign = b"\x7fELF that is no component at all".to_vec();
    damages.push([hash(&file, &foreign).as_bytes().as_slice(), &foreign].concat());
    // As this file once began: with the hash of its body alone.
    let body = &whole[DIGEST..];
    damages.push([blake3::hash(body).as_bytes().as_slice(), body].concat());
    for damaged in damages {
        fs::write(&file, &damaged).expect("write");
        let before = identity(&file);
        load(&directory, Allocation::OnDemand).await;
        assert_ne!(identity(&only_file(&directory)), before);
        let content = fs::read(&file).expect("read");
        assert_eq!(
            content[..DIGEST],
            *hash(&file, &content[DIGEST..]).as_bytes()
        );
    }
}

#[tokio::test]
async fn a_file_of_other_settings_is_another_file_and_is_refused_in_the_place_of_ours() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path().join("cache");
    load(&directory, Allocation::OnDemand).await;
    let ours = only_file(&directory);
    load(&directory, Allocation::Pooling).await;
    let both = files(&directory);
    assert_eq!(both.len(), 2);
    let other = both.iter().find(|file| **file != ours).expect("another");
    fs::copy(other, &ours).expect("copy");
    let foreign = fs::read(&ours).expect("read");
    load(&directory, Allocation::OnDemand).await;
    assert_ne!(fs::read(&ours).expect("read"), foreign);
}

#[tokio::test]
async fn a_file_of_another_component_is_refused_in_the_place_of_ours() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path().join("cache");
    load(&directory, Allocation::OnDemand).await;
    let ours = only_file(&directory);
    let userfile = portolan_plugins::built_in_named("userfile").expect("it is built in");
    let loaded = sandbox(&directory, Allocation::OnDemand)
        .load(Component::new(userfile.component))
        .await;
    loaded.expect("it loads");
    let both = files(&directory);
    assert_eq!(both.len(), 2);
    let other = both.iter().find(|file| **file != ours).expect("another");
    fs::copy(other, &ours).expect("copy");
    let foreign = fs::read(&ours).expect("read");
    // It plans as nodelocal does.
    load(&directory, Allocation::OnDemand).await;
    assert_ne!(fs::read(&ours).expect("read"), foreign);
}

#[tokio::test]
async fn a_directory_that_others_may_read_or_that_is_none_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let open = directory.path().join("open");
    fs::create_dir(&open).expect("a directory");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).expect("chmod");
    load(&open, Allocation::OnDemand).await;
    assert!(files(&open).is_empty());
    let file = directory.path().join("file");
    fs::write(&file, "no directory").expect("write");
    load(&file, Allocation::OnDemand).await;
}

#[tokio::test]
async fn several_hosts_may_fill_the_cache_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let directory = directory.path().join("cache");
    let tasks = [(); 4].map(|()| {
        let directory = directory.clone();
        tokio::spawn(async move { load(&directory, Allocation::OnDemand).await })
    });
    for task in tasks {
        task.await.expect("it loads");
    }
    only_file(&directory);
}

#[tokio::test]
async fn without_a_directory_a_component_is_compiled_once_for_those_who_hold_it() {
    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox");
    let component = || Component::new(nodelocal().component);
    let first = sandbox.load(component()).await.expect("it loads");
    let started = std::time::Instant::now();
    let second = sandbox.load(component()).await.expect("it loads");
    assert!(started.elapsed() < std::time::Duration::from_millis(50));
    assert_eq!(first.digest(), second.digest());
}
