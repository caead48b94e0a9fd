//! Compiled components on disk.
//!
//! A file is a BLAKE3 hash, and the body that it is of. The hash is of the file's name as well, which
//! says of which component it is and for which compiler and settings: a file under the name of
//! another is foreign, whole as it may be. It is read as a whole, verified, and only then
//! given to the runtime from the very bytes that were verified; nothing is mapped. Whoever may write
//! to the directory, which is the host's own user alone, may run code here: the digest is against
//! damage and mistaken files, not against that user. A file that is damaged, or belongs to another
//! user, or was made by another compiler or with other settings, is made anew.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::metrics;

const DIGEST: usize = blake3::OUT_LEN;

/// The directory of compiled components of one engine's settings.
pub(crate) struct Cache {
    directory: PathBuf,
    compatibility: String,
}

impl Cache {
    /// A cache for what the engine compiles. The directory is made when something is written.
    pub(crate) fn new(directory: PathBuf, engine: &Engine) -> Self {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let compatibility = hex::encode(&hasher.0.finalize()[..16]);
        Self {
            directory,
            compatibility,
        }
    }

    /// The name of the file of a component, which says all that the file is for.
    fn name(&self, digest: &str) -> String {
        format!("{digest}-{}.cwasm", self.compatibility)
    }

    /// The compiled component, if the cache has a whole one for this engine.
    pub(crate) fn read(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let name = self.name(digest);
        let content = match self.content(&name) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "a compiled component cannot be read and is made anew");
                return None;
            }
        };
        let compiled = content
            .as_deref()
            .and_then(|content| verified(&name, content))
            .and_then(|body| deserialize(engine, body));
        if compiled.is_none() {
            metrics::cache_rejected();
            tracing::warn!(
                "a compiled component in the cache is damaged or foreign and is made anew"
            );
        }
        compiled
    }

    /// What a file holds, if nobody but this user can have written it.
    fn content(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut file = File::open(self.directory.join(name))?;
        // Of the file that is open, as the path may lead to another one by now.
        if !(self.is_private() && is_own(&file.metadata()?)) {
            return Ok(None);
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        Ok(Some(content))
    }

    /// Keeps a compiled component. A cache that cannot be written costs time, nothing else.
    pub(crate) fn write(&self, component: &Component, digest: &str) {
        let written = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|body| self.write_file(&self.name(digest), &body));
        if let Err(error) = written {
            tracing::warn!(%error, "a compiled component cannot be kept in the cache");
        }
    }

    fn write_file(&self, name: &str, body: &[u8]) -> io::Result<()> {
        make_directory(&self.directory)?;
        if !self.is_private() {
            return Err(io::Error::other(
                "the directory of the cache belongs or is open to other users; \
                 make it this user's own, with mode 0700",
            ));
        }
        let temporary = self.temporary();
        let result = write_new(&temporary, name, body)
            .and_then(|()| fs::rename(&temporary, self.directory.join(name)));
        if result.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        result
    }

    /// A name that no other process and no other thread of this one uses.
    fn temporary(&self) -> PathBuf {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        self.directory.join(format!(".{process}-{number}.tmp"))
    }

    #[cfg(unix)]
    fn is_private(&self) -> bool {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(&self.directory)
            .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0 && is_own(&metadata))
    }

    #[cfg(not(unix))]
    fn is_private(&self) -> bool {
        true
    }
}

/// Whether something belongs to the user as whom the host acts.
#[cfg(unix)]
fn is_own(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &Metadata) -> bool {
    true
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write_new(path: &Path, name: &str, body: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(hash(name, body).as_bytes())?;
    file.write_all(body)
}

/// The hash in front of a body. The name's length keeps apart where the one ends and the other begins.
fn hash(name: &str, body: &[u8]) -> blake3::Hash {
    let length = name.len() as u64;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(name.as_bytes());
    // In one piece, so that many of its blocks are hashed at a time.
    hasher.update(body);
    hasher.finalize()
}

/// The body of a file, if its digest is right for a file of this name. To find that out is a good
/// part of what a start takes, which is why it is not the SHA-256 by which a component is known.
fn verified<'a>(name: &str, content: &'a [u8]) -> Option<&'a [u8]> {
    let (digest, body) = content.split_first_chunk::<DIGEST>()?;
    (hash(name, body) == *digest).then_some(body)
}

