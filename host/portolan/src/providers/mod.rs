//! Which providers there are, told from their manifests alone. A component is read and compiled
//! when something first needs it.

mod admin;
mod entry;

pub use admin::AddProvider;
pub(crate) use admin::{add, examine, inspect, remove};
pub(crate) use entry::{Entry, Source};

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use portolan_catalog::{ApprovedProvider, Reader};
use portolan_contract::{EMBEDDED_PUBLIC, Manifest};
use portolan_sandbox::{Sandbox, SandboxOptions};
use tokio::sync::OnceCell;

use crate::call::lock;
use crate::{Error, SqlState};

/// The providers of a host: those that the program carries, and those that the catalog approves.
#[derive(Debug)]
pub(crate) struct Registry {
    options: SandboxOptions,
    sandbox: OnceCell<Sandbox>,
    carried: Vec<Arc<Entry>>,
    /// Approved ones that were seen, by name, so that each is compiled once.
    approved: Mutex<HashMap<String, Arc<Entry>>>,
    plugins_dir: Option<PathBuf>,
}

impl Registry {
    pub(crate) fn new(
        options: SandboxOptions,
        components: Vec<Cow<'static, [u8]>>,
        plugins_dir: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let mut carried = Vec::new();
        for built_in in portolan_plugins::built_in() {
            let manifest = Manifest::parse(built_in.manifest).map_err(|error| {
                broken(format!("the built-in provider {}: {error}", built_in.name))
            })?;
            let allowed: Vec<_> = EMBEDDED_PUBLIC.iter().map(|(name, _)| *name).collect();
            manifest
                .check_public(&allowed)
                .map_err(|error| broken(error.to_string()))?;
            carried.push(Entry::carried(
                manifest,
                Source::BuiltIn,
                Cow::Borrowed(built_in.component),
            ));
        }
        for component in components {
            let manifest = portolan_sandbox::manifest_of(&component)?;
            carried.push(Entry::carried(manifest, Source::Embedded, component));
        }
        for (place, entry) in carried.iter().enumerate() {
            if let Some((other, claim)) = claimed(&carried[..place], entry.manifest()) {
                return Err(second_claim(other.name(), entry.name(), claim)
                    .with_hint("leave one of the two out of the host"));
            }
        }
        Ok(Self {
            options,
            sandbox: OnceCell::new(),
            carried: carried.into_iter().map(Arc::new).collect(),
            approved: Mutex::default(),
            plugins_dir,
        })
    }

    /// The sandbox, made when it is first needed: a statement that runs no provider pays nothing.
    pub(crate) async fn sandbox(&self) -> Result<&Sandbox, Error> {
        self.sandbox
            .get_or_try_init(async || Sandbox::new(self.options.clone()).map_err(Error::from))
            .await
    }

    /// Every provider that is in force, in the order in which a scheme is looked up: approved ones
    /// first, the latest of them before the others, because they claim a scheme of another only
    /// where the administrator said so.
    pub(crate) fn in_force(&self, reader: &dyn Reader) -> Result<Vec<Arc<Entry>>, Error> {
        let mut rows = reader.providers()?;
        rows.sort_by_key(|row| std::cmp::Reverse(row.approved));
        let mut entries = self.approved(rows);
        for carried in &self.carried {
            if !entries.iter().any(|entry| entry.name() == carried.name()) {
                entries.push(Arc::clone(carried));
            }
        }
        Ok(entries)
    }

    /// The provider that the program carries for a scheme.
    pub(crate) fn carried_by_scheme(&self, scheme: &str) -> Option<Arc<Entry>> {
        let has = |entry: &&Arc<Entry>| entry.manifest().schemes.iter().any(|one| one == scheme);
        self.carried.iter().find(has).cloned()
    }

    fn approved(&self, rows: Vec<ApprovedProvider>) -> Vec<Arc<Entry>> {
        let mut known = lock(&self.approved);
        known.retain(|name, _| rows.iter().any(|row| row.name == *name));
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(entry) = known.get(&row.name).filter(|entry| entry.is_of(&row)) {
                entries.push(Arc::clone(entry));
                continue;
            }
            let name = row.name.clone();
            match Entry::approved(row, self.plugins_dir.as_deref()) {
                Ok(entry) => {
                    let entry = Arc::new(entry);
                    known.insert(name, Arc::clone(&entry));
                    entries.push(entry);
                }
                // A newer host may have approved it; what this one does not understand it does not
                // have.
                Err(error) => {
                    tracing::warn!(provider = name, %error, "an approved provider is left out");
                }
            }
        }
        entries
    }

    /// The provider that answers for a scheme.
    pub(crate) fn by_scheme(&self, reader: &dyn Reader, scheme: &str) -> Result<Arc<Entry>, Error> {
        let entries = self.in_force(reader)?;
        let found = entries
            .iter()
            .find(|entry| entry.manifest().schemes.iter().any(|one| one == scheme));
        found.cloned().ok_or_else(|| {
            Error::new(
                SqlState::FeatureNotSupported,
                format!("no parseAndValidateFn found for external connection provider {scheme}"),
            )
            .with_hint("SHOW PROVIDERS lists the schemes")
        })
    }

    /// The provider of this name.
    pub(crate) fn by_name(&self, reader: &dyn Reader, name: &str) -> Result<Arc<Entry>, Error> {
        let entries = self.in_force(reader)?;
        let found = entries.iter().find(|entry| entry.name() == name);
        found.cloned().ok_or_else(|| {
            Error::new(
                SqlState::UndefinedObject,
                format!("provider {name} does not exist"),
            )
            .with_hint("SHOW PROVIDERS lists those that do")
        })
    }
}

/// The first of `entries` that has the name, or one of the schemes, of a new manifest, and which.
fn claimed<'e, E: std::borrow::Borrow<Entry>>(
    entries: &'e [E],
    manifest: &Manifest,
) -> Option<(&'e Entry, String)> {
    entries
        .iter()
        .map(std::borrow::Borrow::borrow)
        .find_map(|entry: &Entry| {
            if entry.name() == manifest.name {
                return Some((entry, format!("the name {}", manifest.name)));
            }
            let schemes = &entry.manifest().schemes;
            let scheme = manifest.schemes.iter().find(|one| schemes.contains(one))?;
            Some((entry, format!("the scheme {scheme}")))
        })
}

fn second_claim(holder: &str, claimant: &str, claim: String) -> Error {
    Error::new(
        SqlState::DuplicateObject,
        format!("provider {claimant} claims {claim}, which provider {holder} has"),
    )
    .with_hint(format!(
        "give {claimant} a name and schemes of its own in its manifest; one that was added can be \
         removed instead: portolan provider remove {holder}"
    ))
}

fn broken(what: String) -> Error {
    Error::new(SqlState::Internal, what)
}
