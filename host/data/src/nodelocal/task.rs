//! Blocking work, with the words of this store where it is stopped.

use futures::future::BoxFuture;
use object_store::Result;

use super::error::NodelocalError;
use crate::blocking;

/// Starts `work` at once on a thread for blocking work, and gives the future of its result.
pub(super) fn start<F, V>(work: F) -> BoxFuture<'static, Result<V>>
where
    F: FnOnce() -> Result<V> + Send + 'static,
    V: Send + 'static,
{
    blocking::start(work, || NodelocalError::Stopped.into())
}
