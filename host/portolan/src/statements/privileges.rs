//! What GRANT and REVOKE have in common.

use portolan_catalog::model::principal::PUBLIC;
use portolan_catalog::privilege::holding::{Change, change_connection, change_system};
use portolan_catalog::{
    AuditObject, Connection, ConnectionPrivilege, ObjectKind, Privilege, Reader, SystemPrivilege,
};
use portolan_contract::ConnectionName;
use portolan_statement as ast;

use super::several::{change_each, each_once};
use super::{membership, names};
use crate::access::{Access, expanded, missing, refused};
use crate::call::Call;
use crate::{Error, Outcome};

/// Changes what is granted, of whichever sort it is.
pub(super) async fn change(
    call: &Call<'_>,
    change: Change,
    granted: &ast::Granted,
    grantees: &[String],
) -> Result<Outcome, Error> {
    let notices = match granted {
        ast::Granted::OnConnections {
            privileges,
            connections,
        } => on_connections(call, change, privileges, connections, grantees).await?,
        ast::Granted::System(privileges) => on_system(call, change, privileges, grantees).await?,
        ast::Granted::Roles(roles) => membership::change(call, change, roles, grantees).await?,
    };
    let tag = match change {
        Change::Grant | Change::GrantWithOption => "GRANT",
        Change::Revoke | Change::RevokeOption => "REVOKE",
    };
    Ok(notices
        .into_iter()
        .fold(Outcome::tag(tag), Outcome::with_notice))
}

/// What is worth saying though nothing is wrong: mostly that a name may be a slip.
pub(super) fn notice(
    change: Change,
    reader: &dyn Reader,
    grantee: &str,
    changed: bool,
    on: &str,
) -> Result<Option<String>, Error> {
    Ok(match change {
        Change::Grant | Change::GrantWithOption => unknown_notice(reader, grantee, COUNTS)?,
        Change::Revoke | Change::RevokeOption if changed => None,
        Change::Revoke => Some(format!(
            "{grantee} was granted none of these privileges on {on}"
        )),
        Change::RevokeOption => Some(format!(
            "{grantee} was granted none of these privileges on {on} with grant option"
        )),
    })
}

/// What a grant does.
pub(super) const COUNTS: &str = "the grant counts for";

/// Says that the catalog does not know who is given something, which is no mistake where an embedding
/// program vouches for names of its own. `what` is what it does for them.
pub(super) fn unknown_notice(
    reader: &dyn Reader,
    name: &str,
    what: &str,
) -> Result<Option<String>, Error> {
    if name == PUBLIC || reader.principal(name)?.is_some() {
        return Ok(None);
    }
    Ok(Some(format!(
        "there is no user or role named {name} in the catalog; {what} whoever acts under that name"
    )))
}

/// The users and roles that a statement names, each once.
pub(super) fn grantees(names: &[String]) -> Result<Vec<String>, Error> {
    names.iter().try_for_each(|name| names::principal(name))?;
    Ok(each_once(names.iter().cloned()))
}

/// Changes privileges on connections; gives the notices.
async fn on_connections(
    call: &Call<'_>,
    change: Change,
    privileges: &[ast::Privilege],
    connections: &[String],
    grantees: &[String],
) -> Result<Vec<String>, Error> {
    let privileges = names::privileges(privileges, "external_connection")?;
    let grantees = self::grantees(grantees)?;
    let connections = connections
        .iter()
        .map(|name| name.parse::<ConnectionName>())
        .collect::<Result<Vec<_>, _>>()?;
    let connections = each_once(connections)
        .into_iter()
        .map(|name| (AuditObject::connection(name.as_str()), name))
        .collect();
    let notices = change_each(call, connections, move |actor, writer, name, _| {
        let connection = connection(&actor.access(&*writer)?, name.as_str(), &privileges)?;
        let mut notices = Vec::new();
        for grantee in &grantees {
            let before = writer.connection_grants(Some(connection.id))?;
            change_connection(writer, connection.id, grantee, change, &privileges)?;
            let changed = before != writer.connection_grants(Some(connection.id))?;
            if matches!(change, Change::Revoke | Change::RevokeOption)
                && *grantee == connection.owner
            {
                notices.push(format!(
                    "{grantee} owns {name} and keeps every privilege on it"
                ));
                continue;
            }
            notices.extend(notice(change, &*writer, grantee, changed, name.as_str())?);
        }
        Ok(notices)
    })
    .await?;
    Ok(each_once(notices.into_iter().flatten()))
}

/// The connection called `name`, for somebody who may pass on all these privileges on it.
fn connection(
    access: &Access<'_>,
    name: &str,
    privileges: &[ConnectionPrivilege],
) -> Result<Connection, Error> {
    let connection = access.reader().connection(name)?;
    let allowed = match &connection {
        Some(connection) => access.may_grant(connection, privileges)?,
        None => access.is_admin(),
    };
    if !allowed {
        return Err(no_grant_option(access, privileges));
    }
    connection.ok_or_else(|| missing(name).prefixed("failed to resolve External Connection"))
}

fn no_grant_option<P: Privilege>(access: &Access<'_>, privileges: &[P]) -> Error {
    let needed: Vec<_> = expanded(privileges)
        .into_iter()
        .map(Privilege::as_str)
        .collect();
    refused(format!(
        "user {} missing WITH GRANT OPTION privilege on one or more of {}",
        access.name(),
        needed.join(", ")
    ))
    .with_hint("ask somebody who may grant them, or for a GRANT … WITH GRANT OPTION")
}

/// Changes privileges on the system; gives the notices.
async fn on_system(
    call: &Call<'_>,
    change: Change,
    privileges: &[ast::Privilege],
    grantees: &[String],
) -> Result<Vec<String>, Error> {
    let privileges = names::privileges(privileges, "system")?;
    let grantees = self::grantees(grantees)?;
    let named: Vec<_> = privileges
        .iter()
        .map(|it: &SystemPrivilege| it.as_str())
        .collect();
    call.concerns(AuditObject {
        kind: ObjectKind::System,
        name: named.join(", "),
    });
    let notices = call
        .change(move |actor, writer, _| {
            let access = actor.access(&*writer)?;
            if !access.may_grant_system(&privileges)? {
                return Err(no_grant_option(&access, &privileges));
            }
            let mut notices = Vec::new();
            for grantee in &grantees {
                let before = writer.system_grants(Some(grantee))?;
                change_system(writer, grantee, change, &privileges)?;
                let changed = before != writer.system_grants(Some(grantee))?;
                notices.extend(notice(change, &*writer, grantee, changed, "the system")?);
            }
            Ok(notices)
        })
        .await?;
    Ok(each_once(notices))
}
