//! One token for all who ask, renewed by one of them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{AccessToken, CredentialError};

/// The token of a connection.
#[derive(Debug, Default)]
pub(super) struct TokenCache {
    current: Mutex<Option<Arc<AccessToken>>>,
    /// Held by the one who asks the token service.
    turn: tokio::sync::Mutex<()>,
}

impl TokenCache {
    /// The token, asked for where there is none or the one that is there is old.
    ///
    /// While an old token still lives, it serves those who do not renew it, and all where the
    /// renewal fails.
    pub(super) async fn get<F>(
        &self,
        fetch: impl FnOnce() -> F + Send,
    ) -> Result<Arc<AccessToken>, CredentialError>
    where
        F: Future<Output = Result<AccessToken, CredentialError>> + Send,
    {
        let living = self.living();
        if let Some(token) = &living
            && !token.is_old()
        {
            return Ok(Arc::clone(token));
        }
        let _turn = match (living, self.turn.try_lock()) {
            (_, Ok(turn)) => turn,
            (Some(token), Err(_)) => return Ok(token),
            (None, Err(_)) => self.turn.lock().await,
        };
        if let Some(token) = self.living()
            && !token.is_old()
        {
            // The one before has brought it.
            return Ok(token);
        }
        match fetch().await {
            Ok(token) => {
                let token = Arc::new(token);
                *self.current() = Some(Arc::clone(&token));
                Ok(token)
            }
            Err(error) => self.living().ok_or(error),
        }
    }

    /// Lets go of the token: a server did not take it.
    pub(super) fn forget(&self) {
        *self.current() = None;
    }

    fn living(&self) -> Option<Arc<AccessToken>> {
        let current = self.current();
        current.as_ref().filter(|token| !token.is_over()).cloned()
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Option<Arc<AccessToken>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use tokio::time::{Instant, advance, sleep};

    use super::*;

    async fn slowly(asked: &AtomicU32) -> Result<AccessToken, CredentialError> {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(10)).await;
        let secret = format!("token {number}").into();
        Ok(AccessToken::new(
            secret,
            Instant::now(),
            Duration::from_secs(3600),
        ))
    }

    async fn never() -> Result<AccessToken, CredentialError> {
        Err(CredentialError::NoHeader)
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_ask_the_service_once() {
        let (cache, asked) = (TokenCache::default(), AtomicU32::new(0));
        let all = (0..50).map(|_| cache.get(|| slowly(&asked)));
        for token in futures::future::join_all(all).await {
            token.expect("a token");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);

        advance(Duration::from_secs(3400)).await;
        let all = (0..50).map(|_| cache.get(|| slowly(&asked)));
        for token in futures::future::join_all(all).await {
            token.expect("a token");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2, "renewed by one of them");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_still_lives_serves_where_its_renewal_fails() {
        let (cache, asked) = (TokenCache::default(), AtomicU32::new(0));
        cache.get(|| slowly(&asked)).await.expect("a token");
        advance(Duration::from_secs(3400)).await;
        cache.get(never).await.expect("the old token");
        advance(Duration::from_secs(300)).await;
        cache.get(never).await.expect_err("it is over");
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_goes_away_while_asking_leaves_the_turn_to_the_next() {
        let (cache, asked) = (TokenCache::default(), AtomicU32::new(0));
        let gone = tokio::time::timeout(Duration::from_millis(1), cache.get(|| slowly(&asked)));
        assert!(gone.await.is_err());
        cache.get(|| slowly(&asked)).await.expect("a token");
        cache.forget();
        cache.get(|| slowly(&asked)).await.expect("another");
        assert_eq!(asked.load(Ordering::Relaxed), 3);
    }
}
