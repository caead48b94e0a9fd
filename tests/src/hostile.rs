//! The hostile guests as components.

use std::path::Path;
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
    let built = BARE.get_or_init(|| built("hostile").map_err(|error| format!("{error:#}")));
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

/// The sink that is hostile, as a component with its manifest.
///
/// # Errors
///
/// As [`bare`].
pub fn sink() -> Result<&'static [u8]> {
    static SINK: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let manifest = include_str!("../guests/hostile-sink/manifest.toml");
    let built = SINK.get_or_init(|| {
        built("hostile-sink")
            .and_then(|bare| manifest_section::append(bare, manifest))
            .map_err(|error| format!("{error:#}"))
    });
    built.as_deref().map_err(|error| anyhow!("{error}"))
}

fn built(guest: &str) -> Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("guests")
        .join(guest);
    component::encode(&component::compile(&folder)?)
}
