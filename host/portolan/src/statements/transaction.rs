//! BEGIN, COMMIT and ROLLBACK, which there are none of.

use portolan_statement as ast;

use crate::{Error, Outcome, SqlState};

pub(crate) fn execute(statement: &ast::Transaction) -> Result<Outcome, Error> {
    let tag = ast::Statement::Transaction(*statement).tag();
    Err(Error::new(
        SqlState::FeatureNotSupported,
        format!("{tag} is not supported"),
    )
    .with_hint("each statement is a transaction of its own; leave BEGIN, COMMIT and ROLLBACK out"))
}
