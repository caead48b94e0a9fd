//! `portolan cp`: within one connection the store copies; from one to another, or where it cannot,
//! bytes pass through, and what arrived is compared with what was sent.

use anyhow::Result;
use futures::StreamExt;
use object_store::{Error, ObjectStoreExt};

use super::content;
use super::engine::{self, Tools};
use super::entry::{Action, Entry, Plan, Planned};
use super::ledger::Verb;
use super::pattern::refuse_pattern;
use super::place::{Place, mapped};
use super::selection::{Found, Object, Selection};
use super::upload::upload;
use super::verify::{self, Tap};
use crate::args::CpArguments;
use crate::interrupt::Interrupt;
use crate::report::Failure;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: CpArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    refuse_pattern(&arguments.target)?;
    let session = store.session().await?;
    let selection = Selection::open(&session, &arguments.source, arguments.recursive).await?;
    let target = Place::open(&session, &arguments.target).await?;
    let own_name = !selection.is_one() || target.is_whole() || arguments.target.ends_with('/');
    refuse_itself(&selection, &target, own_name)?;
    let plan = plan(
        selection,
        &arguments.source,
        target,
        own_name,
        arguments.verify,
    );
    engine::run(plan, Verb::Copy, &arguments.transfer, interrupt).await
}

/// A copy onto itself does nothing at best; one below itself would find its own copies and go on.
fn refuse_itself(selection: &Selection, target: &Place, own_name: bool) -> Result<()> {
    let source = &selection.place;
    let same = if selection.is_one() {
        source.path == target.path && !own_name
    } else {
        target.path.prefix_matches(&source.path)
    };
    if !same || !source.shares_store(target) {
        return Ok(());
    }
    Err(Failure::new(
        "22023",
        format!("{target} is, or lies below, what is copied: {source}"),
    )
    .hint("choose a target outside of it")
    .into())
}

fn plan(selection: Selection, url: &str, target: Place, own_name: bool, verify: bool) -> Plan {
    let url = url.to_owned();
    selection
        .objects()
        .map(move |found| match found {
            Ok(found) => plan_object(found, &target, own_name, verify),
            Err(error) => Planned::unfound(Action::Copy, &url, error),
        })
        .boxed()
}

fn plan_object(found: Found, target: &Place, own_name: bool, verify: bool) -> Planned {
    let Found { object, relative } = found;
    let shared = object.place.shares_store(target);
    let mut entry = Entry {
        action: if shared { Action::Copy } else { Action::Stream },
        source: object.place.to_string(),
        target: None,
        bytes: Some(object.size),
    };
    let target = if own_name {
        match target.below(&relative) {
            Ok(target) => target,
            Err(error) => return Planned::failed(entry, error),
        }
    } else {
        target.clone()
    };
    entry.target = Some(target.to_string());
    Planned::job(entry, move |tools| async move {
        if shared && copied_by_store(&object, &target, verify, &tools).await? {
            tools.progress.advance(object.size);
            return Ok(Some(object.size));
        }
        stream(&object, &target, verify, &tools).await.map(Some)
    })
}

/// Lets the store copy; false where it cannot.
async fn copied_by_store(
    object: &Object,
    target: &Place,
    verify: bool,
    tools: &Tools,
) -> Result<bool> {
    let source = &object.place;
    match source.store.copy(&source.path, &target.path).await {
        Ok(()) => {}
        Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => return Ok(false),
        Err(error) => return Err(mapped(error)),
    }
    if verify {
        let sent = verify::fingerprint_of(source, tools).await?;
        verify::compare(target, &sent, tools).await?;
    }
    Ok(true)
}

async fn stream(object: &Object, target: &Place, verify: bool, tools: &Tools) -> Result<u64> {
    let content = tools
        .unless_asked(content::of_object(object, tools))
        .await??;
    if verify {
        let tap = Tap::default();
        let size = upload(target, tap.on(content), tools).await?;
        verify::compare(target, &tap.fingerprint(), tools).await?;
        return Ok(size);
    }
    let size = upload(target, content, tools).await?;
    verify::compare_size(target, size).await?;
    Ok(size)
}
