//! Contents: how they are written and read, and what becomes of them.

use std::borrow::Cow;

use bytes::Bytes;
use portolan_files::{
    Attributes, CHUNK_BYTES, Condition, ContentId, FileMeta, OpenFile, UserFilesError,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{failed, failed_reading};
use super::files::{self, Shown, attributes_text};
use super::process::Process;
use super::{Outcome, SqliteUserFiles, Uploads, count, lock, microseconds, now, stored};

/// How many chunks one transaction writes at most: 8 MiB, so that others get their turn.
const CHUNKS_AT_A_TIME: usize = 8;

impl SqliteUserFiles {
    /// A small file in one transaction, a large one as an upload.
    pub(super) fn put_whole(
        &self,
        set: &str,
        path: &str,
        content: &[Bytes],
        attributes: &Attributes,
        condition: Condition,
    ) -> Outcome<FileMeta> {
        let size = length(content);
        if size > (CHUNKS_AT_A_TIME * CHUNK_BYTES) as u64 {
            let upload = self.begin_upload(set, path)?;
            return self
                .write_part(upload, 0, content)
                .and_then(|()| self.publish_upload(upload, size, attributes, condition))
                .inspect_err(|_| {
                    // The first error is the one to tell; what stays is swept.
                    let _ = self.abort_upload(upload);
                });
        }
        let attributes = attributes_text(attributes)?;
        self.write_all(|transaction| {
            let content_id = new_content(transaction, size)?;
            let mut offset = 0;
            for chunk in Chunks::of(content) {
                write_chunk(transaction, content_id, offset, &chunk)?;
                offset += chunk.len() as u64;
            }
            let shown = Shown {
                content: content_id,
                size,
                attributes: attributes.as_deref(),
            };
            files::show(transaction, set, path, &shown, condition)
        })
    }

    pub(super) fn begin_upload(&self, set: &str, path: &str) -> Outcome<ContentId> {
        // The pool first: it makes the directory.
        self.pool()?;
        let process = self.process()?;
        let upload = self.write_all(|transaction| {
            let upload = new_content(transaction, 0)?;
            transaction
                .prepare_cached(
                    "INSERT INTO uploads (content, set_name, path, process, touched) \
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )
                .and_then(|mut statement| {
                    statement.execute(params![upload.0, set, path, process, now()])
                })
                .map_err(failed)?;
            // Before it can be seen, so that a sweep of this process does not take it for lost.
            lock(&self.uploads).open.insert(upload);
            Ok(upload)
        })?;
        Ok(upload)
    }

    /// The name of this process, which has a file of its own from now on.
    fn process(&self) -> Outcome<String> {
        let mut uploads = lock(&self.uploads);
        let Uploads { process, .. } = &mut *uploads;
        if let Some(process) = process {
            return Ok(process.name().to_owned());
        }
        let begun = Process::begin(&self.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => UserFilesError::DiskFull,
            std::io::ErrorKind::QuotaExceeded => UserFilesError::NoRoom,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                UserFilesError::ReadOnly
            }
            _ => UserFilesError::storage(error.to_string()),
        })?;
        Ok(process.insert(begun).name().to_owned())
    }

    pub(super) fn write_part(
        &self,
        upload: ContentId,
        mut offset: u64,
        part: &[Bytes],
    ) -> Outcome<()> {
        let mut chunks = Chunks::of(part).peekable();
        while chunks.peek().is_some() {
            offset = self.write_all(|transaction| {
                let start = offset;
                let mut offset = offset;
                for chunk in chunks.by_ref().take(CHUNKS_AT_A_TIME) {
                    write_chunk(transaction, upload, offset, &chunk)?;
                    offset += chunk.len() as u64;
                }
                touch(transaction, upload, offset - start)?;
                Ok(offset)
            })?;
        }
        Ok(())
    }

    pub(super) fn publish_upload(
        &self,
        upload: ContentId,
        size: u64,
        attributes: &Attributes,
        condition: Condition,
    ) -> Outcome<FileMeta> {
        let attributes = attributes_text(attributes)?;
        let published = self.write_all(|transaction| {
            let (set, path) = transaction
                .prepare_cached(
                    "DELETE FROM uploads WHERE content = ?1 \
                     AND (SELECT size FROM contents WHERE id = ?1) = ?2 \
                     RETURNING set_name, path",
                )
                .and_then(|mut statement| {
                    statement
                        .query_row(params![upload.0, stored(size)], |row| {
                            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
                        })
                        .optional()
                })
                .map_err(failed)?
                .ok_or(UserFilesError::UploadOver)?;
            let shown = Shown {
                content: upload,
                size,
                attributes: attributes.as_deref(),
            };
            files::show(transaction, &set, &path, &shown, condition)
        })?;
        lock(&self.uploads).open.remove(&upload);
        Ok(published)
    }

    pub(super) fn abort_upload(&self, upload: ContentId) -> Outcome<()> {
        // From now on a sweep takes it for lost, also when what follows fails.
        lock(&self.uploads).open.remove(&upload);
        let given_up = self.write_all(|transaction| give_up(transaction, upload))?;
        if given_up {
            self.remove_content(upload)?;
        }
        Ok(())
    }

    pub(super) fn read_chunk(&self, file: &OpenFile, offset: u64) -> Outcome<Bytes> {
        let path = file.meta.path.as_str();
        let lease = self.reader()?;
        let since = retired_since(&lease, file.content)?;
        let chunk = find_chunk(&lease, file, offset)?;
        drop(lease);
        if let Some(since) = since {
            self.go_on_reading(file.content, since);
        }
        match chunk {
            Chunk::Bytes(bytes) => Ok(bytes),
            Chunk::Absent if since.is_none() && self.is_there(file.content)? => {
                Err(UserFilesError::DamagedFile {
                    path: path.to_owned(),
                })
            }
            Chunk::Absent => Err(UserFilesError::Replaced {
                path: path.to_owned(),
            }),
        }
    }

    fn is_there(&self, content: ContentId) -> Outcome<bool> {
        self.reader()?
            .prepare_cached("SELECT 1 FROM contents WHERE id = ?1")
            .and_then(|mut statement| statement.exists([content.0]))
            .map_err(failed)
    }

    /// Puts off the end of a content that is read and that no file shows any more.
    fn go_on_reading(&self, content: ContentId, since: i64) {
        let keep = microseconds(self.keep_replaced);
        if now() - since < keep / 5 {
            return;
        }
        let put_off = self.write_all(|transaction| {
            // One whose time is up may be half gone.
            transaction
                .prepare_cached(
                    "UPDATE retired SET since = ?2 WHERE content = ?1 AND since > ?2 - ?3",
                )
                .and_then(|mut statement| statement.execute(params![content.0, now(), keep]))
                .map_err(failed)
        });
        if let Err(error) = put_off {
            tracing::debug!(%error, "the end of a content that is read was not put off");
        }
    }
}

