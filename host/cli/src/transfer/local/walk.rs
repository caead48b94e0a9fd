//! Every file below a directory, in the order of the names. No symbolic link is followed: each is
//! named and left out, as devices, sockets and pipes are.

use std::io::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};
use futures::stream::{self, Stream};
use tokio::sync::mpsc::{self, Sender};

use super::failed;
use crate::report::Failure;

/// How many files the walk may be ahead of who uses them.
const AHEAD: usize = 64;

/// A directory that is read, by its open handle: nothing outside of it can be reached.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct Tree {
    dir: Arc<Dir>,
    shown: PathBuf,
}

/// Something below a directory.
#[derive(Debug)]
pub(in crate::transfer) enum Local {
    /// A regular file: its path below the directory, and its size.
    File(PathBuf, u64),
    /// What cannot be an object, and why.
    Skipped(PathBuf, anyhow::Error),
    /// What could not be looked at, and why.
    Failed(PathBuf, anyhow::Error),
}

/// Nobody reads the walk any more.
struct Unread;

impl Tree {
    /// Opens a directory that the user named.
    pub(in crate::transfer) fn open(root: &Path) -> Result<Self> {
        let dir = Dir::open_ambient_dir(root, ambient_authority())
            .map_err(|error| failed("read", &root.display().to_string(), &error))?;
        Ok(Self {
            dir: Arc::new(dir),
            shown: root.to_owned(),
        })
    }

    /// A path below the directory as the user would write it.
    pub(in crate::transfer) fn shown(&self, relative: &Path) -> String {
        self.shown.join(relative).display().to_string()
    }

    /// Opens a file of the walk, which must still be one, and gives its size. This blocks.
    pub(in crate::transfer) fn file(&self, relative: &Path) -> Result<(std::fs::File, u64)> {
        let reading = |error: Error| failed("read", &self.shown(relative), &error);
        let mut options = OpenOptions::new();
        // Without `nonblock` the open of a named pipe would wait for its writer.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = self.dir.open_with(relative, &options).map_err(reading)?;
        let metadata = file.metadata().map_err(reading)?;
        if !metadata.is_file() {
            return Err(self.special(relative, "is no regular file"));
        }
        Ok((file.into_std(), metadata.len()))
    }

    /// Walks the tree on a thread of its own, no further ahead than it is read.
    pub(in crate::transfer) fn walk(&self) -> impl Stream<Item = Local> + Send + use<> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let tree = self.clone();
        tokio::task::spawn_blocking(move || tree.below(&tree.dir, Path::new(""), &sender).ok());
        stream::unfold(receiver, async |mut receiver| {
            Some((receiver.recv().await?, receiver))
        })
    }

    fn below(&self, dir: &Dir, here: &Path, sender: &Sender<Local>) -> Result<(), Unread> {
        let send = |local| sender.blocking_send(local).map_err(|_| Unread);
        let unlisted = |path: &Path, error: Error| {
            let error = failed("list", &self.shown(path), &error);
            Local::Failed(path.to_owned(), error)
        };
        let entries = match entries(dir) {
            Ok(entries) => entries,
            Err(error) => return send(unlisted(here, error)),
        };
        for (name, kind) in entries {
            let path = here.join(&name);
            if kind.is_dir() {
                match dir.open_dir_nofollow(&name) {
                    Ok(dir) => self.below(&dir, &path, sender)?,
                    Err(error) => send(unlisted(&path, error))?,
                }
            } else if kind.is_file() {
                // One that has gone meanwhile is told when it is opened.
                let size = dir
                    .symlink_metadata(&name)
                    .map_or(0, |metadata| metadata.len());
                send(Local::File(path, size))?;
            } else {
                let what = if kind.is_symlink() {
                    "is a symbolic link, and none is followed"
                } else {
                    "is no regular file"
                };
                let error = self.special(&path, what);
                send(Local::Skipped(path, error))?;
            }
        }
        Ok(())
    }

    fn special(&self, relative: &Path, what: &str) -> anyhow::Error {
        Failure::new("22023", format!("{} {what}", self.shown(relative)))
            .hint("give what it leads to by its own name, if it is meant")
            .into()
    }
}

fn entries(dir: &Dir) -> std::io::Result<Vec<(std::ffi::OsString, FileType)>> {
    let mut entries = dir
        .entries()?
        .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))))
        .collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn files_come_in_order_and_what_is_no_file_is_named() {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(root.path().join("b/c")).expect("made");
        std::fs::create_dir(root.path().join("empty")).expect("made");
        for name in ["b/c/2", "b/1", "a"] {
            std::fs::write(root.path().join(name), name).expect("written");
        }
        std::os::unix::fs::symlink("/etc", root.path().join("b/link")).expect("linked");
        let tree = Tree::open(root.path()).expect("opened");
        let found: Vec<String> = tree
            .walk()
            .map(|local| match local {
                Local::File(path, size) => format!("{} {size}", path.display()),
                Local::Skipped(path, _) => format!("{} skipped", path.display()),
                Local::Failed(path, _) => format!("{} failed", path.display()),
            })
            .collect()
            .await;
        assert_eq!(found, ["a 1", "b/1 3", "b/c/2 5", "b/link skipped"]);
    }

    #[test]
    fn what_became_a_link_meanwhile_is_not_followed() {
        let root = tempfile::tempdir().expect("a directory");
        let tree = Tree::open(root.path()).expect("opened");
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("link")).expect("linked");
        std::os::unix::fs::symlink("/etc", root.path().join("dir")).expect("linked");
        for path in ["link", "dir/passwd", "../x"] {
            assert!(tree.file(Path::new(path)).is_err(), "{path}");
        }
    }
}
