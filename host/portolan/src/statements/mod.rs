//! One file per statement, and the way from a statement to its file.

mod alter;
pub(crate) mod comment;
mod create;
mod explain;
mod validate;

use portolan_statement::Statement;

use crate::call::Call;
use crate::{Error, Outcome, SqlState};

/// Executes a statement.
pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a Statement,
) -> Result<Outcome, Error> {
    match statement {
        Statement::CreateConnection(it) => create::execute(call, it).await,
        Statement::ExplainCreateConnection(it) => explain::execute(call, it).await,
        Statement::AlterConnection(it) => alter::execute(call, it).await,
        Statement::ValidateConnection(it) => validate::execute(call, it).await,
        Statement::CommentOnConnection(it) => comment::execute(call, it).await,
        _ => Err(Error::new(
            SqlState::FeatureNotSupported,
            format!("{} is not supported yet", statement.tag()),
        )),
    }
}
