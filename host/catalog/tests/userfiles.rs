//! Users' files: processes that are killed, processes that write at once, small disks, damage.
//!
//! The test program runs itself again as the other process.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be set up fails"
)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use portolan_catalog::SqliteUserFiles;
use portolan_disks::Disk;
use portolan_files::{
    Attributes, CHUNK_BYTES, Condition, Entry, ListRequest, UserFiles, UserFilesError,
};

const SET: &str = "a.b.c";

fn file(directory: &Path) -> PathBuf {
    directory.join("userfiles.db")
}

fn store(directory: &Path) -> SqliteUserFiles {
    SqliteUserFiles::new(file(directory))
}

fn raw(directory: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(file(directory)).expect("opens")
}

fn put(
    files: &SqliteUserFiles,
    path: &str,
    content: impl Into<Bytes>,
) -> Result<(), UserFilesError> {
    let attributes = Attributes::new();
    files
        .put(SET, path, &[content.into()], &attributes, Condition::Any)
        .map(drop)
}

fn read(files: &SqliteUserFiles, path: &str) -> Result<Vec<u8>, UserFilesError> {
    let file = files.open(SET, path)?;
    let mut content = Vec::new();
    while (content.len() as u64) < file.meta.size {
        content.extend_from_slice(&files.read(&file, content.len() as u64)?);
    }
    Ok(content)
}

fn list(files: &SqliteUserFiles) -> Vec<(String, u64)> {
    let request = ListRequest {
        prefix: String::new(),
        from: String::new(),
        by_directory: false,
        limit: 100_000,
    };
    let page = files.list(SET, &request).expect("lists");
    page.entries
        .into_iter()
        .map(|entry| match entry {
            Entry::File(meta) => (meta.path, meta.size),
            Entry::Directory(path) => panic!("{path}"),
        })
        .collect()
}

fn number(directory: &Path, sql: &str) -> i64 {
    raw(directory)
        .query_row(sql, [], |row| row.get(0))
        .expect("a number")
}

const STORE: &str = "PORTOLAN_TEST_USER_FILES";
const WRITER: &str = "PORTOLAN_TEST_WRITER";
const ROUNDS: &str = "PORTOLAN_TEST_ROUNDS";

/// A content whose bytes are all one, which its first tells, as long as that says.
fn content(byte: u8) -> Vec<u8> {
    vec![byte; usize::from(byte) * 50_000]
}

/// Not a test of its own: what the other process does. Every content it shows is one of [`content`],
/// whichever way it came there.
#[test]
fn the_other_process() {
    let Ok(directory) = std::env::var(STORE) else {
        return;
    };
    let writer = std::env::var(WRITER).expect("is set");
    let rounds: u32 = std::env::var(ROUNDS)
        .expect("is set")
        .parse()
        .expect("a number");
    let files = store(Path::new(&directory));
    let name = |place: u32| format!("{writer}/{place}");
    for round in 0..rounds {
        // From one chunk in one transaction to twelve in two.
        let byte = (round.wrapping_mul(89) % 251) as u8 + 1;
        let path = name(round % 4);
        if round % 3 == 0 {
            let whole = Bytes::from(content(byte));
            let upload = files.begin(SET, &path).expect("begins");
            for (number, part) in whole.chunks(CHUNK_BYTES + 1000).enumerate() {
                let offset = (number * (CHUNK_BYTES + 1000)) as u64;
                let part = [Bytes::copy_from_slice(part)];
                files.write(upload, offset, &part).expect("writes");
            }
            let size = whole.len() as u64;
            files
                .publish(upload, size, &Attributes::new(), Condition::Any)
                .expect("publishes");
        } else {
            put(&files, &path, content(byte)).expect("puts");
        }
        let another = name(4 + round % 3);
        files
            .copy(SET, &path, &another, Condition::Any)
            .expect("copies");
        if round % 5 == 0 {
            files
                .rename(SET, &another, &name(8), Condition::Any)
                .expect("renames");
        }
        if round % 7 == 0 {
            files.delete(SET, &path).expect("deletes");
        }
    }
}

fn start(directory: &Path, writer: &str, rounds: u32) -> Child {
    #[allow(
        clippy::disallowed_methods,
        reason = "another process is what is tested"
    )]
    Command::new(std::env::current_exe().expect("a program"))
        .args(["the_other_process", "--exact", "--test-threads=1"])
        .env(STORE, directory)
        .env(WRITER, writer)
        .env(ROUNDS, rounds.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("starts")
}

