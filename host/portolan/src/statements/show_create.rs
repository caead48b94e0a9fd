//! SHOW CREATE EXTERNAL CONNECTION and SHOW CREATE ALL EXTERNAL CONNECTIONS: the one statement that
//! shows secrets. What it shows is in the audit trail before anybody sees it.

use portolan_catalog::{AuditObject, Connection, Reader, SystemPrivilege, Writer};
use portolan_statement as ast;

use super::paged::{PAGE, Page, paged};
use crate::access::{Access, missing, refused};
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows};

const COLUMNS: &[&str] = &["connection_name", "create_statement"];

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::ShowCreateConnection,
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
        .change(move |actor, writer, _| {
            let connection = writer.connection(name.as_str())?;
            let access = actor.access(&*writer)?;
            let allowed = access.has_system(SystemPrivilege::ViewClusterMetadata)?
                || connection.as_ref().is_some_and(|it| access.owns(it));
            if !allowed {
                return Err(refused(format!(
                    "must have VIEWCLUSTERMETADATA privilege or be owner of the External \
                     Connection \"{name}\""
                ))
                .with_hint(grant_hint(&access)));
            }
            let connection = connection.ok_or_else(|| missing(name.as_str()))?;
            row(&*writer, &connection)
        })
        .await?;
    Ok(Rows::ready(COLUMNS, vec![row]))
}

/// Each connection that is shown gets an audit row of its own, beside the one of the statement: the
/// trail of a connection names everybody who saw its secrets.
async fn all(call: &Call<'_>) -> Result<Rows, Error> {
    call.change(|actor, writer, _| require_all(&actor.access(&*writer)?))
        .await?;
    let catalog = call.catalog().clone();
    let actor = call.actor.clone();
    let shown = call.row();
    paged(call, COLUMNS, move |after: Option<String>| {
        let catalog = catalog.clone();
        let actor = actor.clone();
        let mut shown = shown.clone();
        Box::pin(async move {
            catalog
                .write(move |writer: &mut dyn Writer| {
                    require_all(&actor.access(&*writer)?)?;
                    let connections = writer.connections_after(after.as_deref(), PAGE)?;
                    let next = (connections.len() == PAGE)
                        .then(|| connections.last().map(|last| last.name.clone()))
                        .flatten();
                    let mut rows = Vec::with_capacity(connections.len());
                    for connection in connections {
                        rows.push(row(&*writer, &connection)?);
                        shown.object = Some(AuditObject::connection(connection.name));
                        shown.append(writer)?;
                    }
                    Ok(Page { rows, next })
                })
                .await
        })
    })
    .await
}

fn require_all(access: &Access<'_>) -> Result<(), Error> {
    if access.has_system(SystemPrivilege::ViewClusterMetadata)? {
        return Ok(());
    }
    Err(refused(
        "must have VIEWCLUSTERMETADATA privilege to run `SHOW CREATE ALL EXTERNAL CONNECTIONS`",
    )
    .with_hint(grant_hint(access)))
}

/// How to come by what shows every connection whole.
pub(crate) fn grant_hint(access: &Access<'_>) -> String {
    format!(
        "ask an administrator for GRANT SYSTEM VIEWCLUSTERMETADATA TO {}",
        access.name()
    )
}

fn row(reader: &dyn Reader, connection: &Connection) -> Result<Vec<Cell>, Error> {
    let uri = reader.secrets_of(connection)?.uri;
    let create = ast::CreateConnection::new(&connection.name, uri);
    let statement = ast::Statement::CreateConnection(create).to_sql_with_secrets();
    Ok(vec![
        connection.name.as_str().into(),
        statement.expose().into(),
    ])
}
