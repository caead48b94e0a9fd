//! `portolan validate`: VALIDATE EXTERNAL CONNECTION, with an exit status that a script can test.

use anyhow::Result;
use portolan::Cell;

use crate::args::ValidateArguments;
use crate::report::Failure;
use crate::sql::{self, Printer};
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
    let outcome = session.execute(&text, &[]).await?;
    let failed = outcome.failed.clone();
    let mut step = None;
    sql::print(outcome, &mut Printer::new(&arguments.format), |row| {
        step = step.take().or_else(|| failed_step(row));
    })
    .await?;
    let Some(error) = failed else {
        return Ok(());
    };
    let step = step.unwrap_or_default();
    Err(Failure::new(
        error.sqlstate().code(),
        format!("{} does not work: the step `{step}` failed", arguments.name),
    )
    .detail(error.message())
    .hint(error.hint().unwrap_or(CHANGE_IT))
    .into())
}

/// What to do about a failed step that does not say so itself.
const CHANGE_IT: &str = "change the connection with ALTER EXTERNAL CONNECTION, or what it leads to, \
                         and validate it again";

/// The name of the step that a row (step, outcome, …) tells the failure of.
fn failed_step(row: &[Cell]) -> Option<String> {
    match row {
        [Cell::Text(step), Cell::Text(outcome), ..] if outcome == "failed" => Some(step.clone()),
        _ => None,
    }
}
