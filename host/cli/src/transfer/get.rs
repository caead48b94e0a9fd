//! `portolan get`: an object becomes a file, whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use tokio::io::AsyncWriteExt;

use super::progress::Progress;
use super::{Place, mapped};
use crate::args::GetArguments;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, arguments: GetArguments) -> Result<()> {
    let session = store.session().await?;
    let place = Place::object(&session, &arguments.url).await?;
    let target = target(arguments.target, place.path.filename().unwrap_or("object"));
    let object = place.store.get(&place.path).await.map_err(mapped)?;
    let progress = Progress::new(&arguments.url, Some(object.meta.size));
    let mut content = object.into_stream();
    let directory = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Written beside the target and renamed, so that an interrupted command leaves the target as it was.
    let unfinished = tempfile::Builder::new()
        .prefix(".portolan-")
        .tempfile_in(directory)
        .with_context(|| format!("cannot write in {}", directory.display()))?;
    let mut file = tokio::fs::File::from_std(unfinished.reopen()?);
    while let Some(bytes) = content.try_next().await.map_err(mapped)? {
        file.write_all(&bytes)
            .await
            .with_context(|| format!("cannot write {}", target.display()))?;
        progress.advance(bytes.len());
    }
    file.flush().await?;
    file.sync_all().await?;
    unfinished
        .persist(&target)
        .with_context(|| format!("cannot write {}", target.display()))?;
    Ok(())
}

/// The file to write: as given, in the directory given, or in this one under the object's name.
fn target(given: Option<PathBuf>, name: &str) -> PathBuf {
    match given {
        Some(path) if path.is_dir() => path.join(name),
        Some(path) => path,
        None => PathBuf::from(name),
    }
}
