//! CREATE EXTERNAL CONNECTION.

use portolan_catalog::{CatalogError, ConnectionGrant, ConnectionPrivilege, NewConnection, Writer};
use portolan_contract::edit;
use portolan_secret::SecretText;
use portolan_statement as ast;

use crate::access::{Access, Actor};
use crate::call::Call;
use crate::planning::{self, DETAILS, Planned};
use crate::{Error, Outcome, probing, user_files};

const TAG: &str = "CREATE EXTERNAL CONNECTION";

pub(crate) async fn execute<'a>(
    call: &Call<'a>,
    statement: &'a ast::CreateConnection,
) -> Result<Outcome, Error> {
    let name = call.name(&statement.name);
    require_creation(call).await?;
    let name = name?.to_string();
    let if_not_exists = statement.if_not_exists;
    if exists(call, &name).await? {
        return match if_not_exists {
            true => Ok(skipped(&name)),
            false => Err(taken(&name)),
        };
    }
    let comment = match &statement.options.comment {
        Some(comment) => super::comment::checked(call.text(comment)?.expose())?,
        None => None,
    };
    let mut planned = plan(call, &statement.uri, &statement.parameters).await?;
    let set = user_files::settle(call, &mut planned, None).await?;
    require_implicit_access(call, &planned).await?;
    let validate = probing::wanted(
        text_of(call, statement.options.validate.as_ref())?,
        planned.entry.manifest().default_validate,
    )?;
    probing::validate(call, &planned, validate).await?;

    let target = planned.target()?;
    let warnings: Vec<_> = planned.plan().warnings().map(str::to_owned).collect();
    let new = NewConnection {
        name: name.clone(),
        owner: call.actor.name().to_owned(),
        comment,
        target,
    };
    let provider = planned.entry.name().to_owned();
    let created = call
        .change(move |actor, writer, row| {
            let created = insert(actor, writer, &new, &provider, if_not_exists)?;
            if created && let Some(set) = &set {
                user_files::take(actor, writer, set)?;
            }
            if !created {
                row.detail = Some("it existed already".to_owned());
            }
            Ok(created)
        })
        .await?;
    if !created {
        return Ok(skipped(&name));
    }
    Ok(warnings
        .into_iter()
        .fold(Outcome::tag(TAG), Outcome::with_notice))
}

/// The transaction: privileges are read again, then everything is written or nothing. Says whether
/// the connection was made; somebody else may have made one of that name meanwhile.
fn insert(
    actor: &Actor,
    writer: &mut dyn Writer,
    new: &NewConnection,
    provider: &str,
    if_not_exists: bool,
) -> Result<bool, Error> {
    let access = actor.access(&*writer)?;
    access.require_creation(TAG)?;
    if new.target.implicit_access {
        access.require_implicit_access(provider)?;
    }
    if if_not_exists && writer.connection(&new.name)?.is_some() {
        return Ok(false);
    }
    let connection = writer
        .insert_connection(new)
        .map_err(|error| Error::from(error).prefixed("failed to create external connection"))?;
    writer.put_connection_grant(&ConnectionGrant {
        connection: connection.id,
        grantee: new.owner.clone(),
        privilege: ConnectionPrivilege::All,
        grantable: false,
    })?;
    Ok(true)
}

async fn require_creation(call: &Call<'_>) -> Result<(), Error> {
    call.read(|access: &Access<'_>| access.require_creation(TAG))
        .await
}

async fn exists(call: &Call<'_>, name: &str) -> Result<bool, Error> {
    let name = name.to_owned();
    call.read(move |access| Ok(access.reader().connection(&name)?.is_some()))
        .await
}

/// Refuses an implicit plan of somebody who may not use what the host itself has access to.
pub(crate) async fn require_implicit_access(
    call: &Call<'_>,
    planned: &Planned,
) -> Result<(), Error> {
    if planned.plan().implicit_access().is_none() {
        return Ok(());
    }
    let provider = planned.entry.name().to_owned();
    call.read(move |access| access.require_implicit_access(&provider))
        .await
}

/// Plans the URI of a statement with its parameters put in.
pub(crate) async fn plan<'a>(
    call: &Call<'a>,
    uri: &'a ast::Text,
    parameters: &'a [ast::Parameter],
) -> Result<Planned, Error> {
    let uri = call.text(uri)?;
    let entry = planning::provider_of(call, uri).await?;
    let uri = with_parameters(call, uri, parameters, entry.manifest())?;
    planning::plan(call, entry, &uri).await
}

/// The URI with raw values percent-encoded into it.
pub(crate) fn with_parameters<'a>(
    call: &Call<'a>,
    uri: &SecretText,
    parameters: &'a [ast::Parameter],
    manifest: &portolan_contract::Manifest,
) -> Result<SecretText, Error> {
    if parameters.is_empty() {
        return Ok(uri.clone());
    }
    let set = values(call, parameters)?;
    edit(uri, &set, &[], manifest).map_err(|error| Error::from(error).prefixed(DETAILS))
}

/// The names and values of `PARAMETERS (…)` or `SET (…)`.
pub(crate) fn values<'a>(
    call: &Call<'a>,
    parameters: &'a [ast::Parameter],
) -> Result<Vec<(String, SecretText)>, Error> {
    parameters
        .iter()
        .map(|parameter| Ok((parameter.name.clone(), call.text(&parameter.value)?.clone())))
        .collect()
}

/// The text of an option that may be absent.
pub(crate) fn text_of<'a>(
    call: &Call<'a>,
    text: Option<&'a ast::Text>,
) -> Result<Option<&'a SecretText>, Error> {
    text.map(|text| call.text(text)).transpose()
}

fn skipped(name: &str) -> Outcome {
    Outcome::tag(TAG).with_notice(format!(
        "external connection with name {name} already exists, skipping"
    ))
}

/// The error of a name that is taken.
fn taken(name: &str) -> Error {
    let taken = CatalogError::ConnectionExists {
        name: name.to_owned(),
    };
    Error::from(taken).prefixed("failed to create external connection")
}
