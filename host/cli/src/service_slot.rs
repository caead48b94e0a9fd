//! The key management service of the configuration, `[master_key] kms`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use portolan::{EgressOptions, MasterKeyService};
use portolan_catalog::{KeyService, KeySource, NewKeySlot};
use portolan_sandbox::{Limits, SandboxOptions};
use portolan_secret::{SecretText, SlotKey, SlotKind};

use crate::report::{self, Failure};

/// The service; nothing is asked of it yet.
#[derive(Debug)]
pub(crate) struct ServiceSlot(Arc<MasterKeyService>);

impl ServiceSlot {
    /// The service that a URI leads to.
    pub(crate) fn new(
        uri: Option<&SecretText>,
        egress: EgressOptions,
        limits: Limits,
        cache_dir: PathBuf,
    ) -> Result<Self> {
        let uri = uri.ok_or_else(|| {
            Failure::new(
                "55000",
                "the configuration names no key management service for the store",
            )
            .hint("write [master_key] and below it kms = \"aws-kms:///KEY?…\" in portolan.toml")
        })?;
        let sandbox = SandboxOptions {
            limits,
            cache_dir: Some(cache_dir),
            ..SandboxOptions::default()
        };
        let runtime = tokio::runtime::Handle::current();
        let service = MasterKeyService::new(uri.clone(), egress, sandbox, true, runtime)?;
        Ok(Self(Arc::new(service)))
    }

    /// Opens a store with the service, or with the file while the service has no slot in it.
    pub(crate) fn key_source(self, file: PathBuf) -> KeySource {
        KeySource::Service {
            service: self.0,
            file,
        }
    }

    /// A slot with a new key, which the service wraps.
    pub(crate) async fn new_slot(self, label: Option<String>) -> Result<NewKeySlot> {
        let service = self.0;
        let slot = tokio::task::spawn_blocking(move || {
            let key = SlotKey::generate()?;
            Ok(NewKeySlot {
                kind: SlotKind::Kms,
                label: label.unwrap_or_else(|| service.label()),
                parameters: service.wrap(&key)?,
                key,
            })
        });
        Ok(slot.await?.map_err(report::key_failure)?)
    }
}

/// What `key list` tells of such a slot.
pub(crate) fn shown(parameters: &str) -> String {
    portolan::master_key_shown(parameters).unwrap_or_default()
}
