//! Which processes still write: each holds a lock on a file of its own beside the store, which the
//! system takes away when it ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// What is told of another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It writes, or may.
    Alive,
    /// It has ended.
    Ended,
    /// This file system knows no locks.
    Unknown,
}

/// This process, for as long as its store is open.
#[derive(Debug)]
pub(super) struct Process {
    name: String,
    path: PathBuf,
    _lock: File,
}

impl Process {
    /// Makes the file and locks it.
    pub(super) fn begin(store: &Path) -> io::Result<Self> {
        loop {
            let name = Uuid::new_v4().simple().to_string();
            let path = file_of(store, &name);
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let lock = options.open(&path)?;
            match lock.try_lock() {
                // Another process may have taken the new file for one that was left, and removed it.
                Ok(()) | Err(TryLockError::Error(_)) if path.exists() => {
                    return Ok(Self {
                        name,
                        path,
                        _lock: lock,
                    });
                }
                _ => {}
            }
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What stays is removed by the next sweep.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the process of this name still has the store open.
pub(super) fn life_of(store: &Path, name: &str) -> Life {
    look(&file_of(store, name)).0
}

/// What is told of the process with this file, and the lock on the file where it has ended.
fn look(path: &Path) -> (Life, Option<File>) {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return (Life::Ended, None),
        Err(_) => return (Life::Unknown, None),
    };
    match file.try_lock() {
        Ok(()) => (Life::Ended, Some(file)),
        Err(TryLockError::WouldBlock) => (Life::Alive, None),
        Err(TryLockError::Error(_)) => (Life::Unknown, None),
    }
}

/// Removes the files of processes that were killed.
pub(super) fn forget_the_ended(store: &Path) -> io::Result<()> {
    let Some(prefix) = prefix(store) else {
        return Ok(());
    };
    let directory = match store.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let is_ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(&prefix));
        // The lock is kept until the file is gone, so that no process takes it for its own meanwhile.
        if is_ours && let (Life::Ended, Some(_lock)) = look(&entry.path()) {
            match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}

fn prefix(store: &Path) -> Option<String> {
    Some(format!("{}-writer-", store.file_name()?.to_str()?))
}

fn file_of(store: &Path, name: &str) -> PathBuf {
    let mut file = store.as_os_str().to_owned();
    file.push("-writer-");
    file.push(name);
    file.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_lives_for_as_long_as_its_store_is_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = directory.path().join("userfiles.db");
        let process = Process::begin(&store).expect("begins");
        let name = process.name().to_owned();
        assert_eq!(life_of(&store, &name), Life::Alive);
        forget_the_ended(&store).expect("looks");
        assert_eq!(life_of(&store, &name), Life::Alive);
        drop(process);
        assert_eq!(life_of(&store, &name), Life::Ended);
        // As a process that was killed leaves it.
        let left = file_of(&store, "0");
        std::fs::write(&left, "").expect("writes");
        assert_eq!(life_of(&store, "0"), Life::Ended);
        forget_the_ended(&store).expect("looks");
        assert!(!left.exists());
    }
}