/// Every file is whole, and rows, contents and chunks say the same. Gives the number of files.
fn is_whole(files: &SqliteUserFiles, directory: &Path) -> usize {
    let listed = list(files);
    for (path, size) in &listed {
        let found = read(files, path).expect(path);
        let byte = *found.first().expect("none is empty");
        assert_eq!(*size, usize::from(byte) as u64 * 50_000, "{path}");
        assert!(found == content(byte), "{path} is mixed");
    }
    for (what, sql) in [
        (
            "files without their content",
            "SELECT count(*) FROM files f WHERE f.size <> \
             (SELECT sum(length(bytes)) FROM chunks WHERE content = f.content)",
        ),
        (
            "contents that count their files wrongly",
            "SELECT count(*) FROM contents c WHERE files <> \
             (SELECT count(*) FROM files WHERE content = c.id)",
        ),
        (
            "contents that nobody will remove",
            "SELECT count(*) FROM contents WHERE files = 0 \
             AND id NOT IN (SELECT content FROM uploads) \
             AND id NOT IN (SELECT content FROM retired)",
        ),
        (
            "chunks of nothing",
            "SELECT count(*) FROM chunks WHERE content NOT IN (SELECT id FROM contents)",
        ),
    ] {
        assert_eq!(number(directory, sql), 0, "{what}");
    }
    listed.len()
}

#[test]
fn a_process_that_is_killed_leaves_all_or_nothing_and_what_it_left_is_named_and_swept() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut unfinished = 0;
    let mut shown = 0;
    for round in 0_u64..40 {
        let mut child = start(directory.path(), &format!("w{}", round % 3), 1_000_000);
        // The first rounds end while the store is being made.
        std::thread::sleep(Duration::from_millis(2 + round * 7 + round * round % 11));
        child.kill().expect("kills");
        child.wait().expect("ends");
        if !file(directory.path()).exists() {
            continue;
        }
        let files = store(directory.path()).keep_replaced_for(Duration::ZERO);
        let left = files.unfinished_uploads().expect("looks");
        for upload in &left {
            assert_eq!(upload.set, SET);
            assert!(upload.path.starts_with('w'), "{upload:?}");
        }
        unfinished += left.len();
        // The first use sweeps.
        shown += is_whole(&files, directory.path());
        assert_eq!(files.unfinished_uploads().expect("looks"), []);
        assert_eq!(number(directory.path(), "SELECT count(*) FROM uploads"), 0);
    }
    assert!(shown > 0, "the children got to write");
    assert!(unfinished > 0, "some were killed in an upload");
    // After enough sweeps nothing is there but what is shown.
    for _ in 0..20 {
        list(&store(directory.path()).keep_replaced_for(Duration::ZERO));
    }
    let files = store(directory.path());
    is_whole(&files, directory.path());
    assert_eq!(number(directory.path(), "SELECT count(*) FROM retired"), 0);
    let names = std::fs::read_dir(directory.path()).expect("reads");
    for name in names {
        let name = name.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(!name.contains("-writer-"), "{name} was left");
    }
}

#[test]
fn processes_that_write_at_once_lose_nothing_and_are_not_swept_away() {
    const ROUNDS: u32 = 40;
    let directory = tempfile::tempdir().expect("a directory");
    let mut children = [
        start(directory.path(), "a", ROUNDS),
        start(directory.path(), "b", ROUNDS),
    ];
    while children
        .iter_mut()
        .any(|child| child.try_wait().expect("asks").is_none())
    {
        if file(directory.path()).exists() {
            // A new one each time, which sweeps at its first use.
            let files = store(directory.path());
            for (path, _) in list(&files) {
                match read(&files, &path) {
                    Ok(found) => assert!(found == content(found[0]), "{path} is mixed"),
                    // It was renamed or deleted since it was listed.
                    Err(UserFilesError::Missing { .. }) => {}
                    Err(error) => panic!("{path}: {error}"),
                }
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for mut child in children {
        assert!(child.wait().expect("ends").success());
    }
    let files = store(directory.path());
    assert!(is_whole(&files, directory.path()) > 8);
    assert_eq!(number(directory.path(), "SELECT count(*) FROM uploads"), 0);
}

#[test]
fn nothing_is_made_before_it_is_used_and_what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().expect("a directory");
    let directory = parent.path().join("store");
    let files = store(&directory);
    assert!(!directory.exists());
    assert_eq!(list(&files), []);
    let upload = files.begin(SET, "a").expect("begins");
    let mut found = 0;
    for entry in std::fs::read_dir(&directory).expect("reads") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        found += 1;
    }
    assert_eq!(found, 4, "the file, its two others, and this process");
    files.abort(upload).expect("aborts");
}

#[test]
fn a_lock_that_is_held_for_longer_than_five_seconds_is_reported() {
    let directory = tempfile::tempdir().expect("a directory");
    let files = store(directory.path());
    put(&files, "a", "x").expect("puts");
    let other = raw(directory.path());
    other.execute_batch("BEGIN IMMEDIATE").expect("locks");
    let start = Instant::now();
    assert_eq!(put(&files, "a", "y"), Err(UserFilesError::Locked));
    let waited = start.elapsed();
    assert!(
        (Duration::from_millis(4500)..Duration::from_secs(10)).contains(&waited),
        "{waited:?}"
    );
    // Who only reads is not kept waiting, and neither is one who sweeps on the way.
    let start = Instant::now();
    assert_eq!(read(&store(directory.path()), "a").expect("reads"), b"x");
    assert!(start.elapsed() < Duration::from_secs(1));
    other.execute_batch("ROLLBACK").expect("unlocks");
    put(&files, "a", "y").expect("puts");
}

#[test]
fn an_upload_that_was_swept_away_or_is_not_whole_is_never_published() {
    let directory = tempfile::tempdir().expect("a directory");
    let files = store(directory.path());
    let none = Attributes::new();
    let upload = files.begin(SET, "a").expect("begins");
    files.write(upload, 0, &["x".into()]).expect("writes");
    let publish = |size| files.publish(upload, size, &none, Condition::Any);
    assert_eq!(publish(2), Err(UserFilesError::UploadOver));
    let other = files.publish(upload, 1, &none, Condition::Version(7));
    assert!(matches!(other, Err(UserFilesError::Changed { .. })));
    files.abort(upload).expect("aborts");
    assert_eq!(publish(1), Err(UserFilesError::UploadOver));
    let late = files.write(upload, 1, &["y".into()]);
    assert_eq!(late, Err(UserFilesError::UploadOver));
    assert_eq!(number(directory.path(), "SELECT count(*) FROM chunks"), 0);
    assert_eq!(list(&files), []);
}

#[test]
fn what_was_deleted_gives_its_space_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let size = || {
        std::fs::metadata(file(directory.path()))
            .expect("is there")
            .len()
    };
    {
        let files = store(directory.path());
        put(&files, "a", vec![7; 90 << 20]).expect("puts");
        files.delete(SET, "a").expect("deletes");
        put(&files, "b", "kept").expect("puts");
    }
    let before = size();
    assert!(before > 90 << 20, "{before}");
    for _ in 0..10 {
        let files = store(directory.path()).keep_replaced_for(Duration::ZERO);
        assert_eq!(read(&files, "b").expect("reads"), b"kept");
    }
    let after = size();
    assert!(after < 40 << 20, "{before} became {after}");
}

