//! `portolan cat`: objects to standard output, one after the other.

use anyhow::Result;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use tokio::io::AsyncWriteExt;

use super::{Place, mapped};
use crate::args::CatArguments;
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, arguments: CatArguments) -> Result<()> {
    let session = store.session().await?;
    let mut output = tokio::io::stdout();
    for url in &arguments.urls {
        let place = Place::object(&session, url).await?;
        let mut content = place
            .store
            .get(&place.path)
            .await
            .map_err(mapped)?
            .into_stream();
        while let Some(bytes) = content.try_next().await.map_err(mapped)? {
            output.write_all(&bytes).await?;
        }
    }
    output.flush().await?;
    Ok(())
}
