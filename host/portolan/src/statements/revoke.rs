//! REVOKE. Grants carry no grantor, so nothing cascades.

use portolan_catalog::privilege::holding::Change;
use portolan_statement as ast;

use super::membership;
use super::privileges::{on_connections, on_system};
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
    let grantees = &statement.grantees;
    let notices = match &statement.granted {
        ast::Granted::OnConnections {
            privileges,
            connections,
        } => on_connections(call, change, privileges, connections, grantees).await?,
        ast::Granted::System(privileges) => on_system(call, change, privileges, grantees).await?,
        ast::Granted::Roles(roles) => membership::change(call, change, roles, grantees).await?,
    };
    Ok(notices
        .into_iter()
        .fold(Outcome::tag("REVOKE"), Outcome::with_notice))
}
