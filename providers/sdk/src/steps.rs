//! The steps of a probe: each one begun, and ended whatever happens.

use crate::bindings::types::portolan::host::steps;
use crate::{Failure, Outcome};

/// A step failed and has told why; nothing is left but to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Where steps go: to the host, or to a record in a test.
pub trait StepLog {
    /// Begins a step.
    fn begin(&mut self, name: &str);
    /// Ends the step that was begun.
    fn end(&mut self, outcome: Outcome, details: &[(String, String)]);
}

/// The host's own log of steps.
pub(crate) struct HostSteps;

impl StepLog for HostSteps {
    fn begin(&mut self, name: &str) {
        steps::begin(name);
    }

    fn end(&mut self, outcome: Outcome, details: &[(String, String)]) {
        steps::end(&outcome, details);
    }
}

/// Facts about the step at hand, by name; at most 16 are told.
#[derive(Debug, Default)]
pub struct Details(Vec<(String, String)>);

impl Details {
    /// The contract's bound on the details of one step.
    const AT_MOST: usize = 16;

    /// Adds a fact; the 17th and later ones are left out.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        if self.0.len() < Self::AT_MOST {
            self.0.push((name.into(), value.into()));
        }
    }
}

/// What came of a step that need not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt<T> {
    /// It was done.
    Done(T),
    /// It was not done, and why.
    Skipped(String),
}

/// Tells steps one after another.
#[expect(missing_debug_implementations, reason = "it holds what the host lends")]
pub struct Steps<'log>(&'log mut dyn StepLog);

impl<'log> Steps<'log> {
    /// Steps that are told to `log`.
    pub fn new(log: &'log mut dyn StepLog) -> Self {
        Self(log)
    }

    /// Runs one step: begun before `run`, ended after it with what came of it.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when `run` failed; the failure has been told.
    pub fn step<T>(
        &mut self,
        name: &str,
        run: impl FnOnce(&mut Details) -> Result<T, Failure>,
    ) -> Result<T, Stopped> {
        self.0.begin(name);
        let mut details = Details::default();
        let (outcome, result) = match run(&mut details) {
            Ok(value) => (Outcome::Ok, Ok(value)),
            Err(failure) => (Outcome::Failed(failure), Err(Stopped)),
        };
        self.0.end(outcome, &details.0);
        result
    }

    /// As [`Steps::step`], for a step that turns out not to be possible: then it is told as skipped,
    /// and there is no value.
    ///
    /// # Errors
    ///
    /// [`Stopped`] when `run` failed; the failure has been told.
    pub fn attempt<T>(
        &mut self,
        name: &str,
        run: impl FnOnce(&mut Details) -> Result<Attempt<T>, Failure>,
    ) -> Result<Option<T>, Stopped> {
        self.0.begin(name);
        let mut details = Details::default();
        let (outcome, result) = match run(&mut details) {
            Ok(Attempt::Done(value)) => (Outcome::Ok, Ok(Some(value))),
            Ok(Attempt::Skipped(why)) => (Outcome::Skipped(why), Ok(None)),
            Err(failure) => (Outcome::Failed(failure), Err(Stopped)),
        };
        self.0.end(outcome, &details.0);
        result
    }

    /// Tells that a step is not done, and why.
    pub fn skip(&mut self, name: &str, why: impl Into<String>) {
        self.0.begin(name);
        self.0.end(Outcome::Skipped(why.into()), &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::RecordedSteps;

    #[test]
    fn a_failed_step_is_ended_and_stops_the_probe() {
        let mut log = RecordedSteps::default();
        let mut steps = Steps::new(&mut log);
        let result = steps.step("write", |details| {
            details.add("bytes", "3");
            Err::<(), _>(Failure::invalid_uri("no"))
        });
        assert_eq!(result, Err(Stopped));
        assert_eq!(log.words(), [("write", "failed")]);
        assert_eq!(log.steps[0].details, [("bytes".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn a_step_that_turns_out_not_to_be_possible_is_told_as_skipped() {
        let mut log = RecordedSteps::default();
        let mut steps = Steps::new(&mut log);
        let skipped = steps.attempt("list", |_| Ok(Attempt::<()>::Skipped("no".to_owned())));
        assert_eq!(skipped, Ok(None));
        assert_eq!(steps.attempt("list", |_| Ok(Attempt::Done(1))), Ok(Some(1)));
        let refused = steps.attempt("list", |_| {
            Err::<Attempt<()>, _>(Failure::invalid_uri("no"))
        });
        assert_eq!(refused, Err(Stopped));
        assert_eq!(
            log.words(),
            [("list", "skipped"), ("list", "ok"), ("list", "failed")]
        );
    }

    #[test]
    fn no_more_details_are_told_than_the_contract_allows() {
        let mut log = RecordedSteps::default();
        let result = Steps::new(&mut log).step("list", |details| {
            (0..100).for_each(|number| details.add(number.to_string(), ""));
            Ok(())
        });
        assert_eq!(result, Ok(()));
        assert_eq!(log.steps[0].details.len(), 16);
    }
}
