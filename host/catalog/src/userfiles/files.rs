//! The rows that show contents: one row is one file.

use portolan_files::{Attributes, Condition, ContentId, FileMeta, OpenFile, UserFilesError};
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{failed, failed_reading};
use super::{Outcome, contents, count, now, stored, time};

/// What a new row shows.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) content: ContentId,
    pub(super) size: u64,
    /// As the row keeps them.
    pub(super) attributes: Option<&'a str>,
}

/// The row at a path.
#[derive(Debug)]
struct Row {
    content: ContentId,
    size: i64,
    modified: i64,
    version: i64,
    attributes: Option<String>,
}

fn find(connection: &Connection, set: &str, path: &str) -> Outcome<Option<Row>> {
    connection
        .prepare_cached(
            "SELECT content, size, modified, version, attributes FROM files \
             WHERE set_name = ?1 AND path = ?2",
        )
        .and_then(|mut statement| {
            statement
                .query_row([set, path], |row| {
                    Ok(Row {
                        content: ContentId(row.get(0)?),
                        size: row.get(1)?,
                        modified: row.get(2)?,
                        version: row.get(3)?,
                        attributes: row.get(4)?,
                    })
                })
                .optional()
        })
        .map_err(failed_reading(path))
}

fn existing(connection: &Connection, set: &str, path: &str) -> Outcome<Row> {
    find(connection, set, path)?.ok_or_else(|| UserFilesError::Missing {
        path: path.to_owned(),
    })
}

/// The file at a path.
pub(super) fn open(connection: &Connection, set: &str, path: &str) -> Outcome<OpenFile> {
    let row = existing(connection, set, path)?;
    let attributes = match &row.attributes {
        Some(text) => serde_json::from_str(text).map_err(|_| UserFilesError::DamagedFile {
            path: path.to_owned(),
        })?,
        None => Attributes::new(),
    };
    Ok(OpenFile {
        meta: meta(path.to_owned(), row.size, row.modified, row.version),
        attributes,
        content: row.content,
    })
}

/// What a row says of its file.
pub(super) fn meta(path: String, size: i64, modified: i64, version: i64) -> FileMeta {
    FileMeta {
        path,
        size: count(size),
        modified: time(modified),
        version: count(version),
    }
}

/// Attributes as a row keeps them; none where there are none.
pub(super) fn attributes_text(attributes: &Attributes) -> Outcome<Option<String>> {
    if attributes.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(attributes)
        .map(Some)
        .map_err(|error| UserFilesError::storage(error.to_string()))
}

/// Writes the row at a path, over what was there, if the condition holds. Inside a transaction.
pub(super) fn show(
    transaction: &Connection,
    set: &str,
    path: &str,
    shown: &Shown<'_>,
    condition: Condition,
) -> Outcome<FileMeta> {
    let before = find(transaction, set, path)?;
    check(path, before.as_ref(), condition)?;
    let (modified, version) = (now(), next_version(transaction)?);
    let size = stored(shown.size);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO files \
             (set_name, path, content, size, modified, version, attributes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut statement| {
            statement.execute(params![
                set,
                path,
                shown.content.0,
                size,
                modified,
                version,
                shown.attributes
            ])
        })
        .map_err(failed)?;
    contents::take(transaction, shown.content)?;
    if let Some(before) = before {
        contents::let_go(transaction, before.content)?;
    }
    Ok(meta(path.to_owned(), size, modified, version))
}

fn check(path: &str, before: Option<&Row>, condition: Condition) -> Outcome<()> {
    let path = || path.to_owned();
    match (condition, before) {
        (Condition::Any, _) | (Condition::Absent, None) => Ok(()),
        (Condition::Absent, Some(_)) => Err(UserFilesError::Exists { path: path() }),
        (Condition::Version(wanted), Some(row)) if count(row.version) == wanted => Ok(()),
        (Condition::Version(_), _) => Err(UserFilesError::Changed { path: path() }),
    }
}

/// The next version: never one that was given before, not even by a store that was deleted since,
/// because it is the time unless versions are ahead of it.
fn next_version(transaction: &Connection) -> Outcome<i64> {
    transaction
        .prepare_cached("UPDATE store SET version = max(version + 1, ?1) RETURNING version")
        .and_then(|mut statement| statement.query_row([now()], |row| row.get(0)))
        .map_err(failed)
}

/// Removes a file. Inside a transaction.
pub(super) fn delete(transaction: &Connection, set: &str, path: &str) -> Outcome<()> {
    let row = existing(transaction, set, path)?;
    transaction
        .prepare_cached("DELETE FROM files WHERE set_name = ?1 AND path = ?2")
        .and_then(|mut statement| statement.execute([set, path]))
        .map_err(failed)?;
    contents::let_go(transaction, row.content)
}

/// Shows the content of a file at another path as well. Inside a transaction.
pub(super) fn copy(
    transaction: &Connection,
    set: &str,
    from: &str,
    to: &str,
    condition: Condition,
) -> Outcome<()> {
    let row = existing(transaction, set, from)?;
    let shown = Shown {
        content: row.content,
        size: count(row.size),
        attributes: row.attributes.as_deref(),
    };
    show(transaction, set, to, &shown, condition)?;
    Ok(())
}

/// Gives a file another path. Inside a transaction.
pub(super) fn rename(
    transaction: &Connection,
    set: &str,
    from: &str,
    to: &str,
    condition: Condition,
) -> Outcome<()> {
    if from == to {
        let row = existing(transaction, set, from)?;
        return check(to, Some(&row), condition);
    }
    copy(transaction, set, from, to, condition)?;
    delete(transaction, set, from)
}
