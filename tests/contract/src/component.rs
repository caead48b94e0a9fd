//! From the folder of a guest to its component.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use wasmtime::error::Context as _;
use wasmtime::{Result, ensure, format_err};
use wit_component::ComponentEncoder;

/// What guests are compiled for: nothing of an operating system.
const TARGET: &str = "wasm32-unknown-unknown";

/// The component of a guest, compiled for release with the locked dependencies of the guests.
///
/// # Errors
///
/// Says which step failed, with what the compiler printed.
#[expect(clippy::disallowed_methods, reason = "guests are compiled by cargo")]
pub fn build(guest: &str) -> Result<Vec<u8>> {
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests");
    let target = guests.join("target");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Flags of the environment would replace those of .cargo/config.toml.
    cargo
        .current_dir(&guests)
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--release", "--locked", "--lib", "--quiet"])
        .args([
            "--target",
            TARGET,
            "--package",
            &format!("contract-{guest}"),
        ]);
    let output = cargo.output().context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "the guest {guest} does not compile; if {TARGET} is missing, `rustup target add {TARGET}`\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let file = format!("contract_{}.wasm", guest.replace('-', "_"));
    let module = target.join(TARGET).join("release").join(file);
    let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| format_err!("the guest {guest} is no component: {error:#}"))
}
