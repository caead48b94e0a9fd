//! Listing: every object below a prefix, in the order of its path.

use std::collections::VecDeque;
use std::sync::Arc;

use cap_std::fs::{Dir, FileType};
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, Result};

use super::error::NodelocalError;
use super::staged;
use super::task;
use super::tree::{STAGING_PREFIX, Tree, check_name, modified, object_meta};
use crate::{Fate, Unfinished, UnfinishedUpload};

/// How many objects one blocking call collects.
const BATCH: usize = 1024;

/// An entry of a directory that can be an object or lead to some.
#[derive(Debug)]
struct Entry {
    name: String,
    directory: bool,
}

impl Entry {
    /// The order of the paths below it: a directory's paths go on with a `/`.
    fn key(&self) -> impl Iterator<Item = u8> + '_ {
        self.name.bytes().chain(self.directory.then_some(b'/'))
    }
}

/// The entries of a directory in the order of their paths, last first. Links, devices and names
/// that no path can have are passed over, and unfinished uploads as well.
fn entries(dir: &Dir, location: &Path) -> Result<Vec<Entry>, NodelocalError> {
    let failed = |source| NodelocalError::io("list", location, source);
    let mut found = Vec::new();
    for entry in dir.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if check_name(&name).is_err() {
            continue;
        }
        let kind = match entry.file_type() {
            Ok(kind) if is_known(kind) => kind,
            // Some file systems do not tell the type with the name.
            _ => match dir.symlink_metadata(&name) {
                Ok(metadata) => metadata.file_type(),
                Err(_) => continue,
            },
        };
        if kind.is_file() || kind.is_dir() {
            found.push(Entry {
                name,
                directory: kind.is_dir(),
            });
        }
    }
    found.sort_unstable_by(|a, b| b.key().cmp(a.key()));
    Ok(found)
}

fn is_known(kind: FileType) -> bool {
    kind.is_file() || kind.is_dir() || kind.is_symlink()
}

