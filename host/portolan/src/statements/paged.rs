//! Rows that are read page by page.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt};

use crate::call::Call;
use crate::session::past_deadline;
use crate::trail::outcome_of;
use crate::{Cell, Error, Rows};

/// How many rows of the catalog are in memory at a time.
pub(super) const PAGE: usize = 256;

/// Some rows, and where the next page begins, if there is one.
pub(super) struct Page<K> {
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) next: Option<K>,
}

/// Reads one page.
type Reading<K> = Pin<Box<dyn Future<Output = Result<Page<K>, Error>> + Send>>;

/// Rows in constant memory: each page is a transaction of its own, none is held between them, and
/// privileges are read again for each. The first page is read at once, so that a refusal is the
/// statement's; the audit row of a later one is written here.
pub(super) async fn paged<K, F>(
    call: &Call<'_>,
    columns: &[&'static str],
    read: F,
) -> Result<Rows, Error>
where
    K: Send + 'static,
    F: Fn(Option<K>) -> Reading<K> + Send + Sync + 'static,
{
    let first = read(None).await?;
    let deadline = call.deadline();
    let shared = Arc::new((read, call.catalog().clone(), call.row()));
    let rest = futures::stream::try_unfold(first.next, move |after| {
        let shared = Arc::clone(&shared);
        async move {
            let (read, catalog, row) = &*shared;
            let Some(after) = after else {
                return Ok(None);
            };
            let page = match deadline {
                Some(deadline) if Instant::now() >= deadline => Err(past_deadline()),
                _ => read(Some(after)).await,
            };
            match page {
                Ok(page) => Ok(Some((page.rows, page.next))),
                Err(error) => {
                    let outcome = outcome_of(error.sqlstate().code());
                    let row = row.clone().ended(outcome, error.message());
                    // The failure to write it is traced; the statement's own is what is told.
                    let _ = row.write(catalog).await;
                    Err(error)
                }
            }
        }
    });
    let rest = rest
        .map_ok(|rows| futures::stream::iter(rows.into_iter().map(Ok)))
        .try_flatten();
    let first = futures::stream::iter(first.rows.into_iter().map(Ok));
    Ok(Rows::streamed(columns, first.chain(rest)))
}
