//! GRANT.

use portolan_catalog::privilege::holding::Change;
use portolan_statement as ast;

use super::privileges;
use crate::call::Call;
use crate::{Error, Outcome};

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::Grant,
) -> Result<Outcome, Error> {
    let change = if statement.with_option {
        Change::GrantWithOption
    } else {
        Change::Grant
    };
    privileges::change(call, change, &statement.granted, &statement.grantees).await
}