/// Opens a directory to list it; what does not exist, or is an object, has nothing below it.
fn open(tree: &Tree, location: &Path) -> Result<Option<Dir>, NodelocalError> {
    match tree.directory(location) {
        Ok(dir) => Ok(Some(dir)),
        Err(NodelocalError::Missing { .. } | NodelocalError::IsObject { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The walk over a tree, depth first. It keeps the names of the directories on the way to where
/// it is, and one open handle, however deep the tree.
#[derive(Debug)]
struct Walk {
    tree: Arc<Tree>,
    offset: Option<Path>,
    levels: Vec<Level>,
    /// The handle of the last level, where it is open.
    dir: Option<Dir>,
}

#[derive(Debug)]
struct Level {
    location: Path,
    left: Vec<Entry>,
}

impl Walk {
    fn next(&mut self) -> Result<Option<ObjectMeta>, NodelocalError> {
        loop {
            let Some(level) = self.levels.last_mut() else {
                return Ok(None);
            };
            let Some(entry) = level.left.pop() else {
                self.levels.pop();
                self.dir = None;
                continue;
            };
            let location = child(&level.location, &entry.name);
            if entry.directory {
                if !self.is_behind(&location) {
                    self.enter(location)?;
                }
                continue;
            }
            if self
                .offset
                .as_ref()
                .is_some_and(|offset| location <= *offset)
            {
                continue;
            }
            if self.dir.is_none() {
                self.dir = open(&self.tree, &level.location)?;
            }
            let Some(dir) = &self.dir else {
                // The directory is gone, and with it the rest of its entries.
                level.left.clear();
                continue;
            };
            match dir.symlink_metadata(&entry.name) {
                Ok(metadata) if metadata.is_file() => {
                    return Ok(Some(object_meta(&metadata, location)));
                }
                // It was removed, or became something else, since its name was read.
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(NodelocalError::io("examine", &location, source)),
            }
        }
    }

    /// Goes down into a directory; one that became a link or a file meanwhile is passed over.
    fn enter(&mut self, location: Path) -> Result<(), NodelocalError> {
        let dir = match open(&self.tree, &location) {
            Ok(Some(dir)) => dir,
            Ok(None) | Err(NodelocalError::IsLink { .. } | NodelocalError::IsSpecial { .. }) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let left = entries(&dir, &location)?;
        self.levels.push(Level { location, left });
        self.dir = Some(dir);
        Ok(())
    }

    /// Whether everything below a directory comes before the offset.
    fn is_behind(&self, directory: &Path) -> bool {
        self.offset.as_ref().is_some_and(|offset| {
            let below = format!("{directory}/");
            let offset = offset.as_ref();
            offset > below.as_str() && !offset.starts_with(&below)
        })
    }
}

/// The path of a name in a directory. The name was checked, so that it is one segment.
fn child(directory: &Path, name: &str) -> Path {
    let text = if directory.as_ref().is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    };
    // The names are taken as they are on the disk, never encoded.
    Path::parse(&text).unwrap_or_default()
}

/// Every object below `prefix` and after `offset`, in the order of the paths.
pub(super) fn list(
    tree: Arc<Tree>,
    prefix: Path,
    offset: Option<Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let start = move || {
        let mut walk = Walk {
            tree,
            offset,
            levels: Vec::new(),
            dir: None,
        };
        if let Some(dir) = open(&walk.tree, &prefix)? {
            let left = entries(&dir, &prefix)?;
            walk.levels.push(Level {
                location: prefix,
                left,
            });
            walk.dir = Some(dir);
        }
        Ok(walk)
    };
    stream::once(async move { task::start(start).await })
        .map(|walk| match walk {
            Ok(walk) => batches(walk),
            Err(error) => stream::iter([Err(error)]).boxed(),
        })
        .flatten()
        .boxed()
}

fn batches(walk: Walk) -> BoxStream<'static, Result<ObjectMeta>> {
    let empty = VecDeque::new();
    stream::try_unfold((Some(walk), empty), async |(mut walk, mut ready)| {
        if ready.is_empty()
            && let Some(mut current) = walk.take()
        {
            (walk, ready) = task::start(move || {
                let mut found = VecDeque::with_capacity(BATCH);
                while found.len() < BATCH {
                    match current.next()? {
                        Some(meta) => found.push_back(meta),
                        None => return Ok((None, found)),
                    }
                }
                Ok((Some(current), found))
            })
            .await?;
        }
        Ok(ready.pop_front().map(|meta| (meta, (walk, ready))))
    })
    .boxed()
}

/// The objects of one directory, and the directories in it.
pub(super) fn list_with_delimiter(tree: &Tree, prefix: &Path) -> Result<ListResult> {
    let mut result = ListResult {
        common_prefixes: Vec::new(),
        objects: Vec::new(),
        extensions: object_store::Extensions::default(),
    };
    let Some(dir) = open(tree, prefix)? else {
        return Ok(result);
    };
    for entry in entries(&dir, prefix)?.into_iter().rev() {
        let location = child(prefix, &entry.name);
        if entry.directory {
            result.common_prefixes.push(location);
        } else if let Ok(metadata) = dir.symlink_metadata(&entry.name)
            && metadata.is_file()
        {
            result.objects.push(object_meta(&metadata, location));
        }
    }
    Ok(result)
}

/// The unfinished uploads below `prefix` that nobody writes any more.
pub(super) fn abandoned(tree: &Tree, prefix: &Path) -> Result<Unfinished, NodelocalError> {
    let mut abandoned = Vec::new();
    let mut todo = vec![prefix.clone()];
    while let Some(location) = todo.pop() {
        let Some(dir) = open(tree, &location)? else {
            continue;
        };
        let failed = |source| NodelocalError::io("list", &location, source);
        for entry in dir.entries().map_err(failed)? {
            let Ok(name) = entry.map_err(failed)?.file_name().into_string() else {
                continue;
            };
            if name.starts_with(STAGING_PREFIX)
                && let Ok(metadata) = dir.symlink_metadata(&name)
                && metadata.is_file()
                && staged::is_abandoned(&dir, &name).map_err(failed)?
            {
                abandoned.push(UnfinishedUpload {
                    path: child(&location, &name).to_string(),
                    size: Some(metadata.len()),
                    since: Some(modified(&metadata)),
                    id: None,
                });
            }
        }
        todo.extend(
            entries(&dir, &location)?
                .into_iter()
                .filter(|entry| entry.directory)
                .map(|entry| child(&location, &entry.name)),
        );
    }
    abandoned.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(Unfinished {
        uploads: abandoned,
        complete: true,
        fate: Fate::Stay,
    })
}
