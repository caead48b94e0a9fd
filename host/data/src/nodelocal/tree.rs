//! The tree below the root: how a path becomes an open directory and a name in it.
//!
//! Every step opens one segment relative to the directory before it and follows no symbolic link,
//! so that nothing which is swapped meanwhile leads outside, and no text is ever joined to a path
//! of the host.

use std::io::{self, ErrorKind};

use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use object_store::ObjectMeta;
use object_store::path::Path;

use super::error::{MAX_SEGMENT_BYTES, NameFault, NodelocalError};

/// How the names of unfinished uploads begin. They are never listed and cannot be addressed.
pub(super) const STAGING_PREFIX: &str = ".portolan-upload-";

/// The root directory, by its open handle.
#[derive(Debug)]
pub(super) struct Tree {
    root: Dir,
}

/// An object's directory and its name there.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) dir: Dir,
    pub(super) name: String,
}

/// Whether `name` can be a segment of an object's path.
pub(crate) fn check_name(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        Err(NameFault::Empty)
    } else if name == "." || name == ".." {
        Err(NameFault::Dots)
    } else if name.contains(|c: char| c.is_ascii_control() || c == '\\' || c == '/') {
        Err(NameFault::Character)
    } else if name.len() > MAX_SEGMENT_BYTES {
        Err(NameFault::TooLong)
    } else if name.starts_with(STAGING_PREFIX) {
        Err(NameFault::Reserved)
    } else {
        Ok(())
    }
}

/// The segments of a path, each fit to be a file's name.
pub(super) fn segments(location: &Path) -> Result<Vec<String>, NodelocalError> {
    location
        .parts()
        .map(|part| {
            let name = part.as_ref();
            check_name(name).map_err(|fault| NodelocalError::BadName {
                path: location.to_string(),
                fault,
            })?;
            Ok(name.to_owned())
        })
        .collect()
}

impl Tree {
    pub(super) fn new(root: Dir) -> Self {
        Self { root }
    }

    /// Opens the directory at `location`; the root for the empty path.
    pub(super) fn directory(&self, location: &Path) -> Result<Dir, NodelocalError> {
        self.walk(&segments(location)?, Missing::Fail)
    }

    /// The directory and the name of an existing object.
    pub(super) fn place(&self, location: &Path) -> Result<Place, NodelocalError> {
        self.place_with(location, Missing::Fail)
    }

    /// The directory, made where it does not exist, and the name of an object to write.
    pub(super) fn place_to_write(&self, location: &Path) -> Result<Place, NodelocalError> {
        self.place_with(location, Missing::Create)
    }

    fn place_with(&self, location: &Path, missing: Missing) -> Result<Place, NodelocalError> {
        let mut segments = segments(location)?;
        let name = segments.pop().ok_or(NodelocalError::NoName)?;
        let dir = self.walk(&segments, missing)?;
        Ok(Place { dir, name })
    }

    fn walk(&self, segments: &[String], missing: Missing) -> Result<Dir, NodelocalError> {
        let mut dir = self
            .root
            .try_clone()
            .map_err(|source| NodelocalError::io("open", &Path::default(), source))?;
        for (index, name) in segments.iter().enumerate() {
            let here = || segments[..=index].iter().map(String::as_str).collect();
            let opened = match dir.open_dir_nofollow(name) {
                Err(error) if missing == Missing::Create && error.kind() == ErrorKind::NotFound => {
                    make_directory(&dir, name)
                        .map_err(|source| NodelocalError::io("make", &here(), source))?;
                    dir.open_dir_nofollow(name)
                }
                other => other,
            };
            dir = opened.map_err(|source| obstacle(&dir, name, "open", &here(), source))?;
        }
        Ok(dir)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Fail,
    Create,
}

/// Makes a directory that is there for good; one that another made meanwhile serves as well.
fn make_directory(parent: &Dir, name: &str) -> io::Result<()> {
    match parent.create_dir(name) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_directory(parent),
    }
}

