//! ALTER EXTERNAL CONNECTION.

use std::sync::Arc;

use portolan_catalog::{
    AuditObject, CatalogError, Connection, ConnectionId, ConnectionPrivilege, Reader, Writer,
};
use portolan_contract::{Plan, SplitUri, StoredPlan, Value, changes_target, edit, split};
use portolan_secret::SecretText;
use portolan_statement as ast;

use super::create::{self, text_of, values};
use super::privileges::unknown_notice;
use crate::access::{Access, Actor, refused};
use crate::call::Call;
use crate::planning::{self, DETAILS, Planned};
use crate::providers::Entry;
use crate::{Error, Outcome, SqlState, probing, user_files};

const TAG: &str = "ALTER EXTERNAL CONNECTION";

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::AlterConnection,
) -> Result<Outcome, Error> {
    let name = call.name(&statement.name)?.to_string();
    match &statement.change {
        ast::Change::Rename(to) => {
            let to = call
                .text(to)?
                .expose()
                .parse::<portolan_contract::ConnectionName>()?;
            rename(call, name, to.to_string(), statement.if_exists).await
        }
        ast::Change::Owner(owner) => {
            change_owner(call, name, owner.clone(), statement.if_exists).await
        }
        change => {
            let Some(connection) = find(call, &name, statement.if_exists).await? else {
                return Ok(skipped(&name));
            };
            retarget(call, connection, change).await
        }
    }
}

/// The connection, for somebody with UPDATE on it; none where it is missing and that is no error.
async fn find(call: &Call<'_>, name: &str, if_exists: bool) -> Result<Option<Connection>, Error> {
    let name = name.to_owned();
    call.read(move |access| existing(access, &name, if_exists))
        .await
}

fn existing(access: &Access<'_>, name: &str, if_exists: bool) -> Result<Option<Connection>, Error> {
    match access.require_existing(name, ConnectionPrivilege::Update) {
        Err(error) if if_exists && error.sqlstate() == SqlState::UndefinedObject => Ok(None),
        found => found.map(Some),
    }
}

fn skipped(name: &str) -> Outcome {
    Outcome::tag(TAG).with_notice(format!(
        "external connection with name {name} does not exist, skipping"
    ))
}

/// AS, SET and RESET: another URI, planned and probed before anything is written.
async fn retarget<'a>(
    call: &Call<'a>,
    connection: Connection,
    change: &'a ast::Change,
) -> Result<Outcome, Error> {
    let (mut planned, options) = match change {
        ast::Change::Uri {
            uri,
            parameters,
            options,
        } => (create::plan(call, uri, parameters).await?, options),
        ast::Change::Set {
            parameters,
            options,
        } => {
            let set = values(call, parameters)?;
            (replan(call, &connection, set, &[]).await?, options)
        }
        ast::Change::Reset { names, options } => {
            (replan(call, &connection, Vec::new(), names).await?, options)
        }
        ast::Change::Rename(_) | ast::Change::Owner(_) => {
            return Err(Error::new(SqlState::Internal, "this ALTER has no URI"));
        }
    };
    // A URI that is given names a set anew; one that is only edited goes on with the set it has.
    let before = (!matches!(change, ast::Change::Uri { .. })).then_some(&connection);
    let set = user_files::settle(call, &mut planned, before).await?;
    create::require_implicit_access(call, &planned).await?;
    let comment = match text_of(call, options.comment.as_ref())? {
        Some(comment) => Some(super::comment::checked(comment.expose())?),
        None => None,
    };
    let validate = probing::wanted(
        text_of(call, options.validate.as_ref())?,
        planned.entry.manifest().default_validate,
    )?;
    probing::validate(call, &planned, validate).await?;

    let target = planned.target()?;
    let warnings: Vec<_> = planned.plan().warnings().map(str::to_owned).collect();
    let provider = planned.entry.name().to_owned();
    call.change(move |actor, writer, _| {
        let now = unchanged(actor, writer, &connection)?;
        if target.implicit_access {
            actor.access(&*writer)?.require_implicit_access(&provider)?;
        }
        if let Some(set) = &set {
            user_files::take(actor, writer, set)?;
        }
        writer
            .replace_connection(now.id, connection.version, &target)
            .map_err(|error| Error::from(error).prefixed("failed to alter external connection"))?;
        if let Some(comment) = comment {
            writer.set_comment(now.id, comment.as_deref())?;
        }
        Ok(())
    })
    .await?;
    Ok(warnings
        .into_iter()
        .fold(Outcome::tag(TAG), Outcome::with_notice))
}

