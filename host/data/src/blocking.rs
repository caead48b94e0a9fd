//! Blocking work, off the threads that run futures.

use futures::future::{BoxFuture, FutureExt};
use object_store::{Error, Result};

/// Starts `work` at once on a thread for blocking work, and gives the future of its result, or of
/// `stopped` where the runtime shut down before.
///
/// Outside of a runtime there is no such thread, and the work is done here and now.
pub(crate) fn start<F, V>(work: F, stopped: fn() -> Error) -> BoxFuture<'static, Result<V>>
where
    F: FnOnce() -> Result<V> + Send + 'static,
    V: Send + 'static,
{
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => {
            let task = runtime.spawn_blocking(work);
            async move {
                match task.await {
                    Ok(result) => result,
                    Err(error) => match error.try_into_panic() {
                        Ok(panic) => std::panic::resume_unwind(panic),
                        Err(_) => Err(stopped()),
                    },
                }
            }
            .boxed()
        }
        Err(_) => futures::future::ready(work()).boxed(),
    }
}
