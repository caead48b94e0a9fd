//! `portolan cp`: within one connection the store copies; from one to another bytes pass through,
//! and the sizes are compared.

use anyhow::Result;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use super::progress::Progress;
use super::{Place, mapped, upload};
use crate::args::CpArguments;
use crate::report::Failure;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, arguments: CpArguments) -> Result<()> {
    let session = store.session().await?;
    let source = Place::object(&session, &arguments.source).await?;
    let mut target = Place::open(&session, &arguments.target).await?;
    if target.path.as_ref().is_empty() || arguments.target.ends_with('/') {
        let name = source.path.filename().unwrap_or("object").to_owned();
        target.path = target.below(&name)?;
    }
    if source.base == target.base {
        return source
            .store
            .copy(&source.path, &target.path)
            .await
            .map_err(mapped);
    }
    let object = source.store.get(&source.path).await.map_err(mapped)?;
    let size = object.meta.size;
    let progress = Progress::new(&arguments.target, Some(size));
    let content = object.into_stream().map_err(mapped).boxed();
    upload(&target, content, &progress).await?;
    let arrived = target.store.head(&target.path).await.map_err(mapped)?.size;
    if arrived != size {
        return Err(Failure::new(
            "08P01",
            format!(
                "{} has {arrived} bytes, its source {size}",
                target.url(&target.path)
            ),
        )
        .hint("the source changed meanwhile, or the target lost bytes; copy again")
        .into());
    }
    Ok(())
}
