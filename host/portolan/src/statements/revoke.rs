//! REVOKE. Grants carry no grantor, so nothing cascades.

use portolan_catalog::privilege::holding::Change;
use portolan_statement as ast;

use super::privileges;
use crate::call::Call;
use crate::{Error, Outcome};

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::Revoke,
) -> Result<Outcome, Error> {
    let change = if statement.only_option {
        Change::RevokeOption
    } else {
        Change::Revoke
    };
    privileges::change(call, change, &statement.granted, &statement.grantees).await
}
