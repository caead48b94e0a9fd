//! Who may do what: the one place where statements and handles ask for privileges.

use std::sync::Arc;

use portolan_catalog::privilege::Identity;
use portolan_catalog::{Connection, ConnectionPrivilege, Privilege, Reader, SystemPrivilege};

use crate::{Error, Principal, RequestContext, SqlState};

/// Who acts, for as long as a session, a stream of rows or a handle lives.
#[derive(Debug, Clone)]
pub(crate) struct Actor(Arc<(Principal, RequestContext)>);

impl Actor {
    pub(crate) fn new(principal: Principal, context: RequestContext) -> Self {
        Self(Arc::new((principal, context)))
    }

    pub(crate) fn name(&self) -> &str {
        self.0.0.name()
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.0.0
    }

    pub(crate) fn context(&self) -> &RequestContext {
        &self.0.1
    }

    /// What this actor may do in the state that `reader` sees. Never kept beyond the transaction.
    pub(crate) fn access<'r>(&self, reader: &'r dyn Reader) -> Result<Access<'r>, Error> {
        let (principal, _) = &*self.0;
        let identity = Identity::resolve(reader, principal.name(), principal.roles())?;
        Ok(Access { reader, identity })
    }
}

/// What somebody may do, in one consistent state of the catalog.
pub(crate) struct Access<'r> {
    reader: &'r dyn Reader,
    identity: Identity,
}

impl<'r> Access<'r> {
    pub(crate) fn reader(&self) -> &'r dyn Reader {
        self.reader
    }

    pub(crate) fn name(&self) -> &str {
        self.identity.name()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.identity.is_admin()
    }

    /// Whether the actor is `principal` or inherits from it.
    pub(crate) fn is_or_inherits(&self, principal: &str) -> bool {
        self.identity.is_member_of(principal)
    }

    pub(crate) fn owns(&self, connection: &Connection) -> bool {
        self.is_admin() || self.is_or_inherits(&connection.owner)
    }

    pub(crate) fn has_system(&self, privilege: SystemPrivilege) -> Result<bool, Error> {
        Ok(self.identity.has_system(self.reader, privilege)?)
    }

    pub(crate) fn has(
        &self,
        connection: &Connection,
        privilege: ConnectionPrivilege,
    ) -> Result<bool, Error> {
        Ok(self
            .identity
            .has_connection(self.reader, connection, privilege)?)
    }

    /// Refuses whoever may not do this with the connection called `name`. Only an administrator is
    /// let through to learn that there is none.
    pub(crate) fn require(
        &self,
        name: &str,
        connection: Option<&Connection>,
        privilege: ConnectionPrivilege,
    ) -> Result<(), Error> {
        let allowed = match connection {
            Some(connection) => self.has(connection, privilege)?,
            None => self.is_admin(),
        };
        if allowed {
            return Ok(());
        }
        Err(refused(format!(
            "user {} does not have {privilege} privilege on external_connection {name}",
            self.name()
        ))
        .with_hint(format!(
            "ask the owner for GRANT {privilege} ON EXTERNAL CONNECTION {name} TO {}",
            self.name()
        )))
    }

    /// The connection called `name`, for somebody who has `privilege` on it.
    pub(crate) fn require_existing(
        &self,
        name: &str,
        privilege: ConnectionPrivilege,
    ) -> Result<Connection, Error> {
        let connection = self.reader.connection(name)?;
        self.require(name, connection.as_ref(), privilege)?;
        connection.ok_or_else(|| missing(name))
    }

    /// Refuses whoever may not create connections.
    pub(crate) fn require_creation(&self, statement: &str) -> Result<(), Error> {
        if self.has_system(SystemPrivilege::ExternalConnection)? {
            return Ok(());
        }
        Err(refused(format!(
            "only users with the EXTERNALCONNECTION system privilege are allowed to {statement}"
        ))
        .with_hint(format!(
            "ask an administrator for GRANT SYSTEM EXTERNALCONNECTION TO {}",
            self.name()
        )))
    }

    /// Refuses whoever may not use what the host itself has access to.
    pub(crate) fn require_implicit_access(&self, provider: &str) -> Result<(), Error> {
        if self.has_system(SystemPrivilege::ExternalIoImplicitAccess)? {
            return Ok(());
        }
        Err(refused(format!(
            "only users with the admin role or the EXTERNALIOIMPLICITACCESS system privilege are \
             allowed to access the specified {provider} URI"
        ))
        .with_hint(format!(
            "ask an administrator for GRANT SYSTEM EXTERNALIOIMPLICITACCESS TO {}",
            self.name()
        )))
    }

    /// Whether the actor may give `role` to others, or take it from them.
    pub(crate) fn may_give_role(&self, role: &str) -> Result<bool, Error> {
        Ok(self.identity.may_give_role(self.reader, role)?)
    }

    /// Whether the actor may create, drop or change the user or role called `name`.
    pub(crate) fn may_manage(&self, name: &str) -> Result<bool, Error> {
        Ok(self.identity.may_manage(self.reader, name)?)
    }

    /// Whether the actor may pass on every one of these privileges on the connection.
    pub(crate) fn may_grant(
        &self,
        connection: &Connection,
        privileges: &[ConnectionPrivilege],
    ) -> Result<bool, Error> {
        for privilege in expanded(privileges) {
            if !self
                .identity
                .may_grant_connection(self.reader, connection, privilege)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the actor may pass on every one of these privileges on the system.
    pub(crate) fn may_grant_system(&self, privileges: &[SystemPrivilege]) -> Result<bool, Error> {
        for privilege in expanded(privileges) {
            if !self.identity.may_grant_system(self.reader, privilege)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The single privileges that `privileges` stand for, each once.
pub(crate) fn expanded<P: Privilege>(privileges: &[P]) -> Vec<P> {
    let mut single: Vec<P> = privileges
        .iter()
        .flat_map(|privilege| {
            if *privilege == P::ALL {
                P::SINGLE.to_vec()
            } else {
                vec![*privilege]
            }
        })
        .collect();
    single.sort_unstable();
    single.dedup();
    single
}

/// A refusal for want of a privilege.
pub(crate) fn refused(message: impl Into<String>) -> Error {
    Error::new(SqlState::InsufficientPrivilege, message)
}

/// There is no connection of this name; said only to who may know.
pub(crate) fn missing(name: &str) -> Error {
    Error::new(
        SqlState::UndefinedObject,
        format!("external connection with name {name} does not exist"),
    )
    .with_hint("SHOW EXTERNAL CONNECTIONS lists the names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stands_for_every_single_privilege() {
        assert_eq!(
            expanded(&[ConnectionPrivilege::All, ConnectionPrivilege::Usage]),
            [
                ConnectionPrivilege::Usage,
                ConnectionPrivilege::Drop,
                ConnectionPrivilege::Update
            ]
        );
    }
}
