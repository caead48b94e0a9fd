//! One statement about several things: one transaction, and an audit row for each of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use portolan_catalog::{AuditObject, Writer};

use crate::Error;
use crate::access::Actor;
use crate::call::Call;
use crate::trail::AuditRow;

/// Changes each of `items`, or none of them. Every one gets an audit row of its own, so that the
/// trail of a connection is whole; where one fails, the row of the failure names that one.
pub(super) async fn change_each<I, T, F>(
    call: &Call<'_>,
    items: Vec<(AuditObject, I)>,
    mut function: F,
) -> Result<Vec<T>, Error>
where
    I: Send + 'static,
    T: Send + 'static,
    F: FnMut(&Actor, &mut dyn Writer, &I, &mut AuditRow) -> Result<T, Error> + Send + 'static,
{
    let objects: Vec<_> = items.iter().map(|(object, _)| object.clone()).collect();
    let current = Arc::new(AtomicUsize::new(0));
    let reached = Arc::clone(&current);
    let result = call
        .change(move |actor, writer, row| {
            let mut values = Vec::with_capacity(items.len());
            for (place, (object, item)) in items.into_iter().enumerate() {
                if place > 0 {
                    // The row of the last one is written by `change`.
                    row.append(writer)?;
                }
                reached.store(place, Ordering::Relaxed);
                row.object = Some(object);
                row.detail = None;
                values.push(function(actor, writer, &item, row)?);
            }
            Ok(values)
        })
        .await;
    if result.is_err()
        && let Some(object) = objects.into_iter().nth(current.load(Ordering::Relaxed))
    {
        call.concerns(object);
    }
    result
}

/// The same things in the same order, each once.
pub(super) fn each_once<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}