/// The bytes of a part, at most [`CHUNK_BYTES`] at a time; copied only where they lie in pieces.
#[derive(Debug)]
struct Chunks<'a> {
    pieces: &'a [Bytes],
    /// How much of the first piece was given.
    given: usize,
}

impl<'a> Chunks<'a> {
    fn of(pieces: &'a [Bytes]) -> Self {
        Self { pieces, given: 0 }
    }

    /// The next bytes that lie together, at most `most`; none at the end.
    fn run(&mut self, most: usize) -> &'a [u8] {
        while let Some((first, rest)) = self.pieces.split_first() {
            let left = first.get(self.given..).unwrap_or_default();
            if left.is_empty() {
                (self.pieces, self.given) = (rest, 0);
                continue;
            }
            let run = left.get(..most).unwrap_or(left);
            self.given += run.len();
            return run;
        }
        &[]
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Cow<'a, [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut chunk = Cow::Borrowed(self.run(CHUNK_BYTES));
        while chunk.len() < CHUNK_BYTES {
            let more = self.run(CHUNK_BYTES - chunk.len());
            if more.is_empty() {
                break;
            }
            chunk.to_mut().extend_from_slice(more);
        }
        (!chunk.is_empty()).then_some(chunk)
    }
}

fn length(pieces: &[Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// A content that no file shows yet.
fn new_content(transaction: &Connection, size: u64) -> Outcome<ContentId> {
    transaction
        .prepare_cached("INSERT INTO contents (size, files) VALUES (?1, 0) RETURNING id")
        .and_then(|mut statement| statement.query_row([stored(size)], |row| row.get(0)))
        .map(ContentId)
        .map_err(failed)
}

fn write_chunk(
    transaction: &Connection,
    content: ContentId,
    start: u64,
    bytes: &[u8],
) -> Outcome<()> {
    transaction
        .prepare_cached("INSERT INTO chunks (content, start, sum, bytes) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut statement| {
            statement.execute(params![
                content.0,
                stored(start),
                crc32fast::hash(bytes),
                bytes
            ])
        })
        .map_err(failed)?;
    Ok(())
}

/// Counts what an upload has written.
fn touch(transaction: &Connection, upload: ContentId, more: u64) -> Outcome<()> {
    let touched = transaction
        .prepare_cached("UPDATE uploads SET touched = ?2 WHERE content = ?1")
        .and_then(|mut statement| statement.execute(params![upload.0, now()]))
        .map_err(failed)?;
    if touched == 0 {
        return Err(UserFilesError::UploadOver);
    }
    transaction
        .prepare_cached("UPDATE contents SET size = size + ?2 WHERE id = ?1")
        .and_then(|mut statement| statement.execute(params![upload.0, stored(more)]))
        .map_err(failed)?;
    Ok(())
}

/// One more file shows a content.
pub(super) fn take(transaction: &Connection, content: ContentId) -> Outcome<()> {
    transaction
        .prepare_cached("UPDATE contents SET files = files + 1 WHERE id = ?1")
        .and_then(|mut statement| statement.execute([content.0]))
        .map_err(failed)?;
    Ok(())
}

/// One file less shows a content.
pub(super) fn let_go(transaction: &Connection, content: ContentId) -> Outcome<()> {
    let left: Option<i64> = transaction
        .prepare_cached("UPDATE contents SET files = files - 1 WHERE id = ?1 RETURNING files")
        .and_then(|mut statement| {
            statement
                .query_row([content.0], |row| row.get(0))
                .optional()
        })
        .map_err(failed)?;
    match left {
        Some(..=0) => retire(transaction, content, now()),
        _ => Ok(()),
    }
}

/// Has nobody but those who read it already see a content any more, since this time.
fn retire(transaction: &Connection, content: ContentId, since: i64) -> Outcome<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO retired (content, since) VALUES (?1, ?2)")
        .and_then(|mut statement| statement.execute([content.0, since]))
        .map_err(failed)?;
    Ok(())
}

