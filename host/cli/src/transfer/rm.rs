//! `portolan rm`: objects are removed; a partial failure says what was and what was not.

use anyhow::Result;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};

use super::{Place, mapped};
use crate::args::RmArguments;
use crate::report::{self, Failure};
use crate::store::Store;

/// Runs the command.
pub(crate) async fn run(store: &Store, arguments: RmArguments) -> Result<()> {
    let session = store.session().await?;
    let mut removed = 0_u64;
    let mut failed = 0_u64;
    for url in &arguments.urls {
        let place = if arguments.recursive {
            Place::open(&session, url).await?
        } else {
            Place::object(&session, url).await?
        };
        let paths = if arguments.recursive {
            let listed = place
                .store
                .list(Some(&place.path))
                .map_ok(|object| object.location);
            listed.try_collect().await.map_err(mapped)?
        } else {
            // A store may answer a delete of nothing with success; a person wants to know.
            place.store.head(&place.path).await.map_err(mapped)?;
            vec![place.path.clone()]
        };
        for path in paths {
            match place.store.delete(&path).await {
                Ok(()) => removed += 1,
                Err(error) => {
                    failed += 1;
                    report::line(&format!("not removed: {}", place.url(&path)));
                    report::print(&mapped(error));
                }
            }
        }
    }
    if failed > 0 {
        return Err(
            Failure::new("58030", format!("{removed} removed, {failed} not removed")).into(),
        );
    }
    Ok(())
}
