//! The compiler that the committed components were built with.
//!
//! Another compiler makes other bytes of the same sources, so that `plugins` and `plugins --check`
//! ask for the recorded one. Nothing else of the project does, and nothing is downloaded for it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The file in `plugins/` with the line that `rustc --version` printed.
pub const RECORD: &str = "rustc-version";

/// What `rustc --version` prints here.
///
/// # Errors
///
/// There is no compiler, or it does not tell its version.
pub fn here() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {}", rustc.display()))?;
    let version = String::from_utf8(output.stdout).context("rustc's version is not UTF-8")?;
    Ok(version.trim_end().to_owned())
}

/// Compares the compiler with the recorded one.
///
/// # Errors
///
/// They differ; the message says what to do.
pub fn require_recorded(plugins_dir: &Path) -> Result<()> {
    let record = plugins_dir.join(RECORD);
    let recorded = std::fs::read_to_string(&record)
        .with_context(|| format!("cannot read {}", record.display()))?;
    compare(recorded.trim_end(), &here()?)
}

fn compare(recorded: &str, here: &str) -> Result<()> {
    if recorded == here {
        return Ok(());
    }
    let number = recorded.split(' ').nth(1).unwrap_or(recorded);
    bail!(
        "the components in plugins/ were built with {recorded:?}, and this is {here:?}, which makes \
         other bytes of the same sources\n\
         Run the command with that compiler: `cargo +{number} xtask plugins`; or, to move the \
         project to this one, run `cargo xtask plugins --record-compiler` and commit plugins/."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_compiler_is_named_with_the_way_out() {
        let error = compare("rustc 1.95.0 (a 2026-04-14)", "rustc 1.96.0 (b 2026-05-28)")
            .expect_err("they differ")
            .to_string();
        assert!(error.contains("\"rustc 1.95.0 (a 2026-04-14)\""), "{error}");
        assert!(error.contains("cargo +1.95.0 xtask plugins"), "{error}");
    }

    #[test]
    fn the_same_compiler_is_accepted() {
        assert!(compare("rustc 1.95.0 (a 2026-04-14)", "rustc 1.95.0 (a 2026-04-14)").is_ok());
    }
}