#[expect(
    unsafe_code,
    reason = "the bytes were verified, and come from a directory that only this user can write to"
)]
fn deserialize(engine: &Engine, body: &[u8]) -> Option<Component> {
    // What is no component of this runtime's version and settings is refused before its code is
    // looked at; a module or other ELF file as well.
    if Engine::detect_precompiled(body) != Some(wasmtime::Precompiled::Component) {
        return None;
    }
    // SAFETY: `Component::deserialize` needs bytes that `Component::serialize` gave. The digest in
    // front of them was right for them and for the name that this component and this engine have,
    // so they are as whole as when they were written, and were written for both. Their file and its
    // directory belong to this user, and the directory is open to nobody else, so nobody but this
    // user could write them; whoever acts as this user needs no cache to run code here.
    unsafe { Component::deserialize(engine, body) }.ok()
}

/// Hashes what wasmtime says makes compiled code compatible. Unlike the standard hasher it is the
/// same in every version of the standard library.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache in a new directory that holds the smallest component, as that of the digest `one`.
    fn filled(engine: &Engine) -> (tempfile::TempDir, Cache) {
        let root = tempfile::tempdir().expect("a directory");
        let cache = Cache::new(root.path().join("cache"), engine);
        let bytes = wat::parse_str("(component)").expect("a component");
        let component = Component::new(engine, bytes).expect("it compiles");
        cache.write(&component, "one");
        (root, cache)
    }

    #[test]
    fn a_file_is_loaded_under_the_name_that_it_was_written_for_alone() {
        let engine = Engine::default();
        let (_root, cache) = filled(&engine);
        assert!(cache.read(&engine, "one").is_some());
        let path = |digest| cache.directory.join(cache.name(digest));
        fs::copy(path("one"), path("other")).expect("copy");
        assert!(cache.read(&engine, "other").is_none());
    }

    #[test]
    fn the_end_of_a_name_is_no_beginning_of_a_body() {
        assert_ne!(hash("ab", b"c"), hash("a", b"bc"));
        assert_ne!(hash("", b"a"), hash("a", b""));
    }

    /// A user who runs no tests.
    #[cfg(unix)]
    const OTHER: Option<u32> = Some(12_345);

    /// Whether this user may give files away.
    #[cfg(unix)]
    fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    #[cfg(unix)]
    #[test]
    fn what_belongs_to_another_user_is_not_this_user_s_own() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let about = |path: &Path| fs::metadata(path).expect("metadata");
        assert!(is_own(&about(file.path())));
        // Root, who may own everything here, gives the file away instead.
        if is_root() {
            std::os::unix::fs::chown(file.path(), OTHER, None).expect("chown");
            assert!(!is_own(&about(file.path())));
        } else {
            assert!(!is_own(&about(Path::new("/"))));
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_belongs_to_another_user_is_not_loaded() {
        use std::os::unix::fs::chown;
        // Only root can give files away; for others the test of what is their own has to do.
        if !is_root() {
            return;
        }
        let engine = Engine::default();
        let (_root, cache) = filled(&engine);
        let file = cache.directory.join(cache.name("one"));
        for path in [&file, &cache.directory] {
            assert!(cache.read(&engine, "one").is_some());
            chown(path, OTHER, None).expect("chown");
            assert!(cache.read(&engine, "one").is_none(), "{}", path.display());
            chown(path, Some(0), None).expect("chown");
        }
        assert!(cache.read(&engine, "one").is_some());
    }
}