#[test]
fn a_full_disk_is_reported_and_loses_nothing() {
    let Some(directory) = Disk::Roomy.enter("a_full_disk_is_reported_and_loses_nothing") else {
        return;
    };
    let other = directory.join("other");
    std::fs::write(&other, vec![0; 20 << 20]).expect("there is room");
    let files = store(&directory).keep_replaced_for(Duration::ZERO);
    put(&files, "a", "old").expect("there is room");
    for _ in 0..3 {
        let error = put(&files, "a", vec![1; 80 << 20]).expect_err("full");
        assert_eq!(error, UserFilesError::DiskFull);
        assert_eq!(error.sqlstate(), "53100");
        assert_eq!(read(&files, "a").expect("reads"), b"old");
    }
    drop(files);
    // A disk that is full to the last byte cannot even take down what is removed. Once there is a
    // little room, what the failed ones had written is swept, and there is more.
    std::fs::remove_file(&other).expect("removed");
    for _ in 0..5 {
        list(&store(&directory).keep_replaced_for(Duration::ZERO));
    }
    let files = store(&directory).keep_replaced_for(Duration::ZERO);
    put(&files, "b", vec![2; 3 << 20]).expect("there is room again");
    assert_eq!(list(&files), [("a".into(), 3), ("b".into(), 3 << 20)]);
}

#[test]
fn a_damaged_store_is_told_as_such_and_stays_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(file(directory.path()), "not a database, ".repeat(500)).expect("writes");
    let error = put(&store(directory.path()), "a", "x").expect_err("damaged");
    assert_eq!(error, UserFilesError::Damaged);
    assert_eq!(error.sqlstate(), "XX001");
    let content = std::fs::read_to_string(file(directory.path())).expect("reads");
    assert!(content.starts_with("not a database"));
}

#[test]
fn a_file_whose_pages_are_damaged_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    put(&store(directory.path()), "a", vec![7; 3 << 20]).expect("puts");
    // Everything is in the file itself, and nobody has it open: most of it is the content.
    raw(directory.path())
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("empties the log");
    let path = file(directory.path());
    let mut bytes = std::fs::read(&path).expect("reads");
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 32_768] {
        *byte = 0xff;
    }
    std::fs::write(&path, bytes).expect("writes");
    assert_eq!(
        read(&store(directory.path()), "a"),
        Err(UserFilesError::DamagedFile {
            path: "a".to_owned()
        })
    );
}

#[test]
fn many_writers_of_one_process_wait_for_each_other_for_as_long_as_they_get_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let files = store(directory.path());
    std::thread::scope(|scope| {
        for writer in 0..16 {
            let files = &files;
            scope.spawn(move || {
                for round in 0..3 {
                    let path = format!("{writer}/{round}");
                    put(files, &path, vec![7; 4 << 20]).expect("puts");
                }
            });
        }
    });
    assert_eq!(list(&files).len(), 48);
}
