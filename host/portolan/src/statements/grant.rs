//! GRANT.

use portolan_catalog::privilege::holding::Change;
use portolan_statement as ast;

use super::membership;
use super::privileges::{on_connections, on_system};
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
        .fold(Outcome::tag("GRANT"), Outcome::with_notice))
}
