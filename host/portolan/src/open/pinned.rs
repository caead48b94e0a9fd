//! One version of a connection, as it was read in one consistent state.

use std::sync::Arc;

use portolan_catalog::Connection;
use portolan_contract::{Operation, Plan, StoredPlan};

use crate::access::Access;
use crate::providers::{Entry, Registry};
use crate::{Error, SqlState};

/// A connection's row, its plan, and the provider that was in force.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) connection: Connection,
    pub(crate) stored: Arc<StoredPlan>,
    pub(crate) provider: Arc<Entry>,
    /// How long the plan is where it is stored.
    pub(crate) bytes: usize,
}

impl Pinned {
    /// Opens what is sealed of a connection that the actor may use, and checks that the operation
    /// is one that it is for.
    pub(crate) fn read(
        access: &Access<'_>,
        registry: &Registry,
        connection: Connection,
        operation: Operation,
    ) -> Result<Self, Error> {
        let secrets = access.reader().secrets_of(&connection)?;
        let stored = StoredPlan::from_bytes(&secrets.plan)?;
        super::check_operation(&connection, &stored.plan, operation)?;
        let provider = check_provider(access, registry, &connection, &stored)?;
        Ok(Self {
            connection,
            stored: Arc::new(stored),
            provider,
            bytes: secrets.plan.len(),
        })
    }

    /// The same version with the provider that is in force now; none where that is the same one.
    pub(crate) fn with_provider_in_force(
        &self,
        access: &Access<'_>,
        registry: &Registry,
    ) -> Result<Option<Self>, Error> {
        let provider = check_provider(access, registry, &self.connection, &self.stored)?;
        if Arc::ptr_eq(&provider, &self.provider) {
            return Ok(None);
        }
        Ok(Some(Self {
            connection: self.connection.clone(),
            stored: Arc::clone(&self.stored),
            provider,
            bytes: self.bytes,
        }))
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.stored.plan
    }
}

/// The provider that is in force, if it may use a plan that is stored.
pub(crate) fn check_provider(
    access: &Access<'_>,
    registry: &Registry,
    connection: &Connection,
    stored: &StoredPlan,
) -> Result<Arc<Entry>, Error> {
    let Ok(entry) = registry.by_name(access.reader(), &stored.provider) else {
        return Err(Error::new(
            SqlState::ObjectNotInPrerequisiteState,
            format!(
                "provider {} of external connection {} is not in force",
                stored.provider, connection.name
            ),
        )
        .with_hint("add it again with `portolan provider add`"));
    };
    let (planned, now) = (stored.provider_version, entry.manifest().version);
    if planned.major == now.major {
        return Ok(entry);
    }
    Err(Error::new(
        SqlState::ObjectNotInPrerequisiteState,
        format!(
            "external connection {} was planned by provider {} {planned}, and {now} is in force",
            connection.name, stored.provider
        ),
    )
    .with_hint(format!(
        "somebody with UPDATE runs VALIDATE EXTERNAL CONNECTION {}, which plans it again",
        connection.name
    )))
}
