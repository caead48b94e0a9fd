//! For tests: a disk that is full, one that cannot be written, and files that may not grow.
//!
//! A test that needs one of them starts itself again, as a child process that has it; no such test
//! is ever skipped:
//!
//! ```no_run
//! use portolan_disks::Disk;
//!
//! fn a_full_disk_says_so() {
//!     let Some(directory) = Disk::Small.enter("a_full_disk_says_so") else {
//!         return; // The child has done it.
//!     };
//!     assert!(std::fs::write(directory.join("large"), vec![0; 2 << 20]).is_err());
//! }
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "only tests call it, and they fail by panicking"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What is wrong with the disk of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It has one MiB. It is a file system in memory that only the child sees, for which it needs a
    /// mount namespace: root has one for the asking, and other users where the system gives them a
    /// user namespace.
    Small,
    /// The same with 64 MiB, for stores that write in larger pieces.
    Roomy,
    /// No file may grow beyond 512 KiB, as by a limit that an administrator set. Everybody may give
    /// up a right, so that this needs none.
    ShortFiles,
}

/// The variable that tells a child where its directory is.
const CHILD: &str = "PORTOLAN_TEST_DISK";

/// Mounts the small disk at `$0` and becomes the child.
const MOUNT_SMALL: &str = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"";

/// The same with a larger one.
const MOUNT_ROOMY: &str = "mount -t tmpfs -o size=64m tmpfs \"$0\" && exec \"$@\"";

/// Lowers the limit, in blocks of 512 bytes, and becomes the child; the directory is not needed.
/// Without the trap a write beyond the limit would be the end of the process and not an error.
const LIMIT: &str = "trap '' XFSZ && ulimit -f 1024 && exec \"$@\"";

impl Disk {
    /// In the child: a directory on that disk, where temporary files lie as well. In the test
    /// itself: none, after a child that runs the test of this name alone has passed it.
    ///
    /// # Panics
    ///
    /// The child failed, there is no test of that name, or the system gives nobody such a disk.
    #[must_use]
    pub fn enter(self, test: &str) -> Option<PathBuf> {
        if let Some(directory) = env::var_os(CHILD) {
            return Some(directory.into());
        }
        let directory = tempfile::tempdir().expect("a directory");
        let mut command = self.command(directory.path());
        command
            .arg(env::current_exe().expect("this binary"))
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(CHILD, directory.path())
            .env("TMPDIR", directory.path());
        let output = command.output().expect("started");
        let told = told(&output);
        assert!(output.status.success(), "{told}");
        assert!(told.contains("1 passed"), "no test is named {test}: {told}");
        None
    }

    fn command(self, directory: &Path) -> Command {
        match self {
            Self::Small => namespace(MOUNT_SMALL, directory),
            Self::Roomy => namespace(MOUNT_ROOMY, directory),
            Self::ShortFiles => shell(&["sh"], LIMIT, directory),
        }
    }
}

/// The first way to a mount namespace that this system goes.
fn namespace(mount: &str, directory: &Path) -> Command {
    let ways: [&[&str]; 2] = [
        &["unshare", "--mount", "sh"],
        &["unshare", "--user", "--map-root-user", "--mount", "sh"],
    ];
    let mut refusals = String::new();
    for way in ways {
        match shell(way, mount, directory).arg("true").output() {
            Ok(output) if output.status.success() => return shell(way, mount, directory),
            Ok(output) => refusals += &told(&output),
            Err(error) => refusals += &format!("{}: {error}\n", way[0]),
        }
    }
    panic!(
        "this test fills a small disk of its own and cannot mount one: run it as root with \
         CAP_SYS_ADMIN, or allow user namespaces (sysctl user.max_user_namespaces, and on Ubuntu \
         kernel.apparmor_restrict_unprivileged_userns=0); `unshare` is in util-linux\n{refusals}"
    )
}

/// Makes the child's disk read-only, or writable again.
///
/// # Panics
///
/// It is not the child's own disk.
pub fn set_read_only(directory: &Path, read_only: bool) {
    let options = if read_only {
        "remount,ro"
    } else {
        "remount,rw"
    };
    let mut mount = program("mount");
    let output = mount.args(["-o", options]).arg(directory).output();
    let output = output.expect("started");
    assert!(output.status.success(), "{}", told(&output));
}

fn shell(way: &[&str], script: &str, directory: &Path) -> Command {
    let mut command = program(way[0]);
    command.args(&way[1..]).args(["-c", script]).arg(directory);
    command
}

#[expect(
    clippy::disallowed_methods,
    reason = "the disk of another process is what tests ask for"
)]
fn program(name: &str) -> Command {
    Command::new(name)
}

fn told(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn a_small_disk_fills_up_and_can_be_made_read_only() {
        let name = "tests::a_small_disk_fills_up_and_can_be_made_read_only";
        let Some(directory) = Disk::Small.enter(name) else {
            return;
        };
        let write = |bytes| fs::write(directory.join("a"), vec![0; bytes]).map_err(|it| it.kind());
        assert_eq!(write(2 << 20), Err(ErrorKind::StorageFull));
        assert_eq!(write(1), Ok(()));
        set_read_only(&directory, true);
        assert_eq!(write(1), Err(ErrorKind::ReadOnlyFilesystem));
        set_read_only(&directory, false);
        assert_eq!(write(1), Ok(()));
    }

    #[test]
    fn a_short_file_does_not_grow() {
        let Some(directory) = Disk::ShortFiles.enter("tests::a_short_file_does_not_grow") else {
            return;
        };
        let write = |bytes| fs::write(directory.join("a"), vec![0; bytes]).map_err(|it| it.kind());
        assert_eq!(write(1 << 20), Err(ErrorKind::FileTooLarge));
        assert_eq!(write(64 << 10), Ok(()));
        let temporary = tempfile::tempdir().expect("a directory");
        assert!(temporary.path().starts_with(&directory));
    }

    #[test]
    #[should_panic(expected = "no test is named absent")]
    fn a_test_that_is_not_there_does_not_pass() {
        let _ = Disk::ShortFiles.enter("absent");
    }
}
