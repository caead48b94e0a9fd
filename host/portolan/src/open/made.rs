//! What a handle has made of the version of its connection that it uses.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::pinned::Pinned;

/// What a handle works with: made when it is opened, and anew once its gate says that it uses
/// something else, another version or another provider.
#[derive(Debug)]
pub(crate) struct Made<T>(Mutex<(Arc<Pinned>, T)>);

impl<T: Clone> Made<T> {
    pub(crate) fn new(pinned: Arc<Pinned>, made: T) -> Self {
        Self(Mutex::new((pinned, made)))
    }

    /// What was made of `pinned`, or what `make` makes of it now. Where that fails, the next
    /// operation tries again.
    pub(crate) async fn of<E>(
        &self,
        pinned: &Arc<Pinned>,
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut held = self.0.lock().await;
        if !Arc::ptr_eq(&held.0, pinned) {
            let made = make.await?;
            *held = (Arc::clone(pinned), made);
        }
        Ok(held.1.clone())
    }
}
