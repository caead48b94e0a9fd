//! `portolan rm`: objects are removed.

use std::sync::Arc;

use anyhow::Result;
use futures::{StreamExt, stream};
use object_store::ObjectStore;

use super::engine;
use super::entry::{Action, Entry, Plan, Planned};
use super::ledger::Verb;
use super::place::mapped;
use super::selection::{Found, Selection};
use crate::args::RmArguments;
use crate::confirm;
use crate::interrupt::Interrupt;
use crate::report::{Failure, Interrupted};
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: RmArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    let session = store.session().await?;
    let mut plans: Vec<Plan> = Vec::new();
    for url in arguments.urls {
        let selection = Selection::open(&session, &url, arguments.recursive).await?;
        if selection.is_everything() && !arguments.yes && !arguments.transfer.dry_run {
            let question = format!("Remove everything in {}?", selection.place.base);
            let confirmed = tokio::select! {
                confirmed = confirm::confirmed(&question, unasked) => confirmed?,
                () = interrupt.asked() => return Err(Interrupted::default().into()),
            };
            if !confirmed {
                return Err(Failure::new("57014", "nothing was removed")
                    .hint("look at what --dry-run prints, and answer y or add --yes if it is meant")
                    .into());
            }
        }
        let store = Arc::clone(&selection.place.store);
        let plan = selection
            .objects()
            .ready_chunks(engine::TOGETHER)
            .map(move |found| stream::iter(plan_objects(&store, &url, found)))
            .flatten();
        plans.push(plan.boxed());
    }
    let plan = stream::iter(plans).flatten().boxed();
    engine::run(plan, Verb::Remove, &arguments.transfer, interrupt).await
}

fn unasked() -> Failure {
    Failure::new(
        "57014",
        "to remove everything that a connection holds needs a terminal or --yes",
    )
    .hint("look at what --dry-run prints, then add --yes")
}

/// What was found by now goes together: the store may need one request for all of it.
fn plan_objects(
    store: &Arc<dyn ObjectStore>,
    url: &str,
    found: Vec<Result<Found>>,
) -> Vec<Planned> {
    let mut unfound = Vec::new();
    let (mut entries, mut paths) = (Vec::new(), Vec::new());
    for found in found {
        match found {
            Ok(Found { object, .. }) => {
                entries.push(Entry {
                    action: Action::Remove,
                    source: object.place.to_string(),
                    target: None,
                    bytes: Some(object.size),
                });
                paths.push(Ok(object.place.path));
            }
            Err(error) => unfound.push(Planned::unfound(Action::Remove, url, error)),
        }
    }
    let store = Arc::clone(store);
    let mut planned = Vec::new();
    if !entries.is_empty() {
        planned.push(Planned::together(entries, || async move {
            let removed = store.delete_stream(stream::iter(paths).boxed());
            let removed = removed.map(|removed| removed.map(|_| ()).map_err(mapped));
            removed.collect().await
        }));
    }
    planned.append(&mut unfound);
    planned
}
