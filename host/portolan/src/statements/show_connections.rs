//! SHOW EXTERNAL CONNECTION and SHOW EXTERNAL CONNECTIONS.

use portolan_catalog::{Connection, ConnectionPrivilege};
use portolan_statement as ast;

use super::paged::{PAGE, Page, paged};
use crate::access::{Access, missing, refused};
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows};

const COLUMNS: &[&str] = &["connection_name", "connection_uri", "connection_type"];

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::ShowConnections,
) -> Result<Outcome, Error> {
    let rows = match &statement.name {
        Some(name) => one(call, name).await?,
        None => all(call).await?,
    };
    Ok(Outcome::rows(rows))
}

async fn one<'a>(call: &Call<'a>, name: &'a ast::Text) -> Result<Rows, Error> {
    let name = call.name(name)?;
    let row = call
        .read(move |access| {
            let connection = access.reader().connection(name.as_str())?;
            let usable = match &connection {
                Some(connection) => access.has(connection, ConnectionPrivilege::Usage)?,
                None => access.is_admin(),
            };
            if !usable {
                return Err(not_visible(access, name.as_str()));
            }
            connection.map(row).ok_or_else(|| missing(name.as_str()))
        })
        .await?;
    Ok(Rows::ready(COLUMNS, vec![row]))
}

/// The refusal to show a connection, which says the same whether or not there is one.
pub(super) fn not_visible(access: &Access<'_>, name: &str) -> Error {
    refused(format!(
        "must have USAGE privilege or be owner of the External Connection \"{name}\""
    ))
    .with_hint(format!(
        "ask the owner for GRANT USAGE ON EXTERNAL CONNECTION {name} TO {}",
        access.name()
    ))
}

async fn all(call: &Call<'_>) -> Result<Rows, Error> {
    let catalog = call.catalog().clone();
    let actor = call.actor.clone();
    paged(call, COLUMNS, move |after: Option<String>| {
        let catalog = catalog.clone();
        let actor = actor.clone();
        Box::pin(async move {
            catalog
                .read(move |reader| {
                    let access = actor.access(reader)?;
                    let connections = reader.connections_after(after.as_deref(), PAGE)?;
                    let next = (connections.len() == PAGE)
                        .then(|| connections.last().map(|last| last.name.clone()))
                        .flatten();
                    let mut rows = Vec::new();
                    for connection in connections {
                        if access.has(&connection, ConnectionPrivilege::Usage)? {
                            rows.push(row(connection));
                        }
                    }
                    Ok(Page { rows, next })
                })
                .await
        })
    })
    .await
}

fn row(connection: Connection) -> Vec<Cell> {
    vec![
        connection.name.into(),
        connection.redacted_uri.into(),
        connection.connection_type.into(),
    ]
}
