//! Writing, copying, renaming and deleting objects.

use std::io::ErrorKind;

use object_store::path::Path;
use object_store::{PutPayload, PutResult, Result};

use super::error::NodelocalError;
use super::staged::{Existing, Staged};
use super::tree::{Tree, obstacle, sync_directory};

/// Writes an object whole.
pub(super) fn put(
    tree: &Tree,
    location: &Path,
    payload: &PutPayload,
    existing: Existing,
) -> Result<PutResult, NodelocalError> {
    let staged = Staged::create(tree.place_to_write(location)?, location)?;
    staged.write(payload)?;
    staged.publish(existing)
}

/// Copies the content of an object into a new file, so that the two share nothing afterwards.
pub(super) fn copy(tree: &Tree, from: &Path, to: &Path, existing: Existing) -> Result<()> {
    let reading = |error: NodelocalError| error.for_reader(from);
    let (source, _) = tree
        .place(from)
        .and_then(|place| place.open(from))
        .map_err(reading)?;
    let mut source = source.into_std();
    let staged = Staged::create(tree.place_to_write(to)?, to)?;
    let mut target = staged.file()?;
    // Between two files the standard library lets the system copy, or share the blocks.
    std::io::copy(&mut source, &mut target).map_err(|source| staged.error("copy to", source))?;
    staged.publish(existing)?;
    Ok(())
}

/// Gives an object another name.
pub(super) fn rename(tree: &Tree, from: &Path, to: &Path, existing: Existing) -> Result<()> {
    let reading = |error: NodelocalError| error.for_reader(from);
    let old = tree.place(from).map_err(reading)?;
    old.examine(from).map_err(reading)?;
    let new = tree.place_to_write(to)?;
    new.check_writable(to)?;
    let renamed = match existing {
        Existing::Replace => old.dir.rename(&old.name, &new.dir, &new.name),
        Existing::Refuse => old
            .dir
            .hard_link(&old.name, &new.dir, &new.name)
            .and_then(|()| old.dir.remove_file(&old.name)),
    };
    match renamed {
        Ok(()) => {
            for dir in [&new.dir, &old.dir] {
                sync_directory(dir).map_err(|error| NodelocalError::io("write", to, error))?;
            }
            Ok(())
        }
        // Something is mounted on a directory between the two.
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            copy(tree, from, to, existing)?;
            delete(tree, from)
        }
        // The old name went away between the look and the rename.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(NodelocalError::missing(from).into())
        }
        Err(error) => Err(obstacle(&new.dir, &new.name, "rename to", to, error).into()),
    }
}

/// Removes an object. Directories stay: they may be the administrator's.
pub(super) fn delete(tree: &Tree, location: &Path) -> Result<()> {
    let reading = |error: NodelocalError| error.for_reader(location);
    let place = tree.place(location).map_err(reading)?;
    place.examine(location).map_err(reading)?;
    place
        .dir
        .remove_file(&place.name)
        .map_err(|error| obstacle(&place.dir, &place.name, "delete", location, error))
        .map_err(reading)?;
    sync_directory(&place.dir).map_err(|error| NodelocalError::io("delete", location, error))?;
    Ok(())
}
