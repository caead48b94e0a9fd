//! `portolan put`: a file, a tree of files, or standard input becomes objects.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use futures::{StreamExt, stream};

use super::content::{self, Content};
use super::engine::{self, Tools};
use super::entry::{Action, Ending, Entry, Plan, Planned};
use super::ledger::Verb;
use super::local::{self, Local, Tree};
use super::pattern::refuse_pattern;
use super::place::Place;
use super::upload::upload;
use super::verify::{self, Tap};
use crate::args::PutArguments;
use crate::interrupt::Interrupt;
use crate::report::Failure;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(
    store: &Store,
    arguments: PutArguments,
    interrupt: &Interrupt,
) -> Result<()> {
    refuse_pattern(&arguments.url)?;
    let session = store.session().await?;
    let place = Place::open(&session, &arguments.url).await?;
    let source = arguments.source.as_path();
    let plan = if source == Path::new("-") {
        place.require_object()?;
        pipe(place, arguments.verify)
    } else if source.is_dir() {
        if !arguments.recursive {
            return Err(
                Failure::new("22023", format!("{} is a directory", source.display()))
                    .hint("add -r to put what lies below it")
                    .into(),
            );
        }
        tree(Tree::open(source)?, place, arguments.verify)
    } else {
        file(source, &arguments.url, place, arguments.verify)
    };
    engine::run(plan, Verb::Copy, &arguments.transfer, interrupt).await
}

fn pipe(target: Place, verify: bool) -> Plan {
    let entry = Entry {
        action: Action::Put,
        source: "-".to_owned(),
        target: Some(target.to_string()),
        bytes: None,
    };
    let job = Planned::job(entry, move |tools| async move {
        let content = content::of_reader(tokio::io::stdin(), "standard input", &tools);
        send(&target, content, verify, &tools).await
    });
    stream::iter([job]).boxed()
}

/// One file; a target that ends in `/`, or is a whole connection, takes it under its own name.
fn file(source: &Path, url: &str, place: Place, verify: bool) -> Plan {
    let planned = plan_file(source, url, place, verify);
    let name = source.display().to_string();
    stream::iter([planned.unwrap_or_else(|error| Planned::unfound(Action::Put, &name, error))])
        .boxed()
}

fn plan_file(source: &Path, url: &str, place: Place, verify: bool) -> Result<Planned> {
    let name = source.display().to_string();
    let metadata =
        std::fs::metadata(source).map_err(|error| local::failed("read", &name, &error))?;
    let target = if place.is_whole() || url.ends_with('/') {
        place.below(&object_name(Path::new(
            source.file_name().unwrap_or_default(),
        ))?)?
    } else {
        place
    };
    let regular = metadata.is_file();
    let size = metadata.len();
    let entry = Entry {
        action: Action::Put,
        source: name.clone(),
        target: Some(target.to_string()),
        bytes: regular.then_some(size),
    };
    let path = source.to_owned();
    Ok(Planned::job(entry, move |tools| async move {
        let opened = tokio::fs::File::open(&path).await;
        let opened = opened.map_err(|error| local::failed("read", &name, &error))?;
        // What the user named may be a pipe, whose size nobody knows.
        let size = if regular { size } else { 0 };
        let content = content::of_file(opened.into_std().await, size, name, &tools);
        send(&target, content, verify, &tools).await
    }))
}

/// Every file below a directory.
fn tree(tree: Tree, place: Place, verify: bool) -> Plan {
    let tree = Arc::new(tree);
    tree.walk()
        .map(move |local| plan_local(&tree, &place, local, verify))
        .boxed()
}

fn plan_local(tree: &Arc<Tree>, place: &Place, local: Local, verify: bool) -> Planned {
    let entry = |path: &Path, bytes| Entry {
        action: Action::Put,
        source: tree.shown(path),
        target: None,
        bytes,
    };
    let (path, size) = match local {
        Local::File(path, size) => (path, size),
        Local::Skipped(path, error) => {
            return Planned::Ended(entry(&path, None), Ending::Skipped(error));
        }
        Local::Failed(path, error) => return Planned::failed(entry(&path, None), error),
    };
    let target = match object_name(&path).and_then(|name| place.below(&name)) {
        Ok(target) => target,
        Err(error) => return Planned::failed(entry(&path, Some(size)), error),
    };
    let mut entry = entry(&path, Some(size));
    entry.target = Some(target.to_string());
    let tree = Arc::clone(tree);
    Planned::job(entry, move |tools| async move {
        let name = tree.shown(&path);
        let (file, size) = tokio::task::spawn_blocking(move || tree.file(&path)).await??;
        let content = content::of_file(file, size, name, &tools);
        send(&target, content, verify, &tools).await
    })
}

/// The path of an object for that of a file, whose names must be text.
fn object_name(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::new(
            "22023",
            format!(
                "the name of {} is not UTF-8, so no object can have it",
                path.display()
            ),
        )
        .hint("rename the file")
        .into()
    })
}

async fn send(
    target: &Place,
    content: Content,
    verify: bool,
    tools: &Tools,
) -> Result<Option<u64>> {
    if !verify {
        return upload(target, content, tools).await.map(Some);
    }
    let tap = Tap::default();
    let size = upload(target, tap.on(content), tools).await?;
    verify::compare(target, &tap.fingerprint(), tools).await?;
    Ok(Some(size))
}
