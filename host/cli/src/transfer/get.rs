//! `portolan get`: objects become files, each whole or not at all.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt;

use super::download::download;
use super::engine::{self, Tools};
use super::entry::{Action, Ending, Entry, Plan, Planned};
use super::ledger::Verb;
use super::local::{Standing, TargetDirectory, local_path};
use super::selection::{Found, Object, Selection};
use crate::args::GetArguments;
use crate::interrupt::Interrupt;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: GetArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    let session = store.session().await?;
    let selection = Selection::open(&session, &arguments.url, arguments.recursive).await?;
    let keep = arguments.no_clobber;
    let plan = if selection.is_one() {
        let (directory, name) = file_target(arguments.target, selection.place.last_name())?;
        plan(selection, &arguments.url, directory, Some(name), keep)
    } else {
        let target = tree_target(arguments.target, &selection);
        let directory = if arguments.transfer.dry_run {
            TargetDirectory::imagined(&target)?
        } else {
            TargetDirectory::made(&target)?
        };
        plan(selection, &arguments.url, directory, None, keep)
    };
    engine::run(plan, Verb::Copy, &arguments.transfer, interrupt).await
}

/// Where one object goes: to the path as given, into the directory given, or here under its name.
fn file_target(given: Option<PathBuf>, name: &str) -> Result<(TargetDirectory, PathBuf)> {
    let path = match given {
        Some(path) if path.is_dir() => path.join(local_path(name)?),
        Some(path) => path,
        None => local_path(name)?,
    };
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    let directory = TargetDirectory::existing(path.parent().unwrap_or(Path::new("")))?;
    Ok((directory, name))
}

/// Where many go: to the directory given, else to one of the URL's last name, or here.
fn tree_target(given: Option<PathBuf>, selection: &Selection) -> PathBuf {
    match (given, &selection.pattern) {
        (Some(path), _) => path,
        (None, Some(_)) => PathBuf::from("."),
        (None, None) => PathBuf::from(selection.place.last_name()),
    }
}

/// A job for each object, under its own path or the one name that was given.
fn plan(
    selection: Selection,
    url: &str,
    directory: TargetDirectory,
    name: Option<PathBuf>,
    keep: bool,
) -> Plan {
    let url = url.to_owned();
    selection
        .objects()
        .map(move |found| match found {
            Ok(found) => plan_object(found, &directory, name.as_deref(), keep),
            Err(error) => Planned::unfound(Action::Get, &url, error),
        })
        .boxed()
}

fn plan_object(
    found: Found,
    directory: &TargetDirectory,
    name: Option<&Path>,
    keep: bool,
) -> Planned {
    let Found { object, relative } = found;
    let shown = object.place.to_string();
    let mut entry = Entry {
        action: Action::Get,
        source: shown.clone(),
        target: None,
        bytes: Some(object.size),
    };
    let path = match name.map_or_else(|| local_path(&relative), |name| Ok(name.to_owned())) {
        Ok(path) => path,
        Err(error) => return Planned::failed(entry, error),
    };
    entry.target = Some(directory.shown(&path));
    match directory.standing(&path, &shown) {
        Ok(Standing::File) if keep => return Planned::Ended(entry, Ending::Kept),
        Ok(_) => {}
        Err(error) => return Planned::failed(entry, error),
    }
    let directory = directory.clone();
    Planned::job(entry, move |tools| async move {
        fetch(object, directory, path, keep, tools).await
    })
}

async fn fetch(
    object: Object,
    directory: TargetDirectory,
    path: PathBuf,
    keep: bool,
    tools: Arc<Tools>,
) -> Result<Option<u64>> {
    let shown = directory.shown(&path);
    let name = object.place.to_string();
    let begun = tokio::task::spawn_blocking(move || directory.begin(&path, &name));
    let unfinished = begun.await??;
    let size = download(&object, unfinished.file(), &shown, &tools).await?;
    tokio::task::spawn_blocking(move || unfinished.publish(keep)).await??;
    Ok(Some(size))
}
