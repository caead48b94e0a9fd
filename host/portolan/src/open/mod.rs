//! From `external://NAME/PATH` to what it leads to. Nothing is planned here: the stored plan is used.
//!
//! Every handle has a gate, which judges each of its operations, and works with what it has made of
//! the version that the gate lets it use: a store of the host, or a provider with its grants. There
//! is one file for each kind of handle.

mod database;
mod envelope;
mod follow;
mod gate;
mod handles;
mod kms;
mod known;
mod made;
mod pinned;
mod registry;
mod service;
mod sink;
mod storage;

pub use database::Database;
pub(crate) use database::export;
pub(crate) use handles::Handles;
pub use handles::OpenHandle;
pub use kms::Kms;
pub(crate) use known::Known;
pub(crate) use pinned::check_provider;
pub use registry::Registry;
pub use sink::{Delivered, Sink};
pub use storage::{Capabilities, StorageConnection};

use std::sync::Arc;

use portolan_catalog::{AuditObject, Connection, ConnectionPrivilege};
use portolan_contract::{ExternalUrl, Kind, Operation, Plan};

use crate::access::{Access, missing};
use crate::call::Call;
use crate::planning::connection_type;
use crate::{Error, SqlState, policy};
use known::{Answer, Asked};
use pinned::Pinned;

/// How a connection is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Whether the handle takes the connection's newest version at its next operation. Otherwise
    /// it keeps the version that it was opened with until it is dropped.
    pub follow: bool,
}

/// What a connection leads to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Opened {
    /// An object store.
    Storage(StorageConnection),
    /// A key of a key management service.
    Kms(Kms),
    /// Something that takes messages.
    Sink(Sink),
    /// A schema registry.
    Registry(Registry),
    /// A database.
    Database(Database),
}

impl Opened {
    /// The object store.
    ///
    /// # Errors
    /// 0A000 when it is something else.
    pub fn into_storage(self) -> Result<StorageConnection, Error> {
        match self {
            Self::Storage(storage) => Ok(storage),
            other => Err(other.is_no("object store")),
        }
    }

    /// The key.
    ///
    /// # Errors
    /// 0A000 when it is something else.
    pub fn into_kms(self) -> Result<Kms, Error> {
        match self {
            Self::Kms(kms) => Ok(kms),
            other => Err(other.is_no("key")),
        }
    }

    /// The sink.
    ///
    /// # Errors
    /// 0A000 when it is something else.
    pub fn into_sink(self) -> Result<Sink, Error> {
        match self {
            Self::Sink(sink) => Ok(sink),
            other => Err(other.is_no("sink")),
        }
    }

    /// The schema registry.
    ///
    /// # Errors
    /// 0A000 when it is something else.
    pub fn into_registry(self) -> Result<Registry, Error> {
        match self {
            Self::Registry(registry) => Ok(registry),
            other => Err(other.is_no("schema registry")),
        }
    }

    /// The database.
    ///
    /// # Errors
    /// 0A000 when it is something else.
    pub fn into_database(self) -> Result<Database, Error> {
        match self {
            Self::Database(database) => Ok(database),
            other => Err(other.is_no("database")),
        }
    }

    fn is_no(&self, wanted: &str) -> Error {
        let what = match self {
            Self::Storage(_) => "an object store",
            Self::Kms(_) => "a key",
            Self::Sink(_) => "a sink",
            Self::Registry(_) => "a schema registry",
            Self::Database(_) => "a database",
        };
        Error::new(
            SqlState::FeatureNotSupported,
            format!("the connection leads to {what} and to no {wanted}"),
        )
        .with_hint("open it for the operation that is meant")
    }
}

/// Opens a connection. Name, privilege, plan and provider are those of one consistent state, the one
/// that the catalog has when it is opened.
pub(crate) async fn open(
    call: &Call<'_>,
    url: &str,
    operation: Operation,
    options: OpenOptions,
) -> Result<Opened, Error> {
    let url: ExternalUrl = url.parse()?;
    let name = url.name.to_string();
    call.concerns(AuditObject::connection(name.as_str()));
    let asked = Asked {
        principal: call.actor.principal().clone(),
        connection: name,
        operation,
    };
    let (pinned, known, mark) = match call.host.known.find(call.catalog(), &asked) {
        Answer::Known(pinned) => (pinned, true, None),
        Answer::Unknown(mark) => (read(call, &asked).await?, false, mark),
    };
    if !url.path.is_empty() && pinned.plan().object_store().is_none() {
        return Err(no_path());
    }
    call.runs(&pinned.connection.provider);
    policy::judge(&call.host.egress, &pinned.stored)?;
    let opened = lead(call, &pinned, known, &url, operation, options).await?;
    if let Some(mark) = mark {
        call.host.known.keep(mark, asked, &pinned);
    }
    Ok(opened)
}

