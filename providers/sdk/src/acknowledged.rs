//! Counting what a service has acknowledged, for sinks that send one request after another.

use crate::Failure;

/// How many messages are acknowledged, and why there will be no more.
///
/// A batch becomes several requests. Where one of them fails, those before it count: the failure is
/// told at the next call, so that the host learns of them and does not send them again.
#[derive(Debug, Default)]
pub struct Acknowledged {
    count: u64,
    failure: Option<Failure>,
}

impl Acknowledged {
    /// Does one request after another, each of which says how many messages it was about, and
    /// answers the count of all since the sink was opened.
    ///
    /// # Errors
    ///
    /// The first request failed, or one of an earlier call.
    pub fn send(
        &mut self,
        requests: impl IntoIterator<Item = Result<u64, Failure>>,
    ) -> Result<u64, Failure> {
        self.told()?;
        let before = self.count;
        for answered in requests {
            match answered {
                Ok(messages) => self.count += messages,
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
        }
        match self.count > before {
            true => Ok(self.count),
            false => self.told(),
        }
    }

    /// The count, or why there is none: what [`send`](Self::send) could not tell.
    ///
    /// # Errors
    ///
    /// A request of an earlier call failed.
    pub fn told(&self) -> Result<u64, Failure> {
        match &self.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Failure {
        Failure::invalid_uri("no")
    }

    #[test]
    fn half_a_batch_counts_before_its_failure_is_told() {
        let mut acknowledged = Acknowledged::default();
        assert_eq!(acknowledged.send([Ok(3)]), Ok(3));
        assert_eq!(acknowledged.send([]), Ok(3));
        assert_eq!(acknowledged.send([Ok(2), Err(failed()), Ok(9)]), Ok(5));
        assert_eq!(acknowledged.told(), Err(failed()));
        assert_eq!(acknowledged.send([Ok(1)]), Err(failed()));
    }

    #[test]
    fn a_batch_whose_first_request_fails_is_a_failure_at_once() {
        let mut acknowledged = Acknowledged::default();
        assert_eq!(acknowledged.send([Err(failed())]), Err(failed()));
        assert_eq!(acknowledged.told(), Err(failed()));
    }

    #[test]
    fn nothing_is_asked_for_after_a_failure() {
        let mut acknowledged = Acknowledged::default();
        let mut asked = 0;
        let requests = [Ok(1), Err(failed()), Ok(1)].into_iter();
        let counted = requests.inspect(|_| asked += 1);
        assert_eq!(acknowledged.send(counted), Ok(1));
        assert_eq!(asked, 2);
    }
}
