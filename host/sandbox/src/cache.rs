//! Compiled components on disk.
//!
//! A file is the BLAKE3 hash of its body, and the body. It is read as a whole, verified, and only then
//! given to the runtime from the very bytes that were verified; nothing is mapped. Whoever may write
//! to the directory, which is the host's own user alone, may run code here: the digest is against
//! damage, not against that user. A file that is damaged, or was made by another compiler or
//! with other settings, is made anew.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
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

    fn path(&self, digest: &str) -> PathBuf {
        self.directory
            .join(format!("{digest}-{}.cwasm", self.compatibility))
    }

    /// The compiled component, if the cache has a whole one for this engine.
    pub(crate) fn read(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let file = match fs::read(self.path(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(%error, "a compiled component cannot be read and is made anew");
                return None;
            }
        };
        let compiled = self
            .is_private()
            .then(|| verified(&file))
            .flatten()
            .and_then(|body| deserialize(engine, body));
        if compiled.is_none() {
            metrics::cache_rejected();
            tracing::warn!(
                "a compiled component in the cache is damaged or foreign and is made anew"
            );
        }
        compiled
    }

    /// Keeps a compiled component. A cache that cannot be written costs time, nothing else.
    pub(crate) fn write(&self, component: &Component, digest: &str) {
        let written = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|body| self.write_file(&self.path(digest), &body));
        if let Err(error) = written {
            tracing::warn!(%error, "a compiled component cannot be kept in the cache");
        }
    }

    fn write_file(&self, path: &Path, body: &[u8]) -> io::Result<()> {
        make_directory(&self.directory)?;
        if !self.is_private() {
            return Err(io::Error::other(
                "the directory of the cache is open to other users; chmod it to 0700",
            ));
        }
        let temporary = self.temporary();
        let result = write_new(&temporary, body).and_then(|()| fs::rename(&temporary, path));
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
            .is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
    }

    #[cfg(not(unix))]
    fn is_private(&self) -> bool {
        true
    }
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn write_new(path: &Path, body: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(blake3::hash(body).as_bytes())?;
    file.write_all(body)
}

/// The body of a file, if its digest is right. To find that out is a good part of what a start takes,
/// which is why it is not the SHA-256 by which a component is known.
fn verified(file: &[u8]) -> Option<&[u8]> {
    let (digest, body) = file.split_first_chunk::<DIGEST>()?;
    (blake3::hash(body) == *digest).then_some(body)
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
    // front of them was right, so they are as whole as when they were written, and nobody but this
    // user could write them.
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