/// Ends an upload that nobody will publish; nobody reads it either. Says whether it was there.
pub(super) fn give_up(transaction: &Connection, upload: ContentId) -> Outcome<bool> {
    let given_up = transaction
        .prepare_cached("DELETE FROM uploads WHERE content = ?1")
        .and_then(|mut statement| statement.execute([upload.0]))
        .map_err(failed)?;
    if given_up > 0 {
        retire(transaction, upload, 0)?;
    }
    Ok(given_up > 0)
}

fn retired_since(connection: &Connection, content: ContentId) -> Outcome<Option<i64>> {
    connection
        .prepare_cached("SELECT since FROM retired WHERE content = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([content.0], |row| row.get(0))
                .optional()
        })
        .map_err(failed)
}

/// What is at an offset of a content.
enum Chunk {
    Bytes(Bytes),
    Absent,
}

fn find_chunk(connection: &Connection, file: &OpenFile, offset: u64) -> Outcome<Chunk> {
    let path = file.meta.path.as_str();
    let mut statement = connection
        .prepare_cached(
            "SELECT start, sum, bytes FROM chunks WHERE content = ?1 AND start <= ?2 \
             ORDER BY start DESC LIMIT 1",
        )
        .map_err(failed_reading(path))?;
    let read = |row: &rusqlite::Row<'_>| {
        let (start, sum): (i64, u32) = (row.get(0)?, row.get(1)?);
        let bytes = row.get_ref(2)?.as_blob()?;
        if crc32fast::hash(bytes) != sum {
            return Ok(None);
        }
        let skip = usize::try_from(offset - count(start)).unwrap_or(usize::MAX);
        let rest = bytes.get(skip..).unwrap_or_default();
        Ok(Some(Bytes::copy_from_slice(rest)))
    };
    let found = statement
        .query_row(params![file.content.0, stored(offset)], read)
        .optional()
        .map_err(failed_reading(path))?;
    match found {
        None => Ok(Chunk::Absent),
        Some(Some(bytes)) if bytes.is_empty() => Ok(Chunk::Absent),
        Some(Some(bytes)) => Ok(Chunk::Bytes(bytes)),
        Some(None) => Err(UserFilesError::DamagedFile {
            path: path.to_owned(),
        }),
    }
}
