//! `steps`: what a probe tells while it runs. The host holds the clock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portolan_contract::{Failure, FailureClass, Outcome, Step};

use crate::Fault;
use crate::bindings::host::steps::{Host, Outcome as GuestOutcome};
use crate::guest::Guest;
use crate::words::{MAX_FACT, MAX_MESSAGE, Words};

/// The most steps of one probe, and the most details of one step.
const MAX_STEPS: usize = 64;
const MAX_DETAILS: usize = 16;
const MAX_NAME: usize = 32;

/// The names that the contract lists.
const USUAL_NAMES: [&str; 16] = [
    "resolve",
    "dial",
    "tls",
    "authenticate",
    "authorise",
    "metadata",
    "write",
    "list",
    "read back",
    "compare",
    "encrypt",
    "decrypt",
    "recognise",
    "look",
    "post",
    "publish",
];

/// The steps of one probe. They outlive the guest: what it told before it was stopped is shown.
#[derive(Clone)]
pub(crate) struct StepRecorder {
    told: Arc<Mutex<Told>>,
    most: Duration,
}

#[derive(Default)]
struct Told {
    steps: Vec<Step>,
    open: Option<(String, Instant)>,
}

impl StepRecorder {
    /// A recorder whose steps may each take `most`.
    pub(crate) fn new(most: Duration) -> Self {
        Self {
            told: Arc::default(),
            most,
        }
    }

    fn told(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the next wait may take.
    pub(crate) fn time_left(&self) -> Duration {
        match &self.told().open {
            Some((_, since)) => self.most.saturating_sub(since.elapsed()),
            None => self.most,
        }
    }

    fn begin(&self, name: String, words: &Words) -> Result<(), Fault> {
        let mut told = self.told();
        if !is_name(&name) {
            return Err(broken(
                "began a step whose name is not one of the contract's",
            ));
        }
        if told.open.is_some() {
            return Err(broken("began a step while another was open"));
        }
        if told.steps.len() == MAX_STEPS {
            return Err(Fault::Contract(format!(
                "began more than {MAX_STEPS} steps"
            )));
        }
        // A secret may look like a name. The contract's own names are words of ours.
        let name = match USUAL_NAMES.contains(&name.as_str()) {
            true => name,
            false => words.line(&name, MAX_NAME),
        };
        told.open = Some((name, Instant::now()));
        Ok(())
    }

    fn end(&self, outcome: Outcome, details: Vec<(String, String)>) -> Result<(), Fault> {
        let mut told = self.told();
        let Some((name, since)) = told.open.take() else {
            return Err(broken("ended a step while none was open"));
        };
        told.steps.push(Step {
            name,
            outcome,
            duration: since.elapsed(),
            details,
        });
        Ok(())
    }

    /// The steps that were told. One that is open when the guest is stopped failed, for the reason
    /// that the guest was stopped for.
    pub(crate) fn finish(&self, stopped: Option<&Fault>) -> Vec<Step> {
        let mut told = self.told();
        if let Some((name, since)) = told.open.take() {
            let (class, message) = match stopped {
                Some(fault) => (fault.class(), format!("the provider {fault}")),
                None => (
                    FailureClass::Protocol,
                    "the provider returned without ending this step".to_owned(),
                ),
            };
            told.steps.push(Step {
                name,
                outcome: Outcome::Failed(Failure::new(class, message)),
                duration: since.elapsed(),
                details: Vec::new(),
            });
        }
        std::mem::take(&mut told.steps)
    }
}

/// Lower-case letters, digits and single spaces between them.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && name.split(' ').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

fn broken(what: &str) -> Fault {
    Fault::Contract(what.to_owned())
}

impl Host for Guest {
    fn begin(&mut self, name: String) -> wasmtime::Result<()> {
        let lent = self.enter()?;
        lent.steps.begin(name, &lent.words)?;
        self.leave(())
    }

    fn end(
        &mut self,
        outcome: GuestOutcome,
        details: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let lent = self.enter()?;
        if details.len() > MAX_DETAILS {
            return Err(
                Fault::Contract(format!("told more than {MAX_DETAILS} details of a step")).into(),
            );
        }
        let words = &lent.words;
        let outcome = match outcome {
            GuestOutcome::Ok => Outcome::Ok,
            GuestOutcome::Skipped(why) => Outcome::Skipped(words.line(&why, MAX_MESSAGE)),
            GuestOutcome::Failed(failure) => Outcome::Failed(lent.failure(failure)),
            GuestOutcome::Other(_) => {
                Outcome::Skipped("the step ended in a way that this host does not know".to_owned())
            }
        };
        let details = words.facts(details, MAX_FACT);
        lent.steps.end(outcome, details)?;
        self.leave(())
    }
}

#[cfg(test)]
mod tests {
    use portolan_contract::Secrets;

    use super::*;

    fn words() -> Words {
        Words::seeing(&Secrets::default())
    }

    #[test]
    fn a_step_name_is_words_of_small_letters_and_digits() {
        for name in ["write", "read back", "tls 13", &"a".repeat(32)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", " a", "a ", "a  b", "A", "a-b", "é", &"a".repeat(33)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn steps_come_one_after_another() {
        let steps = StepRecorder::new(Duration::from_secs(1));
        assert!(steps.end(Outcome::Ok, Vec::new()).is_err());
        steps.begin("write".into(), &words()).expect("a step");
        assert!(steps.begin("list".into(), &words()).is_err());
        steps.end(Outcome::Ok, Vec::new()).expect("an end");
        assert_eq!(steps.finish(None).len(), 1);
    }

    #[test]
    fn the_65th_step_is_one_too_many() {
        let steps = StepRecorder::new(Duration::from_secs(1));
        for _ in 0..MAX_STEPS {
            steps.begin("write".into(), &words()).expect("a step");
            steps.end(Outcome::Ok, Vec::new()).expect("an end");
        }
        let fault = steps.begin("write".into(), &words()).expect_err("too many");
        assert_eq!(
            fault.to_string(),
            "broke the contract: it began more than 64 steps"
        );
    }

    #[test]
    fn a_step_that_was_open_failed_for_the_reason_the_guest_was_stopped_for() {
        let steps = StepRecorder::new(Duration::from_secs(1));
        steps.begin("list".into(), &words()).expect("a step");
        let told = steps.finish(Some(&Fault::Memory(64 << 20)));
        let Outcome::Failed(failure) = &told[0].outcome else {
            panic!("it failed");
        };
        assert_eq!(failure.class, FailureClass::Budget);
        assert_eq!(failure.message, "the provider used up its 64 MiB of memory");
    }
}
