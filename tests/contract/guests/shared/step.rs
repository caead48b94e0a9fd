//! The steps of a probe: begun, done, and ended with what came of it.

use crate::bindings::portolan::host::steps::{Outcome, begin, end};
use crate::bindings::portolan::types::types::{Failure, FailureClass};

/// A step failed and is told; the probe goes no further.
pub(crate) struct Stopped;

/// What a step found out, by name.
pub(crate) type Details = Vec<(String, String)>;

/// Runs one step. Its details are told also when it fails.
pub(crate) fn step<T>(
    name: &str,
    run: impl FnOnce(&mut Details) -> Result<T, Failure>,
) -> Result<T, Stopped> {
    begin(name);
    let mut details = Details::new();
    match run(&mut details) {
        Ok(value) => {
            end(&Outcome::Ok, &details);
            Ok(value)
        }
        Err(failure) => {
            end(&Outcome::Failed(failure), &details);
            Err(Stopped)
        }
    }
}

/// Tells a step that is not done, and why.
#[allow(dead_code, reason = "not every probe leaves a step out")]
pub(crate) fn skip(name: &str, why: &str) {
    begin(name);
    end(&Outcome::Skipped(why.to_owned()), &[]);
}

/// Adds one thing that the step found out.
pub(crate) fn tell(details: &mut Details, name: &str, value: impl ToString) {
    details.push((name.to_owned(), value.to_string()));
}

/// A failure of a class, in words.
pub(crate) fn failed(class: FailureClass, message: impl Into<String>) -> Failure {
    Failure {
        class,
        message: message.into(),
        hint: None,
        option_name: None,
        facts: Vec::new(),
    }
}
