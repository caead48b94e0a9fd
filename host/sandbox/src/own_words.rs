//! What the host itself has told a guest of failures.

use std::collections::VecDeque;

use portolan_contract::Failure;

/// How many failures are remembered: as many as a probe may have steps.
const REMEMBERED: usize = 64;

/// The failures that the host made for one guest in one operation, the last ones.
///
/// What a guest tells is scrubbed, and dropped as a whole while a secret is in play that is too
/// short to be found. For words of ours that would be wrong twice: the cause and its hint were lost
/// in an ordinary case, and where a secret happens to be a word of ours, the gap would show it. So
/// a failure that a guest passes on unchanged, as a whole, stays as it is. That cannot be forged:
/// it must be equal to one that the host made in this very operation, and so shows nothing but what
/// the host has said.
///
/// This rests on one rule for whoever makes a failure for a guest: nothing stands in it that the
/// guest or a server wrote, only fixed words and what is public of the plan.
#[derive(Debug, Default)]
pub(crate) struct OwnWords(VecDeque<Failure>);

impl OwnWords {
    /// The host tells the guest of this failure.
    pub(crate) fn remember(&mut self, failure: &Failure) {
        if self.hold(failure) {
            return;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(failure.clone());
    }

    /// Whether the host told the guest of this very failure.
    pub(crate) fn hold(&self, failure: &Failure) -> bool {
        self.0.contains(failure)
    }
}

#[cfg(test)]
mod tests {
    use portolan_contract::FailureClass;

    use super::*;

    fn failure(message: &str) -> Failure {
        Failure::new(FailureClass::Unreachable, message).with_hint("check the port")
    }

    #[test]
    fn only_the_whole_failure_is_known_again() {
        let mut words = OwnWords::default();
        words.remember(&failure("refused"));
        assert!(words.hold(&failure("refused")));
        for changed in [
            failure("refused: hunter2"),
            failure("refused").with_hint("say hunter2"),
            Failure::new(FailureClass::Timeout, "refused").with_hint("check the port"),
            Failure {
                facts: vec![("a".to_owned(), "hunter2".to_owned())],
                ..failure("refused")
            },
            Failure {
                option_name: Some("hunter2".to_owned()),
                ..failure("refused")
            },
        ] {
            assert!(!words.hold(&changed), "{changed:?}");
        }
    }

    #[test]
    fn a_guest_that_fails_without_end_makes_the_host_remember_no_more() {
        let mut words = OwnWords::default();
        for number in 0..1_000 {
            words.remember(&failure(&number.to_string()));
            words.remember(&failure(&number.to_string()));
        }
        assert_eq!(words.0.len(), REMEMBERED);
        assert!(words.hold(&failure("999")) && !words.hold(&failure("0")));
    }
}
