//! `portolan validate`: VALIDATE EXTERNAL CONNECTION, with an exit status that a script can test.

use anyhow::Result;
use portolan::Cell;

use crate::args::ValidateArguments;
use crate::report::Failure;
use crate::sql::{self, Parameters, Printer};
use crate::store::Store;

/// Runs the command; a failed step is a failed command.
pub(crate) async fn run(store: &Store, arguments: ValidateArguments) -> Result<()> {
    let mut text = format!(
        "VALIDATE EXTERNAL CONNECTION {}",
        sql::literal(&arguments.name)
    );
    if let Some(depth) = &arguments.depth {
        text.push_str(" WITH VALIDATE = ");
        text.push_str(&sql::literal(depth));
    }
    let session = store.session().await?;
    let mut printer = Printer::new(&arguments.format);
    let mut failed = None;
    for statement in sql::parse(&text)? {
        sql::execute_and_watch(
            &session,
            &statement,
            &Parameters::default(),
            &mut printer,
            |row| {
                failed = failed.take().or_else(|| failed_step(row));
            },
        )
        .await?;
    }
    match failed {
        Some(step) => Err(Failure::new(
            "58000",
            format!("{} does not work: the step `{step}` failed", arguments.name),
        )
        .hint("do what the hint of that step says, and validate again")
        .into()),
        None => Ok(()),
    }
}

/// The name of the step that a row (step, outcome, …) tells the failure of.
fn failed_step(row: &[Cell]) -> Option<String> {
    match row {
        [Cell::Text(step), Cell::Text(outcome), ..] if outcome == "failed" => Some(step.clone()),
        _ => None,
    }
}
