//! Why an operation gave nothing, before it is said whose operation it was.

use portolan_contract::Failure;

use crate::{AnswerProblem, Fault};

/// Why a guest gave nothing.
pub(crate) enum Refusal {
    /// It says why not; its words are cleaned.
    Refused(Failure),
    /// Its answer breaks a rule.
    Answer(AnswerProblem),
    /// The host stopped it.
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<AnswerProblem> for Refusal {
    fn from(problem: AnswerProblem) -> Self {
        Self::Answer(problem)
    }
}
