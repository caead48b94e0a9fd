//! `portolan ls`: what lies below a URL, one level or all, or what matches a pattern.

use std::collections::HashSet;

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use portolan::Cell;

use super::pattern::{Located, Pattern};
use super::place::{Place, mapped};
use super::selection::nothing_matches;
use crate::args::LsArguments;
use crate::format::ResultWriter;
use crate::sql::Printer;
use crate::store::Store;

const COLUMNS: [&str; 3] = ["path", "size", "modified"];

/// Runs the command. Recursive listings and patterns stream; one level is one answer of the store.
pub(crate) async fn run(store: &Store, arguments: LsArguments) -> Result<()> {
    let session = store.session().await?;
    let Located { url, pattern } = Located::read(&arguments.url)?;
    let place = Place::open(&session, &url).await?;
    let mut printer = Printer::new(&arguments.format);
    let mut sheet = printer.sheet()?;
    sheet.begin(&COLUMNS.map(str::to_owned))?;
    let listed = match pattern {
        Some(pattern) => matching(&place, &pattern, arguments.recursive, &mut *sheet).await?,
        None if arguments.recursive => everything(&place, &mut *sheet).await?,
        None => one_level(&place, &mut *sheet).await?,
    };
    sheet.end()?;
    match listed {
        Listed::Something => Ok(()),
        Listed::NothingMatches => Err(nothing_matches(&arguments.url, &place)),
    }
}

/// What came of a listing.
enum Listed {
    Something,
    NothingMatches,
}

fn prefix(place: &Place) -> Option<&object_store::path::Path> {
    (!place.is_whole()).then_some(&place.path)
}

async fn everything(place: &Place, sheet: &mut dyn ResultWriter) -> Result<Listed> {
    let mut objects = place.store.list(prefix(place)).boxed();
    while let Some(object) = objects.try_next().await.map_err(mapped)? {
        sheet.row(&row(&object))?;
    }
    Ok(Listed::Something)
}

async fn one_level(place: &Place, sheet: &mut dyn ResultWriter) -> Result<Listed> {
    let listed = place
        .store
        .list_with_delimiter(prefix(place))
        .await
        .map_err(mapped)?;
    for directory in &listed.common_prefixes {
        sheet.row(&directory_row(directory.as_ref()))?;
    }
    for object in &listed.objects {
        sheet.row(&row(object))?;
    }
    // The URL may be that of an object, which is no level.
    if listed.common_prefixes.is_empty() && listed.objects.is_empty() && !place.is_whole() {
        match place.store.head(&place.path).await {
            Ok(object) => sheet.row(&row(&object))?,
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(mapped(error)),
        }
    }
    Ok(Listed::Something)
}

/// The objects that match, and the levels that match, once each; with `recursive` what lies below
/// these instead.
async fn matching(
    place: &Place,
    pattern: &Pattern,
    recursive: bool,
    sheet: &mut dyn ResultWriter,
) -> Result<Listed> {
    let mut objects = place.store.list(prefix(place)).boxed();
    let mut directories = HashSet::new();
    let mut listed = Listed::NothingMatches;
    while let Some(object) = objects.try_next().await.map_err(mapped)? {
        let path = object.location.as_ref();
        let ancestor = pattern.ancestor(path);
        if pattern.matches(path) || (recursive && ancestor.is_some()) {
            sheet.row(&row(&object))?;
        } else if let Some(ancestor) = ancestor {
            if directories.insert(ancestor.to_owned()) {
                sheet.row(&directory_row(ancestor))?;
            }
        } else {
            continue;
        }
        listed = Listed::Something;
    }
    Ok(listed)
}

fn row(object: &ObjectMeta) -> Vec<Cell> {
    vec![
        Cell::Text(object.location.to_string()),
        Cell::Integer(i64::try_from(object.size).unwrap_or(i64::MAX)),
        modified(object),
    ]
}

fn directory_row(path: &str) -> Vec<Cell> {
    vec![Cell::Text(format!("{path}/")), Cell::Null, Cell::Null]
}

fn modified(object: &ObjectMeta) -> Cell {
    match jiff::Timestamp::from_second(object.last_modified.timestamp()) {
        Ok(time) => Cell::Text(time.to_string()),
        Err(_) => Cell::Null,
    }
}
