//! The catalog for asynchronous callers, with its revision.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};

use crate::access::{Catalog, Reader, StateMark, Writer};
use crate::error::CatalogError;
use crate::model::CatalogId;

/// How long a revision that was read counts as current.
const FRESH: Duration = Duration::from_secs(1);

/// A catalog whose transactions run on threads that may block.
///
/// Clones share one catalog. A transaction that has started runs to its end, also when the future
/// that waits for it is dropped.
#[derive(Debug, Clone)]
pub struct CatalogHandle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    catalog: Arc<dyn Catalog>,
    runtime: Handle,
    revision: watch::Sender<u64>,
    /// When the revision was last read from the catalog. Held while it is read, so that callers who
    /// come meanwhile wait for that answer.
    checked: Mutex<Option<Instant>>,
}

impl CatalogHandle {
    /// Wraps `catalog`; `runtime` lends the threads.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, runtime: Handle) -> Self {
        let (revision, _) = watch::channel(0);
        Self {
            shared: Arc::new(Shared {
                catalog,
                runtime,
                revision,
                checked: Mutex::new(None),
            }),
        }
    }

    /// Tells this catalog from every other.
    #[must_use]
    pub fn id(&self) -> CatalogId {
        self.shared.catalog.id()
    }

    /// Marks the state that a transaction would see if it began now, as [`Catalog::mark`] does. It
    /// takes a few microseconds and needs no other thread.
    #[must_use]
    pub fn mark(&self) -> Option<StateMark> {
        self.shared.catalog.mark()
    }

    /// Runs `function` on one consistent state.
    ///
    /// # Errors
    /// What `function` returns, or why it could not run.
    pub async fn read<T, E, F>(&self, function: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
        F: FnOnce(&dyn Reader) -> Result<T, E> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        self.blocking(move || {
            let mut function = Some(function);
            let mut result = None;
            let outcome = shared.catalog.read(&mut |reader| {
                let function = function.take().ok_or(CatalogError::Interrupted)?;
                result = Some(function(reader));
                Ok(())
            });
            match (result, outcome) {
                (Some(Err(error)), _) => Err(error),
                (_, Err(error)) => Err(error.into()),
                (Some(Ok(value)), Ok(())) => Ok(value),
                (None, Ok(())) => Err(CatalogError::Interrupted.into()),
            }
        })
        .await
    }

    /// Runs `function` while nobody else writes and makes its changes durable, or, when it returns
    /// an error, none of them.
    ///
    /// # Errors
    /// What `function` returns, or why its changes could not be made.
    pub async fn write<T, E, F>(&self, function: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
        F: FnOnce(&mut dyn Writer) -> Result<T, E> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        self.blocking(move || {
            let mut function = Some(function);
            let mut result = None;
            let outcome = shared.catalog.write(&mut |writer| {
                let function = function.take().ok_or(CatalogError::Interrupted)?;
                match function(writer) {
                    Ok(value) => {
                        result = Some(Ok(value));
                        Ok(())
                    }
                    Err(error) => {
                        result = Some(Err(error));
                        // Any error rolls back; the caller gets its own.
                        Err(CatalogError::Interrupted)
                    }
                }
            });
            match (result, outcome) {
                (Some(Err(error)), _) => Err(error),
                (_, Err(error)) => Err(error.into()),
                (Some(Ok(value)), Ok(revision)) => {
                    shared.saw(revision);
                    Ok(value)
                }
                (None, Ok(_)) => Err(CatalogError::Interrupted.into()),
            }
        })
        .await
    }

    /// Tells of every new revision that this process makes or notices. Changes by other processes
    /// are noticed by [`Self::revision`].
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.revision.subscribe()
    }

    /// The catalog's revision: changes of this process count at once, those of others within a
    /// second.
    ///
    /// # Errors
    /// Why the revision could not be read. A caller must not go on as if nothing had changed.
    pub async fn revision(&self) -> Result<u64, CatalogError> {
        let mut checked = self.shared.checked.lock().await;
        if checked.is_none_or(|at| at.elapsed() >= FRESH) {
            let asked = Instant::now();
            let revision = self
                .read::<_, CatalogError, _>(|reader| reader.revision())
                .await?;
            self.shared.saw(revision);
            *checked = Some(asked);
        }
        Ok(*self.shared.revision.borrow())
    }

    async fn blocking<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<CatalogError> + Send + 'static,
    {
        match self.shared.runtime.spawn_blocking(work).await {
            Ok(result) => result,
            Err(_) => Err(CatalogError::Interrupted.into()),
        }
    }
}

impl Shared {
    /// Revisions only grow, however late an answer comes.
    fn saw(&self, revision: u64) {
        self.revision.send_if_modified(|known| {
            let newer = revision > *known;
            *known = revision.max(*known);
            newer
        });
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::sqlite::{KeySource, SqliteCatalog, SqliteOptions};

    fn catalog() -> (CatalogHandle, tempfile::TempDir) {
        let directory = tempfile::tempdir().expect("a directory");
        let catalog = SqliteCatalog::open(SqliteOptions {
            path: directory.path().join("catalog.sqlite"),
            key: KeySource::File(directory.path().join("master.key")),
        });
        let catalog = Arc::new(catalog.expect("a catalog"));
        (CatalogHandle::new(catalog, Handle::current()), directory)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn transactions_run_off_the_threads_of_the_runtime() {
        let (catalog, _directory) = catalog();
        let here = thread::current().id();
        let read = catalog.read::<_, CatalogError, _>(|_| Ok(thread::current().id()));
        assert_ne!(read.await.expect("read"), here);
        let written = catalog.write::<_, CatalogError, _>(|_| Ok(thread::current().id()));
        assert_ne!(written.await.expect("written"), here);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_runtime_goes_on_while_a_transaction_waits() {
        let (catalog, _directory) = catalog();
        let (go_on, waits) = std::sync::mpsc::channel();
        let waiting = catalog.read::<_, CatalogError, _>(move |_| {
            Ok(waits.recv_timeout(Duration::from_secs(60)).is_ok())
        });
        // On the one thread there is, this is said only when the transaction does not hold it.
        let speaking = async { go_on.send(()).expect("somebody listens") };
        assert!(tokio::join!(waiting, speaking).0.expect("read"));
    }
}