/// The connection as it is now, if its id and version are those of the start and the actor may
/// still change it. A new name in between changes nothing of what was decided.
pub(crate) fn unchanged(
    actor: &Actor,
    writer: &dyn Reader,
    before: &Connection,
) -> Result<Connection, Error> {
    let now = writer.connection_by_id(before.id)?;
    let access = actor.access(writer)?;
    match now {
        Some(now) if now.version == before.version => {
            access.require(&now.name, Some(&now), ConnectionPrivilege::Update)?;
            Ok(now)
        }
        Some(now) => {
            access.require(&now.name, Some(&now), ConnectionPrivilege::Update)?;
            Err(changed(before.id))
        }
        None => Err(changed(before.id)),
    }
}

fn changed(id: ConnectionId) -> Error {
    CatalogError::ConnectionChanged { id }.into()
}

/// Plans the stored URI with some options set or taken out.
async fn replan(
    call: &Call<'_>,
    connection: &Connection,
    set: Vec<(String, SecretText)>,
    reset: &[String],
) -> Result<Planned, Error> {
    let (entry, uri) = stored_uri(call, connection).await?;
    let edited = edit(&uri, &set, reset, entry.manifest()).map_err(in_words)?;
    let manifest = entry.manifest();
    let old = split(&uri, manifest).map_err(in_words)?;
    let new = split(&edited, manifest).map_err(in_words)?;
    let keeps = keeps_a_secret(&new, &set);
    if let Some(change) = changes_target(&old.pieces, &new.pieces, manifest)
        && keeps
    {
        return Err(elsewhere(format!("changing {change}")));
    }
    let planned = planning::plan(call, entry, &edited).await?;
    if keeps {
        let before = stored_plan(call, connection).await?;
        if let Some(host) = new_host(&before, planned.plan()) {
            return Err(elsewhere(format!("this leads to {host}, which")));
        }
    }
    Ok(planned)
}

fn elsewhere(what: String) -> Error {
    Error::new(
        SqlState::InvalidParameterValue,
        format!("{what} would send the stored secrets to another place"),
    )
    .with_hint("give every secret again in the same statement")
    .prefixed(DETAILS)
}

async fn stored_plan(call: &Call<'_>, connection: &Connection) -> Result<Plan, Error> {
    let connection = connection.clone();
    call.read(move |access| {
        let secrets = access.reader().secrets_of(&connection)?;
        Ok(StoredPlan::from_bytes(&secrets.plan)?.plan)
    })
    .await
}

/// A place that the connection did not lead to before: an option may be part of a host's name, as a
/// region is.
fn new_host(before: &Plan, after: &Plan) -> Option<String> {
    let known: Vec<_> = before.endpoints().collect();
    let is_known = |host: &str, port: u16| {
        let mut known = known.iter();
        known.any(|it| it.host.eq_ignore_ascii_case(host) && it.port == port)
    };
    after
        .endpoints()
        .find(|it| !is_known(&it.host, it.port))
        .map(|it| format!("{}:{}", it.host, it.port))
}

fn in_words(error: portolan_contract::UriError) -> Error {
    Error::from(error).prefixed(DETAILS)
}

