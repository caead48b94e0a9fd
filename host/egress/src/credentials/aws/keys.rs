//! A key of AWS, and where one comes from.

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use portolan_secret::SecretText;

use super::AwsCredentialError;

/// How long before its end a key is renewed.
const EARLY: Duration = Duration::from_secs(5 * 60);

/// A key. `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsKeys {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: SecretText,
    /// The token of a temporary key.
    pub token: Option<SecretText>,
    /// When it was issued and when it ends, for a temporary key.
    pub life: Option<(SystemTime, SystemTime)>,
}

impl AwsKeys {
    /// Whether it is time for another one.
    pub(super) fn is_old(&self, now: SystemTime) -> bool {
        self.life.is_some_and(|(issued, end)| {
            // One that lives shorter than that is renewed halfway.
            let half = end.duration_since(issued).unwrap_or_default() / 2;
            now + EARLY.min(half) >= end
        })
    }

    /// Whether no service takes it any more.
    pub(super) fn is_over(&self, now: SystemTime) -> bool {
        self.life.is_some_and(|(_, end)| now >= end)
    }
}

/// Where a key comes from.
#[async_trait]
pub trait AwsSource: fmt::Debug + Send + Sync {
    /// Fetches a key.
    ///
    /// # Errors
    ///
    /// Why there is none.
    async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError>;

    /// Lets go of a temporary key that is kept: a service did not take it any more. Says whether there
    /// can be another one.
    fn forget(&self) -> bool {
        false
    }
}

/// A key that a connection gave is its own source.
#[async_trait]
impl AwsSource for AwsKeys {
    async fn fetch(&self) -> Result<AwsKeys, AwsCredentialError> {
        Ok(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_renewed_five_minutes_before_its_end_or_halfway() {
        let begin = SystemTime::UNIX_EPOCH;
        for (lifetime, fresh) in [(3600, 3299), (900, 599), (300, 149), (2, 0)] {
            let keys = AwsKeys {
                id: "AKIA".to_owned(),
                secret: "secret".into(),
                token: None,
                life: Some((begin, begin + Duration::from_secs(lifetime))),
            };
            let at = |second| begin + Duration::from_secs(second);
            assert!(!keys.is_old(at(fresh)), "{lifetime}");
            assert!(keys.is_old(at(fresh + 1)), "{lifetime}");
            assert!(!keys.is_over(at(fresh + 1)), "{lifetime}");
            assert!(keys.is_over(at(lifetime)), "{lifetime}");
        }
    }
}
