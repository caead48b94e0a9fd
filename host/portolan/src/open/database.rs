//! The handle of a connection that is a database.

use std::fmt;
use std::sync::Arc;

use portolan_catalog::{AuditObject, SystemPrivilege};
use portolan_contract::{ConnectionName, Kind, Operation, StoredPlan};
use portolan_data::{Database as Connector, DatabaseClient, DatabaseDriver, Gate};
use portolan_egress::Egress;
use portolan_secret::SecretText;

use super::OpenOptions;
use super::gate::{HandleGate, Worker};
use super::pinned::Pinned;
use crate::access::{Actor, missing, refused};
use crate::call::Call;
use crate::host::Shared;
use crate::statements::grant_hint;
use crate::{Error, SqlState};

/// An open connection to a database of PostgreSQL: the protocol of tokio-postgres over a socket of
/// the host's guard, with the password that the host holds.
///
/// The handle is pinned to the connection and, unless it follows, to its version. After REVOKE,
/// DROP or a stricter policy its next operation fails; after ALTER or RENAME it goes on. That holds
/// for what is connected already as well: nothing more is sent over it.
#[derive(Clone)]
pub struct Database {
    gate: Arc<HandleGate>,
    egress: Egress,
}

impl Database {
    pub(crate) fn open(
        host: &Shared,
        actor: &Actor,
        pinned: Arc<Pinned>,
        operation: Operation,
        options: OpenOptions,
    ) -> Self {
        let gate = HandleGate::new(host, actor, pinned, operation, Worker::Host, options);
        host.handles.add(&gate);
        Self {
            gate,
            egress: host.egress.clone(),
        }
    }

    /// Connects, to the first server that lets the connection in. The driver moves the bytes and has
    /// to be polled, which is to say spawned; it ends with an error once the handle may not be used
    /// any more.
    ///
    /// # Errors
    /// Why the handle may not be used any more, and what the server refuses: 28000, 42501 or 42704
    /// as it says, 08001 where it does not answer.
    pub async fn connect(&self) -> Result<(DatabaseClient, DatabaseDriver), Error> {
        let pinned = self.gate.pass().await?;
        let gate: Arc<dyn Gate> = Arc::<HandleGate>::clone(&self.gate);
        let connector = Connector::new(&self.egress, &pinned.stored);
        Ok(connector.connect(&gate).await?)
    }

    /// The version of the connection that the handle uses.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.gate.version()
    }

    /// Whether the handle may be used and its version is the newest. A handle that follows takes
    /// the newest with this.
    pub async fn is_current(&self) -> bool {
        self.gate.is_current().await
    }

    /// Waits until the handle may not be used any more, or its version is another, or not the
    /// newest. Changes of other processes are noticed within two seconds.
    pub async fn changed(&self) {
        self.gate.changed().await;
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}

/// The URI of a database, with its secrets, for somebody who may see it where the embedding program
/// allows that at all. It is in the audit trail before anybody sees it.
pub(crate) async fn export(call: &Call<'_>, name: &str) -> Result<SecretText, Error> {
    let name: ConnectionName = name.parse()?;
    call.concerns(AuditObject::connection(name.as_str()));
    if !call.host.exports_credentials {
        return Err(Error::new(
            SqlState::InsufficientPrivilege,
            "this program lets no connection string out",
        )
        .with_hint(
            "open the connection and use its handle; a program that has to hand the string on is \
             built with HostBuilder::allow_credential_export",
        ));
    }
    call.change(move |actor, writer, _| {
        let connection = writer.connection(name.as_str())?;
        let access = actor.access(&*writer)?;
        let allowed = access.has_system(SystemPrivilege::ViewClusterMetadata)?
            || connection.as_ref().is_some_and(|it| access.owns(it));
        if !allowed {
            return Err(refused(format!(
                "must have VIEWCLUSTERMETADATA privilege or be owner of the External Connection \
                 \"{name}\""
            ))
            .with_hint(grant_hint(&access)));
        }
        let connection = connection.ok_or_else(|| missing(name.as_str()))?;
        let secrets = writer.secrets_of(&connection)?;
        let stored = StoredPlan::from_bytes(&secrets.plan)?;
        match stored.plan.kinds().any(|kind| kind == Kind::Database) {
            true => Ok(secrets.uri),
            false => Err(Error::new(
                SqlState::FeatureNotSupported,
                format!("external connection {name} is no database and has no connection string"),
            )
            .with_hint("SHOW EXTERNAL CONNECTIONS shows the type of each")),
        }
    })
    .await
}
