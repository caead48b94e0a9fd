//! SHOW USERS and SHOW ROLES. Names of users and roles are nothing to hide: whoever may grant has to
//! know them.

use std::collections::BTreeMap;

use portolan_catalog::PrincipalKind;
use portolan_statement as ast;

use super::names;
use crate::call::Call;
use crate::{Error, Outcome, Rows};

pub(crate) async fn execute(
    call: &Call<'_>,
    statement: &ast::PrincipalKind,
) -> Result<Outcome, Error> {
    let (columns, kind) = match statement {
        ast::PrincipalKind::User => (["username", "member_of"], PrincipalKind::User),
        ast::PrincipalKind::Role => (["role_name", "member_of"], PrincipalKind::Role),
    };
    let rows = call
        .read(move |access| {
            let mut roles = BTreeMap::<String, Vec<String>>::new();
            for membership in access.reader().memberships()? {
                roles
                    .entry(membership.member)
                    .or_default()
                    .push(membership.role);
            }
            let principals = access.reader().principals()?;
            let shown = principals.into_iter().filter(|row| row.kind == kind);
            Ok(shown
                .map(|row| {
                    let of = roles.get(&row.name).map(Vec::as_slice).unwrap_or_default();
                    let of = names::array(of.iter().map(String::as_str));
                    vec![row.name.into(), of.into()]
                })
                .collect())
        })
        .await?;
    Ok(Outcome::rows(Rows::ready(&columns, rows)))
}
