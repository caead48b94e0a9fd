//! A token, and where tokens come from.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http::HeaderValue;
use portolan_secret::SecretText;
use tokio::time::Instant;

use super::CredentialError;

/// How long before its end a token is renewed.
const EARLY: Duration = Duration::from_secs(5 * 60);

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    secret: SecretText,
    /// When it is to be renewed, and when it ends.
    life: Option<(Instant, Instant)>,
}

impl AccessToken {
    /// A token that ends after this time, counted from when it was asked for.
    #[must_use]
    pub fn new(secret: SecretText, asked: Instant, lifetime: Duration) -> Self {
        // A token that lives shorter than that is renewed halfway.
        let early = EARLY.min(lifetime / 2);
        let life = asked
            .checked_add(lifetime)
            .map(|end| (end.checked_sub(early).unwrap_or(asked), end));
        Self { secret, life }
    }

    /// A token of which nobody said when it ends.
    #[must_use]
    pub fn endless(secret: SecretText) -> Self {
        Self { secret, life: None }
    }

    /// Whether it is time for another one.
    pub(super) fn is_old(&self) -> bool {
        self.life.is_some_and(|(old, _)| old <= Instant::now())
    }

    /// Whether no server takes it any more.
    pub(super) fn is_over(&self) -> bool {
        self.life.is_some_and(|(_, end)| end <= Instant::now())
    }

    /// The token as it stands in a message.
    pub(super) fn visible(&self) -> Result<SecretText, CredentialError> {
        let mut bytes = self.secret.expose().bytes();
        match !self.secret.is_empty() && bytes.all(|byte| byte.is_ascii_graphic()) {
            true => Ok(self.secret.clone()),
            false => Err(CredentialError::NoHeader),
        }
    }

    pub(super) fn bearer(&self) -> Result<HeaderValue, CredentialError> {
        let text = SecretText::new(format!("Bearer {}", self.secret.expose()));
        let mut value =
            HeaderValue::from_str(text.expose()).map_err(|_| CredentialError::NoHeader)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

/// Where a token comes from: a key, a token service, or what the host lends its connections.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync {
    /// Asks for a token with this scope.
    ///
    /// # Errors
    ///
    /// Why there is none.
    async fn fetch(&self, scope: &str) -> Result<AccessToken, CredentialError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_five_minutes_before_its_end_or_halfway() {
        for (lifetime, fresh) in [(3600, 3299), (300, 149), (2, 0)] {
            let token = AccessToken::new("t".into(), Instant::now(), Duration::from_secs(lifetime));
            tokio::time::advance(Duration::from_secs(fresh)).await;
            assert!(!token.is_old(), "{lifetime}");
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(token.is_old() && !token.is_over(), "{lifetime}");
            tokio::time::advance(Duration::from_secs(lifetime)).await;
            assert!(token.is_over(), "{lifetime}");
        }
        assert!(!AccessToken::endless("t".into()).is_old());
    }

    #[test]
    fn a_token_that_is_no_header_is_refused_without_being_shown() {
        let error = AccessToken::endless("hunter2\n".into())
            .bearer()
            .expect_err("a line break");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
