//! One provider: its manifest, where its component lies, and the component once it is loaded.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use portolan_catalog::ApprovedProvider;
use portolan_contract::{Manifest, ManifestError, looks_like_a_credential};
use portolan_sandbox::{Component, Provider};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::Registry;
use crate::{Error, SqlState};

/// Who vouches for a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The binary of Portolan.
    BuiltIn,
    /// The program that embeds the host.
    Embedded,
    /// An administrator; the row says which and of what digest.
    Approved(Box<ApprovedProvider>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuiltIn => "built-in",
            Self::Embedded => "embedded",
            Self::Approved(_) => "added",
        })
    }
}

/// One provider.
pub(crate) struct Entry {
    manifest: Manifest,
    source: Source,
    bytes: Bytes,
    digest: OnceLock<String>,
    loaded: OnceCell<Provider>,
}

enum Bytes {
    Carried(Cow<'static, [u8]>),
    File(PathBuf),
    /// It was approved, and this host has no directory of plugins.
    Nowhere,
}

impl Entry {
    pub(crate) fn carried(
        manifest: Manifest,
        source: Source,
        component: Cow<'static, [u8]>,
    ) -> Self {
        Self {
            manifest,
            source,
            bytes: Bytes::Carried(component),
            digest: OnceLock::new(),
            loaded: OnceCell::new(),
        }
    }

    pub(super) fn approved(
        row: ApprovedProvider,
        plugins_dir: Option<&Path>,
    ) -> Result<Self, ManifestError> {
        Ok(Self {
            manifest: Manifest::parse(&row.manifest)?,
            bytes: plugins_dir.map_or(Bytes::Nowhere, |directory| {
                Bytes::File(directory.join(&row.file))
            }),
            digest: OnceLock::from(row.digest.clone()),
            source: Source::Approved(Box::new(row)),
            loaded: OnceCell::new(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.manifest.name
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// SHA-256 of the component in lower-case hex. An approved one's is that of the approval, which
    /// a component that is loaded has to match.
    pub(crate) fn digest(&self) -> &str {
        self.digest.get_or_init(|| match &self.bytes {
            Bytes::Carried(component) => hex::encode(Sha256::digest(component)),
            Bytes::File(_) | Bytes::Nowhere => String::new(),
        })
    }

    pub(super) fn is_of(&self, row: &ApprovedProvider) -> bool {
        matches!(&self.source, Source::Approved(approved) if **approved == *row)
    }

    /// The component's bytes, read from the disk where they lie there.
    pub(super) async fn component(&self) -> Result<Cow<'static, [u8]>, Error> {
        match &self.bytes {
            Bytes::Carried(component) => Ok(component.clone()),
            Bytes::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
                match read {
                    Ok(Ok(bytes)) => Ok(Cow::Owned(bytes)),
                    _ => Err(Error::new(
                        SqlState::UndefinedFile,
                        format!("the component of provider {} cannot be read", self.name()),
                    )
                    .with_hint("add the provider again with `portolan provider add --replace`")),
                }
            }
            Bytes::Nowhere => Err(Error::new(
                SqlState::ObjectNotInPrerequisiteState,
                format!(
                    "provider {} was added, but this host has no directory of plugins",
                    self.name()
                ),
            )
            .with_hint("give HostBuilder::plugins_dir the directory that it was added to")),
        }
    }

    /// The provider, ready to run: compiled, or taken from the cache, when it is first needed.
    pub(crate) async fn load(&self, registry: &Registry) -> Result<&Provider, Error> {
        self.loaded
            .get_or_try_init(async || {
                let sandbox = registry.sandbox().await?;
                let component = Component {
                    bytes: self.component().await?,
                    expected_digest: match &self.source {
                        Source::Approved(row) => Some(row.digest.clone()),
                        Source::BuiltIn | Source::Embedded => None,
                    },
                    allow_public: self.allowed_public(),
                    // What it sees in clear was agreed to when it was added or embedded.
                    allow_reveal: true,
                };
                Ok::<_, Error>(sandbox.load(component).await?)
            })
            .await
    }

    /// The options that look like credentials and may be public all the same.
    fn allowed_public(&self) -> Vec<String> {
        match &self.source {
            Source::Approved(row) => row.allow_public.clone(),
            // Those of the binary were checked against the table of four; the embedding program
            // vouches for its own.
            Source::BuiltIn | Source::Embedded => self
                .manifest
                .options
                .iter()
                .filter(|option| looks_like_a_credential(&option.name))
                .map(|option| option.name.clone())
                .collect(),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.manifest.name)
            .field("version", &self.manifest.version)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
