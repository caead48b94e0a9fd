//! SHOW EXTERNAL CONNECTION and SHOW EXTERNAL CONNECTIONS. `WITH COMMENT` is a column more, so that
//! the others stay what programs expect.

use portolan_catalog::{Connection, ConnectionPrivilege};
use portolan_statement as ast;

use super::paged::{PAGE, Page, paged};
use crate::access::{Access, missing, refused};
use crate::call::Call;
use crate::{Cell, Error, Outcome, Rows};

const COLUMNS: &[&str] = &[
    "connection_name",
    "connection_uri",
    "connection_type",
    "comment",
];

/// What is shown of a connection.
#[derive(Clone, Copy)]
struct Shown {
    with_comment: bool,
}

impl Shown {
    fn columns(self) -> &'static [&'static str] {
        let hidden = usize::from(!self.with_comment);
        &COLUMNS[..COLUMNS.len() - hidden]
    }

    fn row(self, connection: Connection) -> Vec<Cell> {
        let mut row = vec![
            connection.name.into(),
            connection.redacted_uri.into(),
            connection.connection_type.into(),
        ];
        if self.with_comment {
            row.push(connection.comment.into());
        }
        row
    }
}

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::ShowConnections,
) -> Result<Outcome, Error> {
    let with_comment = statement.with_comment;
    let shown = Shown { with_comment };
    let rows = match &statement.name {
        Some(name) => one(call, name, shown).await?,
        None => all(call, shown).await?,
    };
    Ok(Outcome::rows(rows))
}

async fn one<'a>(call: &Call<'a>, name: &'a ast::Text, shown: Shown) -> Result<Rows, Error> {
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
            let connection = connection.ok_or_else(|| missing(name.as_str()))?;
            Ok(shown.row(connection))
        })
        .await?;
    Ok(Rows::ready(shown.columns(), vec![row]))
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

async fn all(call: &Call<'_>, shown: Shown) -> Result<Rows, Error> {
    let catalog = call.catalog().clone();
    let actor = call.actor.clone();
    paged(call, shown.columns(), move |after: Option<String>| {
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
                            rows.push(shown.row(connection));
                        }
                    }
                    Ok(Page { rows, next })
                })
                .await
        })
    })
    .await
}
