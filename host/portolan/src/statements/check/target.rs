//! What is checked: a connection, with a path or without, or a URI that is no connection's yet.

use std::sync::Arc;

use object_store::ObjectStore;
use portolan_catalog::AuditObject;
use portolan_contract::{ConnectionName, ExternalUrl, Operation, scheme_of};
use portolan_secret::SecretText;
use portolan_statement as ast;

use crate::call::Call;
use crate::open::{self, OpenOptions};
use crate::{Error, SqlState, planning, probing, user_files};

/// What every failure to come to the storage begins with.
const CONNECT: &str = "connect to external storage";

pub(super) enum Target<'a> {
    /// `external://NAME/PATH`
    Connection(String),
    /// Any other URI; it may hold secrets.
    Raw(&'a SecretText),
}

/// The storage that is checked, by its two ways.
#[derive(Clone)]
pub(super) struct Storage {
    /// By which the work is done: it ends once the connection may not be used any more.
    pub(super) gated: Arc<dyn ObjectStore>,
    /// By which only what the check itself wrote is removed: that is not to stay because access has
    /// ended meanwhile.
    pub(super) below: Arc<dyn ObjectStore>,
}

/// Tells a connection from another URI. The mere name of a connection is taken as well, as every
/// other statement takes it.
pub(super) fn read<'a>(call: &Call<'a>, target: &'a ast::Text) -> Result<Target<'a>, Error> {
    let text = call.text(target)?;
    let url = match text.expose().parse::<ConnectionName>() {
        Ok(name) => format!("external://{name}"),
        Err(_) if is_external(text.expose()) => text.expose().to_owned(),
        Err(_) => return Ok(Target::Raw(text)),
    };
    let name = url.parse::<ExternalUrl>()?.name;
    call.concerns(AuditObject::connection(name.as_str()));
    Ok(Target::Connection(url))
}

fn is_external(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("external"))
}

/// Opens the storage, for somebody who may.
pub(super) async fn open(call: &Call<'_>, target: Target<'_>) -> Result<Storage, Error> {
    match target {
        Target::Connection(url) => {
            let opened =
                open::open(call, &url, Operation::Transfer, OpenOptions::default()).await?;
            let connection = opened.into_storage()?;
            Ok(Storage {
                below: connection.below_gate().await?,
                gated: connection.object_store(),
            })
        }
        Target::Raw(uri) => {
            // Nothing stands before a store without a connection.
            let store = raw(call, uri).await?;
            Ok(Storage {
                below: Arc::clone(&store),
                gated: store,
            })
        }
    }
}

/// Without a connection only what the URI itself gives access to is open to everybody. The audit trail
/// calls it by its redacted print, and by its scheme before there is one.
async fn raw(call: &Call<'_>, uri: &SecretText) -> Result<Arc<dyn ObjectStore>, Error> {
    let entry = planning::provider_of(call, uri).await?;
    call.concerns(AuditObject::uri(format!("{}://", scheme_of(uri.expose())?)));
    let mut planned = planning::plan(call, entry, uri).await?;
    call.concerns(AuditObject::uri(&planned.redacted_uri));
    user_files::settle(call, &mut planned, None).await?;
    if planned.plan().implicit_access().is_some() {
        let provider = planned.entry.name().to_owned();
        call.read(move |access| access.require_implicit_access(&provider))
            .await?;
    }
    if planned.plan().object_store().is_none() {
        return Err(Error::new(
            SqlState::WrongObjectType,
            format!(
                "STORAGE cannot use object of type {}",
                planned.connection_type()
            ),
        )
        .with_hint("name a storage"));
    }
    let backends = call.host.backends.clone();
    let plan = planned.stored.clone();
    let built = call
        .host
        .runtime
        .spawn_blocking(move || backends.build(&plan))
        .await
        .map_err(|_| probing::interrupted())?;
    built.map_err(|error| Error::from(error).prefixed(CONNECT))
}
