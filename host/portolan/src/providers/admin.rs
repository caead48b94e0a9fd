//! Adding, inspecting and removing providers: only by administrators, and never without a trace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portolan_catalog::{ApprovedProvider, AuditObject, ObjectKind, Reader, Writer};
use portolan_contract::Manifest;
use portolan_sandbox::{Component, Inspection};

use super::{Registry, claimed, second_claim};
use crate::access::{Access, Actor, refused};
use crate::call::Call;
use crate::probing::interrupted;
use crate::trail::AuditRow;
use crate::{Error, SqlState};

/// What an administrator says about a provider that is added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddProvider {
    /// Whether it may take its name, or a scheme, over from another provider.
    pub replace: bool,
    /// Options that look like credentials and may be shown all the same.
    pub allow_public: Vec<String>,
    /// Whether it may see the secrets in clear that its manifest lists under `reveal`.
    pub allow_reveal: bool,
}

/// Reads and checks a provider that is in force, without running it.
pub(crate) async fn inspect(call: &Call<'_>, name: &str) -> Result<Inspection, Error> {
    let registry = Arc::clone(&call.host.providers);
    let wanted = name.to_owned();
    let entry = call
        .read(move |access| registry.by_name(access.reader(), &wanted))
        .await?;
    let component = entry.component().await?;
    Ok(call
        .host
        .providers
        .sandbox()
        .await?
        .inspect(&component)
        .await?)
}

/// Reads and checks a component that is to be added, without running it.
pub(crate) async fn examine(call: &Call<'_>, component: &[u8]) -> Result<Inspection, Error> {
    call.read(require_admin).await?;
    let inspection = call
        .host
        .providers
        .sandbox()
        .await?
        .inspect(component)
        .await?;
    call.concerns(object(&inspection.manifest().name));
    Ok(inspection)
}

