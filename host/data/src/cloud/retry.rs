//! When a request is sent again, and after how long.

use std::time::Duration;

use http::StatusCode;
use portolan_egress::EgressError;
use tokio::time::Instant;

/// The bounds on repeating a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retries {
    /// How often a request is sent at most: 4.
    pub(crate) attempts: u32,
    /// How long after the first attempt no further one begins: 60 s.
    pub(crate) total: Duration,
    /// The wait after the first attempt, doubled after each further one: 200 ms. A half of it is
    /// left to chance, so that those who failed together do not come back together.
    pub(crate) first: Duration,
    /// The longest wait, also where the service asks for a longer one: 20 s.
    pub(crate) longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 4,
            total: Duration::from_secs(60),
            first: Duration::from_millis(200),
            longest: Duration::from_secs(20),
        }
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub(super) struct Attempts {
    bounds: Retries,
    made: u32,
    end: Instant,
}

impl Attempts {
    pub(super) fn new(bounds: Retries) -> Self {
        Self {
            bounds,
            made: 0,
            end: Instant::now() + bounds.total,
        }
    }

    /// How long to wait before the next attempt, `asked` being what the service asks for; nothing
    /// where there is to be none.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.made += 1;
        if self.made >= self.bounds.attempts {
            return None;
        }
        let doubled = self
            .bounds
            .first
            .saturating_mul(1 << (self.made - 1).min(16));
        let wait = jittered(doubled).max(asked.unwrap_or_default());
        let wait = wait.min(self.bounds.longest);
        (Instant::now() + wait < self.end).then_some(wait)
    }
}

/// Between a half of the time and all of it.
fn jittered(time: Duration) -> Duration {
    // Without randomness the waits are merely regular.
    let chance = getrandom::u32().unwrap_or(u32::MAX);
    let half = time / 2;
    half + half.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

/// Whether a status says that the service may do it a little later.
pub(super) fn passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether a request may be sent again after this; `repeatable` says whether it does the same when
/// it is done twice.
///
/// What the policy denies, a certificate that does not fit and a name that does not exist are the
/// same at the next attempt. Time that is used up is not used up again.
pub(super) fn may_help(error: &EgressError, repeatable: bool) -> bool {
    match error {
        EgressError::Connect { after, .. } | EgressError::Resolver { after, .. } => after.is_none(),
        EgressError::Closed { .. } => repeatable,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_and_end_with_the_attempts() {
        let mut attempts = Attempts::new(Retries::default());
        for longest in [200, 400, 800] {
            let wait = attempts.next(None).expect("another attempt");
            assert!(wait <= Duration::from_millis(longest), "{wait:?}");
            assert!(wait >= Duration::from_millis(longest / 2), "{wait:?}");
        }
        assert_eq!(attempts.next(None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_service_asks_for_is_heeded_up_to_a_bound() {
        let mut attempts = Attempts::new(Retries::default());
        let asked = attempts.next(Some(Duration::from_secs(3)));
        assert_eq!(asked, Some(Duration::from_secs(3)));
        let asked = attempts.next(Some(Duration::from_secs(3600)));
        assert_eq!(asked, Some(Duration::from_secs(20)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_attempt_begins_after_the_time() {
        let mut attempts = Attempts::new(Retries::default());
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(attempts.next(Some(Duration::from_secs(2))), None);
    }
}
