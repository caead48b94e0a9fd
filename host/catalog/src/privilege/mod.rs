//! Who somebody is, and what that allows.
//!
//! Everybody holds what was given to them, to the roles that they are in, directly or through other
//! roles, and to [`PUBLIC`]. The owner of a connection and the members of an owning role hold
//! everything on it, members of [`ADMIN`] everything there is, both with the right to pass it on.
//!
//! # Layout
//! * [`Identity`]: somebody's roles, and the questions that statements ask
//! * [`holding`]: the arithmetic of GRANT and REVOKE

pub mod holding;

use std::collections::BTreeSet;

use crate::access::Reader;
use crate::error::CatalogError;
use crate::model::principal::{ADMIN, PUBLIC, ROOT};
use crate::model::{Connection, ConnectionPrivilege, SystemPrivilege};
use holding::Holding;

/// Somebody, with every role that they have in one state of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    name: String,
    /// The name itself, the roles, and `public`.
    names: BTreeSet<String>,
}

impl Identity {
    /// Finds the roles of `name`, who needs no row. `vouched_roles` are roles that the embedding
    /// program says the principal has in this session; what those inherit counts as well.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn resolve(
        reader: &dyn Reader,
        name: &str,
        vouched_roles: &[String],
    ) -> Result<Self, CatalogError> {
        let start = std::iter::once(name).chain(vouched_roles.iter().map(String::as_str));
        let mut names = inherited(reader, start)?;
        names.insert(PUBLIC.to_owned());
        Ok(Self {
            name: name.to_owned(),
            names,
        })
    }

    /// The name of the principal.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether everything is allowed.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.names.contains(ADMIN)
    }

    /// Whether `role` is `public`, the principal itself, or a role that it has.
    #[must_use]
    pub fn is_member_of(&self, role: &str) -> bool {
        self.names.contains(role)
    }

    /// Whether the principal owns `connection`, itself or as a member of the role that does.
    #[must_use]
    pub fn owns(&self, connection: &Connection) -> bool {
        self.is_member_of(&connection.owner)
    }

    /// Whether the principal holds `privilege` on the system.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn has_system(
        &self,
        reader: &dyn Reader,
        privilege: SystemPrivilege,
    ) -> Result<bool, CatalogError> {
        Ok(self.is_admin() || self.system_holding(reader)?.has(privilege))
    }

    /// Whether the principal may give `privilege` on the system to others, or take it.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn may_grant_system(
        &self,
        reader: &dyn Reader,
        privilege: SystemPrivilege,
    ) -> Result<bool, CatalogError> {
        Ok(self.is_admin() || self.system_holding(reader)?.may_grant(privilege))
    }

    /// Whether the principal holds `privilege` on `connection`.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn has_connection(
        &self,
        reader: &dyn Reader,
        connection: &Connection,
        privilege: ConnectionPrivilege,
    ) -> Result<bool, CatalogError> {
        Ok(self.is_admin()
            || self.owns(connection)
            || self.connection_holding(reader, connection)?.has(privilege))
    }

    /// Whether the principal may give `privilege` on `connection` to others, or take it.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn may_grant_connection(
        &self,
        reader: &dyn Reader,
        connection: &Connection,
        privilege: ConnectionPrivilege,
    ) -> Result<bool, CatalogError> {
        Ok(self.is_admin()
            || self.owns(connection)
            || self
                .connection_holding(reader, connection)?
                .may_grant(privilege))
    }

    /// Whether the principal may give `role` to others, or take it: an admin, whoever has the role
    /// with admin option, and a holder of CREATEROLE unless the role is or inherits one of those
    /// that only an admin manages.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn may_give_role(&self, reader: &dyn Reader, role: &str) -> Result<bool, CatalogError> {
        if role == PUBLIC {
            return Ok(false);
        }
        if self.is_admin() {
            return Ok(true);
        }
        for name in &self.names {
            let given = reader.memberships_of(name)?;
            if given.iter().any(|it| it.role == role && it.admin_option) {
                return Ok(true);
            }
        }
        self.may_manage(reader, role)
    }

    /// Whether the principal may create, drop or change the user or role called `name`: an admin,
    /// and a holder of CREATEROLE unless it is `root`, `admin` or has one of them.
    ///
    /// # Errors
    /// Those of [`Reader`].
    pub fn may_manage(&self, reader: &dyn Reader, name: &str) -> Result<bool, CatalogError> {
        if self.is_admin() {
            return Ok(true);
        }
        Ok(self.has_system(reader, SystemPrivilege::CreateRole)? && !is_protected(reader, name)?)
    }

    fn system_holding(
        &self,
        reader: &dyn Reader,
    ) -> Result<Holding<SystemPrivilege>, CatalogError> {
        let mut holding = Holding::default();
        for name in &self.names {
            for grant in reader.system_grants(Some(name))? {
                holding.add(grant.privilege, grant.grantable);
            }
        }
        Ok(holding)
    }

    fn connection_holding(
        &self,
        reader: &dyn Reader,
        connection: &Connection,
    ) -> Result<Holding<ConnectionPrivilege>, CatalogError> {
        let mut holding = Holding::default();
        for grant in reader.connection_grants(Some(connection.id))? {
            if self.is_member_of(&grant.grantee) {
                holding.add(grant.privilege, grant.grantable);
            }
        }
        Ok(holding)
    }
}

/// Whether `name` is `root` or `admin`, or has one of them: only an admin manages those.
///
/// # Errors
/// Those of [`Reader`].
pub fn is_protected(reader: &dyn Reader, name: &str) -> Result<bool, CatalogError> {
    let names = inherited(reader, [name])?;
    Ok(names.contains(ROOT) || names.contains(ADMIN))
}

/// The names themselves and every role that one of them has, directly or through others. Ends also
/// where roles inherit from each other.
fn inherited<'a>(
    reader: &dyn Reader,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<String>, CatalogError> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = names.into_iter().map(str::to_owned).collect();
    while let Some(name) = open.pop() {
        if !found.contains(&name) {
            open.extend(reader.memberships_of(&name)?.into_iter().map(|it| it.role));
            found.insert(name);
        }
    }
    Ok(found)
}
