//! CREATE and DROP of users and roles.

use portolan_catalog::{CatalogError, PrincipalKind, PrincipalRow, SystemPrivilege};
use portolan_statement as ast;

use super::names;
use super::several::{change_each, each_once};
use crate::access::{Access, refused};
use crate::call::Call;
use crate::{Error, Outcome};

/// CREATE USER and CREATE ROLE.
pub(crate) async fn create<'a>(
    call: &Call<'a>,
    statement: &'a ast::CreatePrincipal,
) -> Result<Outcome, Error> {
    let (tag, kind) = match statement.kind {
        ast::PrincipalKind::User => ("CREATE USER", PrincipalKind::User),
        ast::PrincipalKind::Role => ("CREATE ROLE", PrincipalKind::Role),
    };
    names::principal(&statement.name)?;
    call.concerns(names::principal_object(&statement.name));
    let name = statement.name.clone();
    let if_not_exists = statement.if_not_exists;
    let notice = call
        .change(move |actor, writer, row| {
            let access = actor.access(&*writer)?;
            require_management(&access, tag)?;
            require_manageable(&access, &name)?;
            if if_not_exists && writer.principal(&name)?.is_some() {
                let notice = format!("role or user {name} already exists, skipping");
                row.detail = Some(notice.clone());
                return Ok(Some(notice));
            }
            writer.insert_principal(&PrincipalRow {
                name,
                kind,
                created: portolan_catalog::model::now(),
            })?;
            Ok(None)
        })
        .await?;
    Ok(notice
        .into_iter()
        .fold(Outcome::tag(tag), Outcome::with_notice))
}

/// DROP USER and DROP ROLE. As with the ancestor, each of them drops both sorts.
pub(crate) async fn drop<'a>(
    call: &Call<'a>,
    statement: &'a ast::DropPrincipal,
) -> Result<Outcome, Error> {
    let tag = match statement.kind {
        ast::PrincipalKind::User => "DROP USER",
        ast::PrincipalKind::Role => "DROP ROLE",
    };
    let if_exists = statement.if_exists;
    let dropped = each_once(statement.names.iter().cloned())
        .into_iter()
        .map(|name| {
            names::principal(&name)?;
            Ok((names::principal_object(&name), name))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let notices = change_each(call, dropped, move |actor, writer, name, row| {
        let access = actor.access(&*writer)?;
        require_management(&access, tag)?;
        require_manageable(&access, name)?;
        if writer.delete_principal(name)? {
            return Ok(None);
        }
        if !if_exists {
            return Err(CatalogError::PrincipalNotFound { name: name.clone() }.into());
        }
        let notice = format!("role or user {name} does not exist, skipping");
        row.detail = Some(notice.clone());
        Ok(Some(notice))
    })
    .await?;
    Ok(notices
        .into_iter()
        .flatten()
        .fold(Outcome::tag(tag), Outcome::with_notice))
}

fn require_management(access: &Access<'_>, statement: &str) -> Result<(), Error> {
    if access.has_system(SystemPrivilege::CreateRole)? {
        return Ok(());
    }
    Err(refused(format!(
        "only users with the CREATEROLE system privilege are allowed to {statement}"
    ))
    .with_hint(format!(
        "ask an administrator for GRANT SYSTEM CREATEROLE TO {}",
        access.name()
    )))
}

/// Refuses whoever manages users and comes near the administrators without being one.
pub(super) fn require_manageable(access: &Access<'_>, name: &str) -> Result<(), Error> {
    if access.may_manage(name)? {
        return Ok(());
    }
    Err(refused(
        "only users with the admin role are allowed to change root, admin and their members",
    )
    .with_hint("ask an administrator to do it"))
}
