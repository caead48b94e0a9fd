//! Files that are written below a directory, each beside its name and then renamed.
//!
//! The directory is held by its open handle, and every name is resolved from there: neither a name
//! that a store gives nor a symbolic link that lies below leads out of it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use super::failed;
use crate::report::Failure;

/// How the names of files begin that are not complete yet.
const UNFINISHED: &str = ".portolan-";

/// A directory that is written.
#[derive(Debug, Clone)]
pub(in crate::transfer) struct TargetDirectory {
    /// Absent where it would have to be made, and nothing is to be done.
    dir: Option<Arc<Dir>>,
    shown: PathBuf,
}

/// What is at a name already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transfer) enum Standing {
    Nothing,
    File,
}

impl TargetDirectory {
    /// A directory that is there.
    pub(in crate::transfer) fn existing(path: &Path) -> Result<Self> {
        let dir =
            Dir::open_ambient_dir(here_if_empty(path), ambient_authority()).map_err(|error| {
                failed(
                    "write in",
                    &here_if_empty(path).display().to_string(),
                    &error,
                )
            })?;
        Ok(Self {
            dir: Some(Arc::new(dir)),
            shown: path.to_owned(),
        })
    }

    /// A directory that is made where it is missing.
    pub(in crate::transfer) fn made(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(here_if_empty(path))
            .map_err(|error| failed("make", &path.display().to_string(), &error))?;
        Self::existing(path)
    }

    /// A directory that would be made where it is missing.
    pub(in crate::transfer) fn imagined(path: &Path) -> Result<Self> {
        match std::fs::symlink_metadata(here_if_empty(path)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self {
                dir: None,
                shown: path.to_owned(),
            }),
            _ => Self::existing(path),
        }
    }

    /// A path below the directory as the user would write it.
    pub(in crate::transfer) fn shown(&self, relative: &Path) -> String {
        self.shown.join(relative).display().to_string()
    }

    /// What is at a path already; an error where a file cannot be written there.
    pub(in crate::transfer) fn standing(&self, relative: &Path, object: &str) -> Result<Standing> {
        let Some(dir) = &self.dir else {
            return Ok(Standing::Nothing);
        };
        match dir.symlink_metadata(relative) {
            Ok(metadata) if metadata.is_dir() => Err(self.both(relative, object)),
            Ok(metadata) if metadata.is_file() => Ok(Standing::File),
            Ok(_) if self.is_special(relative) => Err(Failure::new(
                "42809",
                format!(
                    "{} is no file but a device, a pipe or a socket",
                    self.shown(relative)
                ),
            )
            .hint(
                "a file takes the place of what has its name; to write into this, use portolan cat",
            )
            .into()),
            Ok(_) => Ok(Standing::File),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Standing::Nothing),
            Err(error) => Err(self.obstacle(relative, object, &error)),
        }
    }

    /// Whether a path is, or leads to, what is neither a file nor a directory: `/dev/null` would be
    /// gone for every program if a file took its place.
    fn is_special(&self, relative: &Path) -> bool {
        let metadata = std::fs::metadata(self.shown.join(relative));
        metadata.is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
    }

    /// Begins a file that is not visible yet. This blocks.
    pub(in crate::transfer) fn begin(&self, relative: &Path, object: &str) -> Result<Unfinished> {
        let obstacle = |error: Error| self.obstacle(relative, object, &error);
        let missing = || obstacle(ErrorKind::NotFound.into());
        let dir = self.dir.as_ref().ok_or_else(missing)?;
        let name = relative.file_name().ok_or_else(missing)?.to_owned();
        let parent = match relative.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => {
                dir.create_dir_all(parent).map_err(obstacle)?;
                dir.open_dir(parent).map_err(obstacle)?
            }
            _ => dir.try_clone().map_err(obstacle)?,
        };
        let hidden = OsString::from(format!("{UNFINISHED}{}", uuid::Uuid::new_v4().simple()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let file = parent.open_with(&hidden, &options).map_err(obstacle)?;
        Ok(Unfinished {
            file: Arc::new(file.into_std()),
            published: false,
            parent,
            hidden,
            name,
            target: self.clone(),
            relative: relative.to_owned(),
            object: object.to_owned(),
        })
    }

    fn both(&self, relative: &Path, object: &str) -> anyhow::Error {
        Failure::new(
            "22023",
            format!(
                "{object} cannot be the file {}: a file and a directory want one name",
                self.shown(relative)
            ),
        )
        .hint("give the object another name, or get it into a directory of its own")
        .into()
    }

    fn obstacle(&self, relative: &Path, object: &str, error: &Error) -> anyhow::Error {
        match error.kind() {
            ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::AlreadyExists => {
                self.both(relative, object)
            }
            // Not a word of the system, but of the fence around the directory.
            ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Failure::new(
                "22023",
                format!("{object} leads out of {}", self.shown.display()),
            )
            .hint("a symbolic link below the directory leads elsewhere; remove it, or get the object by its own URL")
            .into(),
            _ => failed("write", &self.shown(relative), error),
        }
    }
}

fn here_if_empty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

/// A file on its way, which is removed unless it is published.
#[derive(Debug)]
pub(in crate::transfer) struct Unfinished {
    file: Arc<File>,
    published: bool,
    parent: Dir,
    hidden: OsString,
    name: OsString,
    target: TargetDirectory,
    relative: PathBuf,
    object: String,
}

