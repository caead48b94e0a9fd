//! Files on their way in: written under a hidden name, published by one rename.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, OpenOptions};
use object_store::path::Path;
use object_store::{PutPayload, PutResult};

use super::error::NodelocalError;
use super::tree::{Place, STAGING_PREFIX, entity_tag, obstacle, sync_directory};

/// A file with a hidden name in the directory where the object will be.
///
/// Dropping it removes the file. While it lives it holds a lock on the file, by which
/// [`is_abandoned`] tells it from what a killed process left behind.
#[derive(Debug)]
pub(super) struct Staged {
    place: Place,
    hidden: String,
    file: Option<File>,
    location: Path,
}

/// What happens to an object of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Replace,
    Refuse,
}

impl Staged {
    /// Creates the hidden file for the object at `place`.
    pub(super) fn create(place: Place, location: &Path) -> Result<Self, NodelocalError> {
        place.check_writable(location)?;
        let hidden = format!("{STAGING_PREFIX}{}", uuid::Uuid::new_v4().simple());
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        let file = place
            .dir
            .open_with(&hidden, &options)
            .map_err(|source| NodelocalError::io("write", location, source))?
            .into_std();
        // A file system without locks costs no more than a `doctor` that cannot tell.
        let _ = file.try_lock();
        Ok(Self {
            place,
            hidden,
            file: Some(file),
            location: location.clone(),
        })
    }

    /// The open file.
    pub(super) fn file(&self) -> Result<&File, NodelocalError> {
        self.file
            .as_ref()
            .ok_or_else(|| NodelocalError::UploadOver {
                path: self.location.to_string(),
            })
    }

    /// Appends the payload.
    pub(super) fn write(&self, payload: &PutPayload) -> Result<(), NodelocalError> {
        let mut file = self.file()?;
        payload
            .iter()
            .try_for_each(|bytes| file.write_all(bytes))
            .map_err(|source| self.error("write", source))
    }

    /// Makes the content durable and gives the file its name, in one step that others see.
    pub(super) fn publish(mut self, existing: Existing) -> Result<PutResult, NodelocalError> {
        let file = self.file()?;
        file.sync_all()
            .map_err(|source| self.error("write", source))?;
        let metadata = cap_std::fs::Metadata::from_file(file)
            .map_err(|source| self.error("examine", source))?;
        let Place { dir, name } = &self.place;
        let published = match existing {
            Existing::Replace => dir.rename(&self.hidden, dir, name),
            // A rename would replace; a second name for the file is refused where one exists.
            Existing::Refuse => dir.hard_link(&self.hidden, dir, name),
        };
        published.map_err(|source| obstacle(dir, name, "write", &self.location, source))?;
        if existing == Existing::Replace {
            // The hidden name is gone, so there is nothing left to remove.
            self.file = None;
        } else {
            self.remove();
        }
        sync_directory(&self.place.dir).map_err(|source| self.error("write", source))?;
        Ok(PutResult {
            e_tag: Some(entity_tag(&metadata)),
            version: None,
            extensions: object_store::Extensions::default(),
        })
    }

    pub(super) fn error(&self, action: &'static str, source: io::Error) -> NodelocalError {
        NodelocalError::io(action, &self.location, source)
    }

    fn remove(&mut self) {
        if self.file.take().is_some() {
            // What cannot be removed is named by `UnfinishedUploads::unfinished_uploads`.
            let _ = self.place.dir.remove_file(&self.hidden);
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether nobody writes the hidden file any more: its writer would hold a lock on it.
pub(super) fn is_abandoned(dir: &Dir, name: &str) -> io::Result<bool> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    let file = match dir.open_with(name, &options) {
        Ok(file) => file.into_std(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(file.try_lock_shared().is_ok())
}
