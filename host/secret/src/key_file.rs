//! A slot's key in a file of its own.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::SecretText;
use crate::keys::{KeyError, SlotKey};

/// More than any way to write a key, less than would hurt to read.
const LONGEST: u64 = 1024;

/// A file that holds a key as 64 hexadecimal digits and that only its owner may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    /// The file at `path`, which is not touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How errors call it.
    #[must_use]
    pub fn place(&self) -> String {
        format!("the key file {}", self.path.display())
    }

    /// Makes the file with a new random key. It is durable, whole and readable by its owner alone
    /// from the moment it has its name, and never takes the place of another file.
    ///
    /// # Errors
    /// [`KeyError::Exists`] when there is a file, [`KeyError::File`] when none can be made.
    pub fn create(&self) -> Result<SlotKey, KeyError> {
        let key = SlotKey::generate()?;
        self.write(&key).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists {
                path: self.path.clone(),
            },
            _ => self.failed(source),
        })?;
        Ok(key)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`KeyError::Missing`], [`KeyError::Exposed`] when others than the owner may use the file,
    /// [`KeyError::NotAKey`] when it holds something else, [`KeyError::File`].
    pub fn load(&self) -> Result<SlotKey, KeyError> {
        let file = File::open(&self.path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => KeyError::Missing {
                path: self.path.clone(),
            },
            _ => self.failed(source),
        })?;
        // Asked of the open file, so that it cannot be another one that is read.
        let about = file.metadata().map_err(|source| self.failed(source))?;
        if !about.is_file() {
            return Err(KeyError::NotAKey {
                place: self.place(),
            });
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = about.permissions().mode() & 0o7777;
            if mode & 0o077 != 0 {
                return Err(KeyError::Exposed {
                    path: self.path.clone(),
                    mode,
                });
            }
        }
        let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
        match file.take(LONGEST).read_to_string(&mut text) {
            Ok(_) => {
                SlotKey::from_text(&SecretText::new(std::mem::take(&mut *text)), &self.place())
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(KeyError::NotAKey {
                place: self.place(),
            }),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn failed(&self, source: io::Error) -> KeyError {
        KeyError::File {
            path: self.path.clone(),
            source,
        }
    }

    /// Writes under another name first and links that to the real one, so that a crash leaves
    /// either no key file or a whole one.
    fn write(&self, key: &SlotKey) -> io::Result<()> {
        let mut draft_name = OsString::from(".");
        draft_name.push(self.path.file_name().unwrap_or_default());
        let mut suffix = [0; 8];
        getrandom::fill(&mut suffix)?;
        draft_name.push(format!(".{}", hex::encode(suffix)));
        let draft = self.path.with_file_name(draft_name);
        let result = write_new(&draft, key).and_then(|()| fs::hard_link(&draft, &self.path));
        let _ = fs::remove_file(&draft);
        match result {
            // Some file systems have no links. There the name is taken before the key is written.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
                ) =>
            {
                write_new(&self.path, key)?;
            }
            other => other?,
        }
        sync_directory(&self.path)
    }
}

fn write_new(path: &Path, key: &SlotKey) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let text = key.to_text();
    let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    line.extend_from_slice(text.expose().as_bytes());
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()
}

/// Makes the new name as durable as the file.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn in_directory() -> (tempfile::TempDir, KeyFile) {
        let directory = tempfile::tempdir().expect("a directory");
        let file = KeyFile::new(directory.path().join("master.key"));
        (directory, file)
    }

    #[test]
    fn a_new_file_holds_the_key_and_belongs_to_its_owner_alone() {
        let (directory, file) = in_directory();
        let made = file.create().expect("is made");
        assert_eq!(file.load().expect("is read").to_text(), made.to_text());
        let mode = fs::metadata(file.path())
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o600);
        let names = fs::read_dir(directory.path()).expect("lists").count();
        assert_eq!(names, 1, "no draft is left");
    }

    #[test]
    fn a_file_that_is_there_is_never_overwritten() {
        let (_directory, file) = in_directory();
        let made = file.create().expect("is made");
        assert!(matches!(file.create(), Err(KeyError::Exists { .. })));
        assert_eq!(file.load().expect("is read").to_text(), made.to_text());
    }

    #[test]
    fn a_missing_file_is_named_and_not_made() {
        let (_directory, file) = in_directory();
        let error = file.load().expect_err("is missing");
        assert!(matches!(error, KeyError::Missing { .. }));
        assert!(error.to_string().contains("master.key"));
        assert!(!file.path().exists());
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_the_command_that_helps() {
        let (_directory, file) = in_directory();
        file.create().expect("is made");
        for mode in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("chmod");
            let error = file.load().expect_err("is exposed");
            assert!(matches!(error, KeyError::Exposed { mode: found, .. } if found == mode));
            assert!(error.hint().expect("a hint").starts_with("Run: chmod 600 "));
        }
    }

    #[test]
    fn a_short_long_or_binary_file_is_no_key() {
        let (_directory, file) = in_directory();
        let key = file.create().expect("is made").to_text();
        let long = format!("{}{}", key.expose(), " x".repeat(2000));
        for content in [
            b"".as_slice(),
            &key.expose().as_bytes()[..63],
            long.as_bytes(),
            &[0xff; 32],
        ] {
            fs::write(file.path(), content).expect("writes");
            assert!(matches!(file.load(), Err(KeyError::NotAKey { .. })));
        }
    }

    #[test]
    fn a_directory_is_no_key() {
        let (directory, _) = in_directory();
        assert!(KeyFile::new(directory.path()).load().is_err());
    }
}