/// Whether a URI has a secret that this statement did not give.
fn keeps_a_secret(uri: &SplitUri, set: &[(String, SecretText)]) -> bool {
    let kept = |value: &Value| matches!(value, Value::Secret(secret) if !secret.empty);
    let pieces = &uri.pieces;
    let outside_the_query = pieces
        .user
        .iter()
        .chain(&pieces.password)
        .chain([&pieces.path]);
    let given = |name: &str| set.iter().any(|(other, _)| other == name);
    outside_the_query.into_iter().any(kept)
        || pieces
            .options
            .iter()
            .any(|pair| kept(&pair.value) && !given(&pair.name))
}

/// The URI of a connection, and the provider that is in force for it.
pub(crate) async fn stored_uri(
    call: &Call<'_>,
    connection: &Connection,
) -> Result<(Arc<Entry>, SecretText), Error> {
    let connection = connection.clone();
    let registry = Arc::clone(&call.host.providers);
    let (entry, uri) = call
        .read(move |access| {
            let uri = access.reader().secrets_of(&connection)?.uri;
            let scheme = portolan_contract::scheme_of(uri.expose())?;
            Ok((registry.by_scheme(access.reader(), &scheme)?, uri))
        })
        .await?;
    call.runs(entry.name());
    Ok((entry, uri))
}

async fn rename(
    call: &Call<'_>,
    name: String,
    to: String,
    if_exists: bool,
) -> Result<Outcome, Error> {
    let done = call
        .change({
            let name = name.clone();
            move |actor, writer, row| {
                let found = existing(&actor.access(&*writer)?, &name, if_exists)?;
                let Some(connection) = found else {
                    row.detail = Some("there was none".to_owned());
                    return Ok(false);
                };
                if connection.name == to {
                    return Ok(true);
                }
                writer.rename_connection(connection.id, &to)?;
                row.detail = Some(format!("from {name}"));
                row.object = Some(AuditObject::connection(to.as_str()));
                Ok(true)
            }
        })
        .await?;
    Ok(if done {
        Outcome::tag(TAG)
    } else {
        skipped(&name)
    })
}

async fn change_owner(
    call: &Call<'_>,
    name: String,
    owner: String,
    if_exists: bool,
) -> Result<Outcome, Error> {
    let done = call
        .change({
            let name = name.clone();
            move |actor, writer, row| {
                let done = set_owner(actor, writer, row, &name, &owner, if_exists)?;
                let notice = unknown_notice(&*writer, &owner, "the connection belongs to")?;
                Ok(done.then_some(notice))
            }
        })
        .await?;
    Ok(match done {
        Some(notice) => notice
            .into_iter()
            .fold(Outcome::tag(TAG), Outcome::with_notice),
        None => skipped(&name),
    })
}

fn set_owner(
    actor: &Actor,
    writer: &mut dyn Writer,
    row: &mut crate::trail::AuditRow,
    name: &str,
    owner: &str,
    if_exists: bool,
) -> Result<bool, Error> {
    let access = actor.access(&*writer)?;
    let connection = writer.connection(name)?;
    let owns = match &connection {
        Some(connection) => access.owns(connection),
        None => access.is_admin(),
    };
    if !owns {
        return Err(
            refused(format!("must be owner of external connection {name}"))
                .with_hint("ask the owner, or an administrator"),
        );
    }
    let Some(connection) = connection else {
        if if_exists {
            row.detail = Some("there was none".to_owned());
            return Ok(false);
        }
        return Err(crate::access::missing(name));
    };
    if owner == portolan_catalog::model::principal::PUBLIC {
        return Err(Error::new(
            SqlState::ReservedName,
            "public cannot own an external connection",
        )
        .with_hint("name a user or a role"));
    }
    if !access.is_admin() && !access.is_or_inherits(owner) {
        return Err(refused(format!("must be member of role {owner}"))
            .with_hint("ask an administrator to change the owner"));
    }
    writer.set_owner(connection.id, owner)?;
    row.detail = Some(format!("to {owner}"));
    Ok(true)
}
