//! SHOW GRANTS ON EXTERNAL CONNECTION and SHOW SYSTEM GRANTS.

use portolan_catalog::model::principal::PUBLIC;
use portolan_catalog::{Connection, ConnectionPrivilege, Privilege, SystemPrivilege};
use portolan_contract::ConnectionName;
use portolan_statement as ast;

use super::several::each_once;
use super::show_connections::not_visible;
use crate::access::{Access, missing};
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows};

/// SHOW GRANTS ON EXTERNAL CONNECTION, for whoever may do anything with the connection.
pub(crate) async fn execute(
    call: &Call<'_>,
    statement: &ast::ShowGrants,
) -> Result<Outcome, Error> {
    const COLUMNS: &[&str] = &[
        "connection_name",
        "grantee",
        "privilege_type",
        "is_grantable",
    ];
    let names = statement
        .connections
        .iter()
        .map(|name| name.parse::<ConnectionName>())
        .collect::<Result<Vec<_>, _>>()?;
    let names = each_once(names);
    if let [name] = names.as_slice() {
        call.concerns(portolan_catalog::AuditObject::connection(name.as_str()));
    }
    let wanted = statement.grantees.clone();
    let rows = call
        .read(move |access| {
            let mut rows = Vec::new();
            for name in &names {
                let connection = visible(access, name.as_str())?;
                rows.extend(
                    grants_on(access, &connection)?
                        .into_iter()
                        .filter(|(grantee, ..)| wanted.is_empty() || wanted.contains(grantee))
                        .map(|(grantee, privilege, grantable)| {
                            vec![
                                connection.name.as_str().into(),
                                grantee.into(),
                                privilege.as_str().into(),
                                grantable.into(),
                            ]
                        }),
                );
            }
            Ok(rows)
        })
        .await?;
    Ok(Outcome::rows(Rows::ready(COLUMNS, rows)))
}

fn visible(access: &Access<'_>, name: &str) -> Result<Connection, Error> {
    let Some(connection) = access.reader().connection(name)? else {
        return Err(if access.is_admin() {
            missing(name)
        } else {
            not_visible(access, name)
        });
    };
    for privilege in ConnectionPrivilege::SINGLE {
        if access.has(&connection, *privilege)? {
            return Ok(connection);
        }
    }
    Err(not_visible(access, name))
}

/// What is granted on a connection, and what its owner has without a grant.
fn grants_on(
    access: &Access<'_>,
    connection: &Connection,
) -> Result<Vec<(String, ConnectionPrivilege, bool)>, Error> {
    let mut grants: Vec<_> = access
        .reader()
        .connection_grants(Some(connection.id))?
        .into_iter()
        .filter(|grant| grant.grantee != connection.owner)
        .map(|grant| (grant.grantee, grant.privilege, grant.grantable))
        .collect();
    grants.push((connection.owner.clone(), ConnectionPrivilege::All, true));
    grants.sort();
    Ok(grants)
}

/// SHOW SYSTEM GRANTS: all of them for who manages privileges or users, to others their own.
pub(crate) async fn system(
    call: &Call<'_>,
    statement: &ast::ShowSystemGrants,
) -> Result<Outcome, Error> {
    const COLUMNS: &[&str] = &["grantee", "privilege_type", "is_grantable"];
    let wanted = statement.grantees.clone();
    let rows = call
        .read(move |access| {
            let sees_all = access.has_system(SystemPrivilege::ViewClusterMetadata)?
                || access.has_system(SystemPrivilege::CreateRole)?;
            let grants = access.reader().system_grants(None)?;
            let shown = grants.into_iter().filter(|grant| {
                let own = grant.grantee == PUBLIC || access.is_or_inherits(&grant.grantee);
                (sees_all || own) && (wanted.is_empty() || wanted.contains(&grant.grantee))
            });
            Ok(shown
                .map(|grant| -> Vec<Cell> {
                    vec![
                        grant.grantee.into(),
                        grant.privilege.as_str().into(),
                        grant.grantable.into(),
                    ]
                })
                .collect())
        })
        .await?;
    Ok(Outcome::rows(Rows::ready(COLUMNS, rows)))
}
