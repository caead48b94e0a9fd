//! `portolan ls`: what lies below a URL, one level or all.

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};
use portolan::Cell;

use super::{Place, mapped};
use crate::args::LsArguments;
use crate::sql::Printer;
use crate::store::Store;

const COLUMNS: [&str; 3] = ["path", "size", "modified"];

/// Runs the command. Recursive listings stream; one level is one answer of the store.
pub(crate) async fn run(store: &Store, arguments: LsArguments) -> Result<()> {
    let session = store.session().await?;
    let place = Place::open(&session, &arguments.url).await?;
    let prefix = (!place.path.as_ref().is_empty()).then_some(&place.path);
    let mut printer = Printer::new(&arguments.format);
    let mut sheet = printer.sheet()?;
    sheet.begin(&COLUMNS.map(str::to_owned))?;
    if arguments.recursive {
        let mut objects = place.store.list(prefix).boxed();
        while let Some(object) = objects.try_next().await.map_err(mapped)? {
            sheet.row(&row(&object))?;
        }
    } else {
        let listed = place
            .store
            .list_with_delimiter(prefix)
            .await
            .map_err(mapped)?;
        for directory in &listed.common_prefixes {
            sheet.row(&[Cell::Text(format!("{directory}/")), Cell::Null, Cell::Null])?;
        }
        for object in &listed.objects {
            sheet.row(&row(object))?;
        }
    }
    Ok(sheet.end()?)
}

fn row(object: &ObjectMeta) -> Vec<Cell> {
    vec![
        Cell::Text(object.location.to_string()),
        Cell::Integer(i64::try_from(object.size).unwrap_or(i64::MAX)),
        modified(object),
    ]
}

fn modified(object: &ObjectMeta) -> Cell {
    match jiff::Timestamp::from_second(object.last_modified.timestamp()) {
        Ok(time) => Cell::Text(time.to_string()),
        Err(_) => Cell::Null,
    }
}