/// Checks a component, compiles it once, lays it down and approves it.
pub(crate) async fn add(
    call: &Call<'_>,
    component: &[u8],
    options: AddProvider,
) -> Result<Inspection, Error> {
    call.read(require_admin).await?;
    let directory = call.host.plugins_dir.clone().ok_or_else(no_directory)?;
    let sandbox = call.host.providers.sandbox().await?;
    let inspection = sandbox.inspect(component).await?;
    let manifest = inspection.manifest();
    call.concerns(object(&manifest.name));
    call.runs(&manifest.name);
    // Compiling and binding are the last checks: of its size, its time, and of every type that it
    // imports and exports.
    let provider = sandbox
        .load(Component {
            bytes: component.to_vec().into(),
            expected_digest: Some(inspection.digest().to_owned()),
            allow_public: options.allow_public.clone(),
            allow_reveal: options.allow_reveal,
        })
        .await?;
    provider.bind().await?;
    let approval = ApprovedProvider {
        name: manifest.name.clone(),
        version: manifest.version.to_string(),
        digest: inspection.digest().to_owned(),
        file: file_name(&manifest.name, inspection.digest()),
        manifest: manifest_text(manifest)?,
        allow_public: options.allow_public,
        approved_by: call.actor.name().to_owned(),
        approved: portolan_catalog::model::now(),
    };
    let registry = Arc::clone(&call.host.providers);
    let manifest = manifest.clone();
    let replace = options.replace;
    // Before the file is laid down, so that a refusal leaves nothing behind.
    call.read(move |access| check_claims(&registry, access.reader(), &manifest, replace))
        .await?;
    let laid = lay_down(call, &directory, &approval.file, component).await?;
    let replaced = approve(call, approval, replace).await;
    match replaced {
        Ok(Some(old)) if old != laid => remove_file(call, directory.join(old)).await,
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    Ok(inspection)
}

/// Refuses a name or a scheme that another provider has, unless it is to be taken over.
fn check_claims(
    registry: &Registry,
    reader: &dyn Reader,
    manifest: &Manifest,
    replace: bool,
) -> Result<(), Error> {
    match claimed(&registry.in_force(reader)?, manifest) {
        Some((holder, claim)) if !replace => {
            Err(second_claim(holder.name(), &manifest.name, claim)
                .with_hint("add it with --replace if it is to take over"))
        }
        _ => Ok(()),
    }
}

/// The transaction: who asks is read again, and so is who claims what. Gives the file of the
/// approval that was replaced.
async fn approve(
    call: &Call<'_>,
    approval: ApprovedProvider,
    replace: bool,
) -> Result<Option<String>, Error> {
    let registry = Arc::clone(&call.host.providers);
    call.change(
        move |actor: &Actor, writer: &mut dyn Writer, row: &mut AuditRow| {
            require_admin(&actor.access(&*writer)?)?;
            let manifest =
                Manifest::parse(&approval.manifest).map_err(portolan_sandbox::LoadError::from)?;
            check_claims(&registry, &*writer, &manifest, replace)?;
            let old = writer.provider(&approval.name)?.map(|row| row.file);
            if old.is_some() {
                writer.delete_provider(&approval.name)?;
            }
            writer.insert_provider(&approval)?;
            row.detail = Some(format!(
                "version {}, sha-256 {}",
                approval.version, approval.digest
            ));
            Ok(old)
        },
    )
    .await
}

/// Takes an approval back.
pub(crate) async fn remove(call: &Call<'_>, name: &str) -> Result<(), Error> {
    call.concerns(object(name));
    let name = name.to_owned();
    let file = call
        .change(move |actor, writer, _| {
            require_admin(&actor.access(&*writer)?)?;
            let Some(row) = writer.provider(&name)? else {
                return Err(Error::new(
                    SqlState::UndefinedObject,
                    format!("provider {name} was not added"),
                )
                .with_hint("SHOW PROVIDERS lists the added ones; built-in ones stay"));
            };
            writer.delete_provider(&name)?;
            Ok(row.file)
        })
        .await?;
    if let Some(directory) = &call.host.plugins_dir {
        remove_file(call, directory.join(file)).await;
    }
    Ok(())
}

fn require_admin(access: &Access<'_>) -> Result<(), Error> {
    if access.is_admin() {
        return Ok(());
    }
    Err(
        refused("only users with the admin role are allowed to add or remove providers")
            .with_hint("ask an administrator"),
    )
}

fn no_directory() -> Error {
    Error::new(
        SqlState::ObjectNotInPrerequisiteState,
        "this host has no directory of plugins",
    )
    .with_hint("give HostBuilder::plugins_dir one")
}

fn object(provider: &str) -> AuditObject {
    AuditObject {
        kind: ObjectKind::Provider,
        name: provider.to_owned(),
    }
}

/// The name of the file says which component it is, so that replacing one never writes over the
/// other.
fn file_name(provider: &str, digest: &str) -> String {
    let digest = digest.get(..16).unwrap_or(digest);
    format!("{provider}-{digest}.wasm")
}

/// The manifest that is approved, as TOML.
fn manifest_text(manifest: &Manifest) -> Result<String, Error> {
    toml::to_string(manifest).map_err(|_| {
        Error::new(
            SqlState::Internal,
            "the manifest of the provider cannot be written down",
        )
    })
}

/// Writes the component beside its final name, syncs it and renames it: it is there whole or not.
async fn lay_down(
    call: &Call<'_>,
    directory: &Path,
    file: &str,
    component: &[u8],
) -> Result<String, Error> {
    let directory = directory.to_owned();
    let component = component.to_vec();
    let name = file.to_owned();
    let written = call
        .host
        .runtime
        .spawn_blocking(move || write_file(&directory, &name, &component))
        .await
        .map_err(|_| interrupted())?;
    written.map_err(|error| {
        Error::new(
            SqlState::InputOutput,
            format!(
                "the component cannot be written to the directory of plugins: {}",
                error.kind()
            ),
        )
        .with_hint("make the directory writable for this process, or free some space")
    })?;
    Ok(file.to_owned())
}

fn write_file(directory: &Path, name: &str, component: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;

    std::fs::create_dir_all(directory)?;
    let passing = directory.join(format!(".{name}.{}", uuid::Uuid::new_v4()));
    let written = (|| {
        let mut file = std::fs::File::create_new(&passing)?;
        file.write_all(component)?;
        file.sync_all()?;
        std::fs::rename(&passing, directory.join(name))?;
        std::fs::File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        // The error that is told is the first one.
        let _ = std::fs::remove_file(&passing);
    }
    written
}

/// Removes a component that nothing approves any more. One that stays is never loaded.
async fn remove_file(call: &Call<'_>, path: PathBuf) {
    let removed = call
        .host
        .runtime
        .spawn_blocking(move || std::fs::remove_file(path))
        .await;
    if !matches!(removed, Ok(Ok(()))) {
        tracing::warn!("the component of a provider that is not approved any more was not removed");
    }
}
