//! One key for all who ask, renewed by one of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;

use super::{AwsCredentialError, AwsKeys, AwsSource};

/// The key of a source. Cheap to clone; clones share it.
#[derive(Debug, Clone)]
pub struct CachedKeys {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    source: Arc<dyn AwsSource>,
    current: Mutex<Option<Arc<AwsKeys>>>,
    /// Held by the one who asks the source.
    turn: tokio::sync::Mutex<()>,
}

impl CachedKeys {
    /// The keys of this source.
    #[must_use]
    pub fn new(source: Arc<dyn AwsSource>) -> Self {
        Self {
            shared: Arc::new(Shared {
                source,
                current: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// The key, fetched where there is none or the one that is there is old.
    ///
    /// While an old key still lives, it serves those who do not renew it, and all where the renewal
    /// fails.
    ///
    /// # Errors
    ///
    /// Why the source has none.
    pub async fn get(&self) -> Result<Arc<AwsKeys>, AwsCredentialError> {
        let living = self.living();
        if let Some(keys) = &living
            && !keys.is_old(SystemTime::now())
        {
            return Ok(Arc::clone(keys));
        }
        let _turn = match (living, self.shared.turn.try_lock()) {
            (_, Ok(turn)) => turn,
            (Some(keys), Err(_)) => return Ok(keys),
            (None, Err(_)) => self.shared.turn.lock().await,
        };
        if let Some(keys) = self.living()
            && !keys.is_old(SystemTime::now())
        {
            // The one before has brought it.
            return Ok(keys);
        }
        match self.shared.source.fetch().await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *self.current() = Some(Arc::clone(&keys));
                Ok(keys)
            }
            Err(error) => self.living().ok_or(error),
        }
    }

    /// Lets go of a key that ends at some time, and of those that it was had with: a service did not
    /// take it any more. Says whether there can be another one.
    pub fn forget(&self) -> bool {
        let before = self.shared.source.forget();
        let mut current = self.current();
        let is_temporary = current.as_ref().is_some_and(|keys| keys.life.is_some());
        if is_temporary {
            *current = None;
        }
        before || is_temporary
    }

    fn living(&self) -> Option<Arc<AwsKeys>> {
        let now = SystemTime::now();
        let current = self.current();
        current.as_ref().filter(|keys| !keys.is_over(now)).cloned()
    }

    fn current(&self) -> MutexGuard<'_, Option<Arc<AwsKeys>>> {
        let current = self.shared.current.lock();
        current.unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AwsSource for CachedKeys {
    async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError> {
        Ok((*self.get().await?).clone())
    }

    fn forget(&self) -> bool {
        Self::forget(self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::*;

    /// Gives keys that live so many seconds, numbered; fails after so many.
    #[derive(Debug)]
    struct Numbered {
        asked: AtomicU64,
        lifetime: u64,
        most: u64,
    }

    #[async_trait]
    impl AwsSource for Numbered {
        async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            if number >= self.most {
                return Err(AwsCredentialError::NothingLent);
            }
            let now = SystemTime::now();
            Ok(AwsKeys {
                id: number.to_string(),
                secret: "secret".into(),
                token: None,
                life: Some((now, now + Duration::from_millis(self.lifetime))),
            })
        }
    }

    fn numbered(lifetime: u64, most: u64) -> (Arc<Numbered>, CachedKeys) {
        let source = Arc::new(Numbered {
            asked: AtomicU64::new(0),
            lifetime,
            most,
        });
        let shared: Arc<dyn AwsSource> = Arc::<Numbered>::clone(&source);
        (source, CachedKeys::new(shared))
    }

    #[tokio::test]
    async fn many_who_ask_at_once_are_one_question() {
        let (source, cached) = numbered(3_600_000, 9);
        let all = futures::future::join_all((0..50).map(|_| cached.get())).await;
        for keys in all {
            assert_eq!(keys.expect("a key").id, "0");
        }
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_old_key_serves_while_another_is_fetched_and_where_that_fails() {
        let (source, cached) = numbered(400, 1);
        assert_eq!(cached.get().await.expect("a key").id, "0");
        // Past its half, but not past its end.
        tokio::time::sleep(Duration::from_millis(210)).await;
        let (first, second) = futures::future::join(cached.get(), cached.get()).await;
        assert_eq!(first.expect("the old one").id, "0");
        assert_eq!(second.expect("the old one").id, "0");
        assert_eq!(source.asked.load(Ordering::SeqCst), 2);
        tokio::time::sleep(Duration::from_millis(250)).await;
        cached.get().await.expect_err("over");
    }
}