/// What a connection leads to when it is opened for an operation.
async fn lead(
    call: &Call<'_>,
    pinned: &Arc<Pinned>,
    known: bool,
    url: &ExternalUrl,
    operation: Operation,
    options: OpenOptions,
) -> Result<Opened, Error> {
    let (host, actor) = (call.host, &call.actor);
    let (plan, pinned) = (pinned.plan(), Arc::clone(pinned));
    let kind = plan.kinds().next();
    // What may be several things is the one that the operation is for.
    if operation == Operation::SchemaRegistry {
        if !url.path.is_empty() {
            return Err(no_path());
        }
        let opening = Box::pin(Registry::open(host, actor, pinned, operation, options));
        return opening.await.map(Opened::Registry);
    }
    if operation == Operation::Changefeed {
        let path = &url.path;
        let opening = Box::pin(Sink::open(host, actor, pinned, path, operation, options));
        return opening.await.map(Opened::Sink);
    }
    if plan.object_store().is_some() {
        let path = &url.path;
        let opening = StorageConnection::open(host, actor, pinned, known, path, operation, options);
        return opening.await.map(Opened::Storage);
    }
    if kind == Some(Kind::Kms) {
        // Boxed, so that whoever opens storage does not carry the way to a provider.
        let opening = Box::pin(Kms::open(host, actor, pinned, operation, options));
        return opening.await.map(Opened::Kms);
    }
    if kind == Some(Kind::Database) {
        let database = Database::open(host, actor, pinned, operation, options);
        return Ok(Opened::Database(database));
    }
    Err(Error::new(
        SqlState::FeatureNotSupported,
        format!(
            "this version opens no connection of provider {}",
            pinned.connection.provider
        ),
    )
    .with_hint("open it for an operation that SHOW PROVIDERS lists beside it"))
}

/// The answer of the catalog, in one consistent state.
async fn read(call: &Call<'_>, asked: &Asked) -> Result<Arc<Pinned>, Error> {
    let registry = Arc::clone(&call.host.providers);
    let (name, operation) = (asked.connection.clone(), asked.operation);
    let pinned = call
        .read(move |access| {
            let connection = find(access, &name)?;
            Pinned::read(access, &registry, connection, operation)
        })
        .await?;
    Ok(Arc::new(pinned))
}

/// The connection of this name, for somebody who may use it.
fn find(access: &Access<'_>, name: &str) -> Result<Connection, Error> {
    let connection = access.reader().connection(name)?;
    access.require(name, connection.as_ref(), ConnectionPrivilege::Usage)?;
    connection.ok_or_else(|| missing(name).prefixed("failed to load external connection object"))
}

/// Refuses an operation that a connection is not for.
fn check_operation(
    connection: &Connection,
    plan: &Plan,
    operation: Operation,
) -> Result<(), Error> {
    let found = connection_type(plan);
    if let Some(wanted) = wanted_type(operation)
        && wanted != found
    {
        return Err(Error::new(
            SqlState::WrongObjectType,
            format!("{wanted} cannot use object of type {found}"),
        )
        .with_hint("SHOW EXTERNAL CONNECTIONS shows the type of each"));
    }
    let supported = plan.operations();
    if supported.contains(&operation) {
        return Ok(());
    }
    let supported: Vec<_> = supported.iter().map(|one| one.keyword()).collect();
    let supported = match supported.as_slice() {
        [] => "nothing of the kind".to_owned(),
        some => some.join(", "),
    };
    Err(Error::new(
        SqlState::FeatureNotSupported,
        format!(
            "{} cannot use external connection {}: provider {} supports {supported}",
            operation.keyword(),
            connection.name,
            connection.provider,
        ),
    )
    .with_hint("SHOW PROVIDERS shows what each provider supports"))
}

/// The type that an operation works on, where the ancestor has one for it.
fn wanted_type(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::Backup
        | Operation::Restore
        | Operation::Import
        | Operation::Export
        | Operation::Transfer => Some("STORAGE"),
        Operation::EncryptedBackup => Some("KMS"),
        Operation::Replication => Some("FOREIGNDATA"),
        // Sinks and registries have no type of their own, so the operations decide.
        _ => None,
    }
}

fn no_path() -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        "an external URI takes a path only where the connection is an object store",
    )
    .with_hint("leave the path out")
}

#[cfg(test)]
mod tests {
    use portolan_contract::PlanEntry;

    use super::*;

    fn refusal(kind: Kind, supports: Operation, operation: Operation) -> Option<String> {
        let plan = Plan {
            entries: vec![PlanEntry::Kind(kind), PlanEntry::Supports(supports)],
        };
        let now = portolan_catalog::model::now();
        let connection = Connection {
            id: portolan_catalog::ConnectionId::random(),
            name: "x".to_owned(),
            version: 1,
            connection_type: kind.connection_type().to_owned(),
            provider: "aws-kms".to_owned(),
            provider_version: "0.1.0".to_owned(),
            redacted_uri: String::new(),
            implicit_access: false,
            owner: "root".to_owned(),
            comment: None,
            created: now,
            updated: now,
            plan_format: 1,
        };
        let refused = check_operation(&connection, &plan, operation);
        refused.err().map(|error| error.to_string())
    }

    #[test]
    fn an_operation_on_another_type_is_refused_in_the_ancestors_words() {
        let refused = refusal(Kind::Kms, Operation::EncryptedBackup, Operation::Backup);
        let words = "STORAGE cannot use object of type KMS";
        assert_eq!(refused.as_deref(), Some(words));
        let refused = refusal(Kind::Storage, Operation::Backup, Operation::EncryptedBackup);
        let words = "KMS cannot use object of type STORAGE";
        assert_eq!(refused.as_deref(), Some(words));
        assert_eq!(
            refusal(Kind::Storage, Operation::Backup, Operation::Backup),
            None
        );
    }

    #[test]
    fn an_operation_that_a_plan_does_not_list_is_refused_with_those_that_it_does() {
        let refused = refusal(Kind::Kms, Operation::EncryptedBackup, Operation::Changefeed);
        let words = "CHANGEFEED cannot use external connection x: provider aws-kms supports \
                     ENCRYPTED BACKUP";
        assert_eq!(refused.as_deref(), Some(words));
    }
}
