//! DROP EXTERNAL CONNECTION.

use portolan_catalog::{AuditObject, CatalogError, ConnectionPrivilege, Writer};
use portolan_statement as ast;

use super::several::{change_each, each_once};
use crate::access::Actor;
use crate::call::Call;
use crate::{Error, Outcome};

/// Drops every connection that is named, or none. That one is missing is only said to who may know.
pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::DropConnection,
) -> Result<Outcome, Error> {
    let names = statement
        .names
        .iter()
        .map(|name| call.name(name))
        .collect::<Result<Vec<_>, _>>()?;
    let names = each_once(names)
        .into_iter()
        .map(|name| (AuditObject::connection(name.as_str()), name))
        .collect();
    let notices = change_each(call, names, |actor, writer, name, row| {
        let name = name.as_str();
        let dropped = drop_one(actor, writer, name)?;
        if dropped {
            return Ok(None);
        }
        let notice = format!("external connection with name {name} does not exist, skipping");
        row.detail = Some(notice.clone());
        Ok(Some(notice))
    })
    .await?;
    let outcome = Outcome::tag("DROP EXTERNAL CONNECTION");
    Ok(notices
        .into_iter()
        .flatten()
        .fold(outcome, Outcome::with_notice))
}

/// Says whether there was one.
fn drop_one(actor: &Actor, writer: &mut dyn Writer, name: &str) -> Result<bool, Error> {
    let found = writer.connection(name);
    let access = actor.access(&*writer)?;
    if matches!(found, Err(CatalogError::NotAuthentic { .. })) && access.is_admin() {
        // A row that was tampered with cannot be read any more, but an administrator gets rid of it.
        return Ok(writer.delete_connection_unchecked(name)?);
    }
    let found = found?;
    access.require(name, found.as_ref(), ConnectionPrivilege::Drop)?;
    match found {
        Some(connection) => Ok(writer.delete_connection(connection.id)?),
        None => Ok(false),
    }
}
