//! GRANT and REVOKE of roles.

use portolan_catalog::model::principal::PUBLIC;
use portolan_catalog::privilege::holding::Change;
use portolan_catalog::{CatalogError, Membership, Writer};

use super::names;
use super::principals::require_manageable;
use super::privileges::{COUNTS, grantees, unknown_notice};
use super::several::{change_each, each_once};
use crate::Error;
use crate::access::{Access, refused};
use crate::call::Call;

/// Changes memberships; gives the notices.
pub(super) async fn change(
    call: &Call<'_>,
    change: Change,
    roles: &[String],
    members: &[String],
) -> Result<Vec<String>, Error> {
    let members = grantees(members)?;
    let roles = grantees(roles)?
        .into_iter()
        .map(|role| (names::principal_object(&role), role))
        .collect();
    let notices = change_each(call, roles, move |actor, writer, role, _| {
        let mut notices = Vec::new();
        for member in &members {
            require(&actor.access(&*writer)?, role, member)?;
            notices.extend(match change {
                Change::Grant => give(writer, role, member, false)?,
                Change::GrantWithOption => give(writer, role, member, true)?,
                Change::Revoke => take(writer, role, member)?,
                Change::RevokeOption => take_option(writer, role, member)?,
            });
        }
        Ok(notices)
    })
    .await?;
    Ok(each_once(notices.into_iter().flatten()))
}

/// Refuses whoever may not say who is in `role`, and says only to others whether there is one.
fn require(access: &Access<'_>, role: &str, member: &str) -> Result<(), Error> {
    // Everybody is in it, so nobody can be put into it or taken out.
    if role == PUBLIC {
        return Err(CatalogError::PublicMembership.into());
    }
    if !access.may_give_role(role)? {
        return Err(
            refused(format!("must have admin option on role \"{role}\"")).with_hint(format!(
                "ask an administrator for GRANT {role} TO {} WITH ADMIN OPTION",
                access.name()
            )),
        );
    }
    if !has_admin_option(access, role)? {
        // It is CREATEROLE that allows it.
        require_manageable(access, member)?;
    }
    if access.reader().principal(role)?.is_none() {
        return Err(CatalogError::PrincipalNotFound {
            name: role.to_owned(),
        }
        .into());
    }
    Ok(())
}

fn has_admin_option(access: &Access<'_>, role: &str) -> Result<bool, Error> {
    Ok(access.is_admin()
        || access.reader().memberships()?.iter().any(|membership| {
            membership.role == role
                && membership.admin_option
                && access.is_or_inherits(&membership.member)
        }))
}

fn give(
    writer: &mut dyn Writer,
    role: &str,
    member: &str,
    with_option: bool,
) -> Result<Option<String>, Error> {
    let before = membership(writer, role, member)?;
    writer.put_membership(&Membership {
        role: role.to_owned(),
        member: member.to_owned(),
        // As with privileges, an option that is there stays.
        admin_option: with_option || before.is_some_and(|it| it.admin_option),
    })?;
    unknown_notice(&*writer, member, COUNTS)
}

fn take(writer: &mut dyn Writer, role: &str, member: &str) -> Result<Option<String>, Error> {
    let taken = writer.delete_membership(role, member)?;
    Ok((!taken).then(|| format!("{member} was not given the role {role}")))
}

fn take_option(writer: &mut dyn Writer, role: &str, member: &str) -> Result<Option<String>, Error> {
    match membership(writer, role, member)? {
        Some(before) if before.admin_option => {
            writer.put_membership(&Membership {
                admin_option: false,
                ..before
            })?;
            Ok(None)
        }
        _ => Ok(Some(format!(
            "{member} was not given the role {role} with admin option"
        ))),
    }
}

fn membership(
    writer: &mut dyn Writer,
    role: &str,
    member: &str,
) -> Result<Option<Membership>, Error> {
    let roles = writer.memberships_of(member)?;
    Ok(roles.into_iter().find(|membership| membership.role == role))
}
