//! The hostile guest as a component.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use xtask::{component, manifest_section};

/// The manifest that the guest has unless a test gives it another.
pub const MANIFEST: &str = include_str!("../guests/hostile/manifest.toml");

/// The guest's component without a manifest. It is built once in a process, and cargo keeps it in
/// the target directory for the next one.
///
/// # Errors
///
/// What cargo or the encoder said.
pub fn bare() -> Result<&'static [u8]> {
    static BARE: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let built = BARE.get_or_init(|| {
        component::compile(&folder())
            .and_then(|module| component::encode(&module))
            .map_err(|error| format!("{error:#}"))
    });
    built.as_deref().map_err(|error| anyhow!("{error}"))
}

/// The guest's component with this manifest.
///
/// # Errors
///
/// As [`bare`], or the manifest is too large.
pub fn with_manifest(manifest: &str) -> Result<Vec<u8>> {
    manifest_section::append(bare()?.to_vec(), manifest)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/hostile")
}
