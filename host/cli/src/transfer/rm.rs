//! `portolan rm`: objects are removed.

use anyhow::Result;
use futures::{StreamExt, stream};
use object_store::ObjectStoreExt;

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
                return Err(Failure::new("57014", "nothing was removed").into());
            }
        }
        plans.push(
            selection
                .objects()
                .map(move |found| match found {
                    Ok(found) => plan_object(found),
                    Err(error) => Planned::unfound(Action::Remove, &url, error),
                })
                .boxed(),
        );
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

fn plan_object(found: Found) -> Planned {
    let Found { object, .. } = found;
    let entry = Entry {
        action: Action::Remove,
        source: object.place.to_string(),
        target: None,
        bytes: Some(object.size),
    };
    Planned::job(entry, |_| async move {
        let place = object.place;
        place.store.delete(&place.path).await.map_err(mapped)?;
        Ok(None)
    })
}
