//! `portolan store rescue`: what is left of a store whose keys are lost.

use std::io::Write;

use anyhow::Result;

use crate::report;
use crate::standard_output::StandardOutput;
use crate::store::Store;

/// Runs the command. No key is asked for.
pub(crate) async fn run(store: &Store) -> Result<()> {
    let path = store.catalog_path();
    let salvaged = tokio::task::spawn_blocking(move || portolan_catalog::salvage(&path))
        .await?
        .map_err(portolan::Error::from)?;
    let mut output = StandardOutput::new();
    output.write_all(portolan::rescue_script(&salvaged).as_bytes())?;
    output.flush()?;
    for name in &salvaged.unreadable {
        report::line(&format!("NOTICE: {name} could not be read"));
    }
    Ok(())
}
