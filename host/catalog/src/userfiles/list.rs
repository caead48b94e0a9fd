//! Pages of files, by the bytes of their paths.

use portolan_files::{Entry, ListPage, ListRequest, UserFilesError};
use rusqlite::{Connection, Row};

use super::failure::failed;
use super::{Outcome, files};

/// The first text after every one that begins with a text and a `/`: `0` follows `/`.
fn after_all_below(path: &str) -> String {
    format!("{path}0")
}

/// The first text after a path that a path can be: no path holds a control character.
fn after(path: &str) -> String {
    format!("{path}\u{1}")
}

/// One page.
pub(super) fn page(connection: &Connection, set: &str, request: &ListRequest) -> Outcome<ListPage> {
    let below = match request.prefix.as_str() {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let end = (!below.is_empty()).then(|| after_all_below(&request.prefix));
    let limit = request.limit.max(1);
    let mut from = request.from.as_str().max(&below).to_owned();
    let mut entries = Vec::new();
    loop {
        let left = limit - entries.len();
        let (more, next) = stretch(
            connection,
            set,
            &from,
            end.as_deref(),
            request.by_directory.then_some(below.len()),
            left,
            &mut entries,
        )?;
        from = next;
        match more {
            More::No => {
                return Ok(ListPage {
                    entries,
                    next: None,
                });
            }
            More::Perhaps if entries.len() == limit => {
                return Ok(ListPage {
                    entries,
                    next: Some(from),
                });
            }
            More::Perhaps => {}
        }
    }
}

enum More {
    No,
    Perhaps,
}

/// Adds the next files, up to the end, to `at_most`, or, by directory, to the next directory. Says
/// whether there may be more, and from where on.
fn stretch(
    connection: &Connection,
    set: &str,
    from: &str,
    end: Option<&str>,
    directories_after: Option<usize>,
    at_most: usize,
    entries: &mut Vec<Entry>,
) -> Outcome<(More, String)> {
    // Two statements, so that each is one walk along the key, which stops where it has to.
    let sql = match end {
        Some(_) => {
            "SELECT path, size, modified, version FROM files \
             WHERE set_name = ?1 AND path >= ?2 AND path < ?3 ORDER BY path LIMIT ?4"
        }
        None => {
            "SELECT path, size, modified, version FROM files \
             WHERE set_name = ?1 AND path >= ?2 AND ?3 IS NULL ORDER BY path LIMIT ?4"
        }
    };
    let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let mut rows = statement
        .query(rusqlite::params![set, from, end, limit])
        .map_err(failed)?;
    let mut found = 0;
    let mut next = from.to_owned();
    while let Some(row) = rows.next().map_err(failed)? {
        let entry = file(row)?;
        found += 1;
        if let Some(skip) = directories_after
            && let Some(slash) = entry.path.get(skip..).and_then(|rest| rest.find('/'))
            && let Some(directory) = entry.path.get(..skip + slash)
        {
            entries.push(Entry::Directory(directory.to_owned()));
            return Ok((More::Perhaps, after_all_below(directory)));
        }
        next = after(&entry.path);
        entries.push(Entry::File(entry));
    }
    let more = if found < at_most {
        More::No
    } else {
        More::Perhaps
    };
    Ok((more, next))
}

fn file(row: &Row<'_>) -> Result<portolan_files::FileMeta, UserFilesError> {
    let read = || {
        Ok(files::meta(
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get(3)?,
        ))
    };
    read().map_err(failed)
}