impl Unfinished {
    /// The file to write.
    pub(in crate::transfer) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Gives the file its name, and replaces what had it unless it is to be kept; whether the file
    /// is there now. This blocks.
    pub(in crate::transfer) fn publish(mut self, keep: bool) -> Result<bool> {
        let published = if keep {
            // A rename would replace; a second name for the file is refused where one exists.
            self.parent
                .hard_link(&self.hidden, &self.parent, &self.name)
        } else {
            self.parent.rename(&self.hidden, &self.parent, &self.name)
        };
        match published {
            Ok(()) => {
                // After a rename the hidden name is gone, so there is nothing left to remove.
                self.published = !keep;
                Ok(true)
            }
            Err(error) if keep && error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(self.target.obstacle(&self.relative, &self.object, &error)),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed has a name that says whose it is.
            let _ = self.parent.remove_file(&self.hidden);
        }
    }
}

/// The path below a directory for a name that a store gave, segment by segment as it is.
pub(in crate::transfer) fn local_path(name: &str) -> Result<PathBuf> {
    let fits = |segment: &str| {
        let mut components = Path::new(segment).components();
        matches!(components.next(), Some(Component::Normal(whole)) if whole == OsStr::new(segment))
            && components.next().is_none()
            && !segment.contains('\0')
    };
    if name.split('/').all(fits) {
        return Ok(name.split('/').collect());
    }
    Err(Failure::new(
        "22023",
        format!(
            "the object '{}' has a name that can be no file's below a directory",
            portolan_contract::strip_controls(name, 1024)
        ),
    )
    .hint("get it by its own URL under another name")
    .into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_name_that_leads_out_of_the_directory_is_refused() {
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../x",
            "a/..",
            ".",
            "a/./b",
            "a//b",
            "a/",
            "a\0b",
        ] {
            let error = local_path(name).expect_err(name);
            let failure = error.downcast_ref::<Failure>().expect("a failure");
            assert_eq!(failure.sqlstate, "22023", "{name:?}");
        }
        for name in ["a", "a/b", "...", "..a/b..", "a b", "~", "-rf", "c:\\x"] {
            assert_eq!(local_path(name).expect(name), Path::new(name));
        }
    }

    fn write(target: &TargetDirectory, name: &str, keep: bool) -> Result<bool> {
        let unfinished = target.begin(Path::new(name), "external://b/x")?;
        let mut file: &File = unfinished.file();
        file.write_all(b"new").expect("written");
        unfinished.publish(keep)
    }

    #[test]
    fn a_file_is_there_whole_or_as_it_was() {
        let root = tempfile::tempdir().expect("a directory");
        let target = TargetDirectory::made(&root.path().join("made")).expect("opened");
        assert!(write(&target, "a/b", false).expect("written"));
        let file = root.path().join("made/a/b");
        std::fs::write(&file, "old").expect("written");
        drop(target.begin(Path::new("a/b"), "x").expect("begun"));
        assert_eq!(std::fs::read(&file).expect("read"), b"old");
        assert!(!write(&target, "a/b", true).expect("kept"));
        assert_eq!(std::fs::read(&file).expect("read"), b"old");
        assert!(write(&target, "a/b", false).expect("written"));
        assert!(write(&target, "a/c", true).expect("written"));
        let names = std::fs::read_dir(root.path().join("made/a")).expect("read");
        assert_eq!(names.count(), 2, "nothing unfinished is left");
    }

    #[test]
    fn a_name_cannot_be_a_file_and_a_directory() {
        let root = tempfile::tempdir().expect("a directory");
        let target = TargetDirectory::existing(root.path()).expect("opened");
        write(&target, "a", false).expect("written");
        write(&target, "d/x", false).expect("written");
        for name in ["a/b", "a/b/c", "d"] {
            let error = write(&target, name, false).expect_err(name);
            let failure = error.downcast_ref::<Failure>().expect("a failure");
            assert_eq!(failure.sqlstate, "22023", "{name}: {failure}");
            assert!(failure.message.contains("external://b/x"), "{failure}");
            target.standing(Path::new(name), "x").expect_err(name);
        }
    }

    #[test]
    fn a_device_a_pipe_and_a_link_to_one_keep_their_names() {
        let root = tempfile::tempdir().expect("a directory");
        let path = |name: &str| root.path().join(name);
        drop(std::os::unix::net::UnixListener::bind(path("socket")).expect("a socket"));
        std::os::unix::fs::symlink("/dev/null", path("link")).expect("linked");
        std::fs::write(path("file"), "").expect("written");
        std::os::unix::fs::symlink("file", path("other")).expect("linked");
        let target = TargetDirectory::existing(root.path()).expect("opened");
        for name in ["socket", "link"] {
            let error = target.standing(Path::new(name), "x").expect_err(name);
            let failure = error.downcast_ref::<Failure>().expect("a failure");
            assert_eq!(failure.sqlstate, "42809", "{failure}");
        }
        for name in ["file", "other"] {
            let found = target.standing(Path::new(name), "x").expect(name);
            assert_eq!(found, Standing::File);
        }
        let devices = TargetDirectory::existing(Path::new("/dev")).expect("opened");
        devices
            .standing(Path::new("null"), "x")
            .expect_err("a device");
    }

    #[test]
    fn a_link_below_the_directory_does_not_lead_out_of_it() {
        let root = tempfile::tempdir().expect("a directory");
        let outside = tempfile::tempdir().expect("a directory");
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).expect("linked");
        let target = TargetDirectory::existing(root.path()).expect("opened");
        for name in ["link/x", "../x"] {
            let error = write(&target, name, false).expect_err(name);
            let failure = error.downcast_ref::<Failure>().expect("a failure");
            assert_eq!(failure.sqlstate, "22023", "{failure}");
        }
        assert_eq!(std::fs::read_dir(outside.path()).expect("read").count(), 0);
    }
}