/// Makes changes of a directory's entries durable.
pub(super) fn sync_directory(dir: &Dir) -> io::Result<()> {
    // The handle itself may be one that cannot be read (`O_PATH`), so it is opened once more.
    dir.open(".")?.sync_all()
}

/// Says what stands in the way at `name`, after a call there has failed with `source`.
///
/// The cause is read from the tree and not from the error, whose kind differs between systems;
/// where the tree shows no cause, the error itself stays.
pub(super) fn obstacle(
    dir: &Dir,
    name: &str,
    action: &'static str,
    location: &Path,
    source: io::Error,
) -> NodelocalError {
    if matches!(
        source.kind(),
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
    ) {
        return NodelocalError::io(action, location, source);
    }
    let path = location.to_string();
    match dir.symlink_metadata(name) {
        Ok(metadata) if metadata.is_symlink() => NodelocalError::IsLink { path },
        Ok(metadata) if metadata.is_dir() => NodelocalError::IsDirectory { path },
        Ok(metadata) if metadata.is_file() && source.kind() == ErrorKind::NotADirectory => {
            NodelocalError::IsObject { path }
        }
        Ok(metadata) if !metadata.is_file() => NodelocalError::IsSpecial { path },
        _ => NodelocalError::io(action, location, source),
    }
}

impl Place {
    /// Opens the object for reading; only a regular file is one.
    pub(super) fn open(&self, location: &Path) -> Result<(File, Metadata), NodelocalError> {
        let mut options = OpenOptions::new();
        // Without `nonblock` the open of a named pipe would wait for its writer.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = self
            .dir
            .open_with(&self.name, &options)
            .map_err(|source| obstacle(&self.dir, &self.name, "open", location, source))?;
        let metadata = file
            .metadata()
            .map_err(|source| NodelocalError::io("examine", location, source))?;
        check_regular(&metadata, location)?;
        Ok((file, metadata))
    }

    /// The metadata of the object, which must be a regular file.
    pub(super) fn examine(&self, location: &Path) -> Result<Metadata, NodelocalError> {
        let metadata = self
            .dir
            .symlink_metadata(&self.name)
            .map_err(|source| NodelocalError::io("examine", location, source))?;
        check_regular(&metadata, location)?;
        Ok(metadata)
    }

    /// Refuses a place where something other than an object is already: a write there would
    /// replace a link, or fail in words of the system.
    pub(super) fn check_writable(&self, location: &Path) -> Result<(), NodelocalError> {
        match self.examine(location) {
            Ok(_) | Err(NodelocalError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn check_regular(metadata: &Metadata, location: &Path) -> Result<(), NodelocalError> {
    let path = || location.to_string();
    if metadata.is_file() {
        Ok(())
    } else if metadata.is_dir() {
        Err(NodelocalError::IsDirectory { path: path() })
    } else if metadata.is_symlink() {
        Err(NodelocalError::IsLink { path: path() })
    } else {
        Err(NodelocalError::IsSpecial { path: path() })
    }
}

/// An object's entity tag: inode, modification time in microseconds and size, in hexadecimal.
pub(super) fn entity_tag(metadata: &Metadata) -> String {
    let modified = modified(metadata)
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros();
    format!("\"{:x}-{modified:x}-{:x}\"", metadata.ino(), metadata.len())
}

/// What `head` and the lists say of an object.
pub(super) fn object_meta(metadata: &Metadata, location: Path) -> ObjectMeta {
    ObjectMeta {
        location,
        last_modified: modified(metadata).into(),
        size: metadata.len(),
        e_tag: Some(entity_tag(metadata)),
        version: None,
    }
}

pub(super) fn modified(metadata: &Metadata) -> std::time::SystemTime {
    metadata
        .modified()
        .map_or(std::time::UNIX_EPOCH, |time| time.into_std())
}
