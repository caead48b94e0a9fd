//! From the package of a provider to its component.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use wit_component::ComponentEncoder;

use crate::{manifest_section, wasm_opt};

/// What guests are compiled for: nothing of an operating system.
const TARGET: &str = "wasm32-unknown-unknown";

/// What `cargo metadata` tells of a package, as far as it is needed.
#[derive(Debug, serde::Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Debug, serde::Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, serde::Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Builds the component of the package in a folder: compiled for release with locked dependencies,
/// made smaller by wasm-opt, encoded, and with the text of `manifest.toml` of that folder as its manifest.
///
/// The bytes depend on the sources, the lock files and the compiler, not on where any of them lie.
///
/// # Errors
///
/// Says which step failed, with what the compiler printed on the standard error.
pub fn build(package_dir: &Path) -> Result<Vec<u8>> {
    build_in(package_dir, None)
}

/// As [`build`], with a folder of the caller's choice for what cargo makes on the way.
///
/// # Errors
///
/// As [`build`].
pub fn build_in(package_dir: &Path, target_dir: Option<&Path>) -> Result<Vec<u8>> {
    let manifest_path = package_dir.join("manifest.toml");
    let manifest = std::fs::read_to_string(&manifest_path)
        .with_context(|| format!("cannot read {}", manifest_path.display()))?;
    finish(
        package_dir,
        &compile_target(package_dir, None, target_dir)?,
        &manifest,
    )
}

/// As [`build`], with a manifest of the caller's choice.
///
/// # Errors
///
/// As [`build`].
pub fn build_with_manifest(package_dir: &Path, manifest: &str) -> Result<Vec<u8>> {
    finish(package_dir, &compile(package_dir)?, manifest)
}

fn finish(package_dir: &Path, module: &[u8], manifest: &str) -> Result<Vec<u8>> {
    let module = wasm_opt::optimize(module, &target_dir(&crate::repository())?)
        .with_context(|| format!("cannot optimize {}", package_dir.display()))?;
    let component = encode(&module)
        .with_context(|| format!("cannot make a component of {}", package_dir.display()))?;
    manifest_section::append(component, manifest)
}

/// Compiles the library of the package for `wasm32-unknown-unknown` and reads the core module, as the
/// compiler leaves it.
///
/// # Errors
///
/// Says which step failed.
pub fn compile(package_dir: &Path) -> Result<Vec<u8>> {
    compile_target(package_dir, None, None)
}

/// Compiles an example of the package, which is a `cdylib`, for `wasm32-unknown-unknown` and reads the core module.
///
/// # Errors
///
/// Says which step failed.
pub fn compile_example(package_dir: &Path, example: &str) -> Result<Vec<u8>> {
    compile_target(package_dir, Some(example), None)
}

/// Compiles the library, or one example; what cargo makes goes to its own folder or to `target_dir`.
fn compile_target(
    package_dir: &Path,
    example: Option<&str>,
    target_dir: Option<&Path>,
) -> Result<Vec<u8>> {
    let package_dir = package_dir
        .canonicalize()
        .with_context(|| format!("there is no package in {}", package_dir.display()))?;
    let metadata = metadata(&package_dir)?;
    let mut cargo = cargo(&package_dir);
    cargo
        .args(["build", "--release", "--locked", "--target", TARGET])
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            remapping(&metadata.workspace_root)?,
        );
    let target_dir = target_dir.unwrap_or(&metadata.target_directory);
    cargo.arg("--target-dir").arg(target_dir);
    let release = target_dir.join(TARGET).join("release");
    let module = match example {
        Some(example) => {
            cargo.args(["--example", example]);
            release.join("examples").join(format!("{example}.wasm"))
        }
        None => {
            cargo.arg("--lib");
            let library = library_of(&metadata, &package_dir)?;
            release.join(format!("{library}.wasm"))
        }
    };
    run(&mut cargo)?;
    std::fs::read(&module).with_context(|| format!("cannot read {}", module.display()))
}

/// Makes a component of a core module that was compiled against the contract.
///
/// # Errors
///
/// The module lacks what its world asks for, or imports what no world offers.
pub fn encode(module: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .encode()
}

fn metadata(package_dir: &Path) -> Result<Metadata> {
    let text =
        run(cargo(package_dir).args(["metadata", "--locked", "--no-deps", "--format-version=1"]))?;
    serde_json::from_slice(&text).context("cannot read what cargo metadata printed")
}

/// Where cargo puts what it makes of the package in a folder.
///
/// # Errors
///
/// What cargo said.
pub(crate) fn target_dir(package_dir: &Path) -> Result<PathBuf> {
    metadata(package_dir).map(|metadata| metadata.target_directory)
}

/// The name of the `cdylib` of the package, as its file is called.
fn library_of(metadata: &Metadata, package_dir: &Path) -> Result<String> {
    metadata
        .packages
        .iter()
        .filter(|package| package.manifest_path.parent() == Some(package_dir))
        .flat_map(|package| &package.targets)
        .find(|target| target.crate_types.iter().any(|kind| kind == "cdylib"))
        .map(|target| target.name.replace('-', "_"))
        .with_context(|| {
            format!(
                "the package in {} has no library of crate-type \"cdylib\"",
                package_dir.display()
            )
        })
}

/// A guest has no random of an operating system, and what is compiled into it and asks for some is
/// told so, as in `.cargo/config.toml`, which these flags stand in the place of.
const NO_RANDOM: &str = "--cfg=getrandom_backend=\"unsupported\"";

/// The compiler flags that take this machine's paths out of the binary.
fn remapping(workspace_root: &Path) -> Result<OsString> {
    let cargo_home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir()
            .context("there is no home directory; set CARGO_HOME")?
            .join(".cargo"),
    };
    let sysroot = run(Command::new(rustc()).args(["--print", "sysroot"]))?;
    let sysroot = String::from_utf8(sysroot).context("the sysroot's path is not UTF-8")?;
    let mut flags = OsString::from(NO_RANDOM);
    for (from, to) in [
        (workspace_root, "/providers"),
        (cargo_home.as_path(), "/cargo"),
        (Path::new(sysroot.trim_end()), "/rust"),
    ] {
        flags.push("\u{1f}");
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    Ok(flags)
}

/// Cargo in that folder, without the settings of the environment that change what it makes.
fn cargo(package_dir: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(package_dir);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.ends_with("RUSTFLAGS")
            || text == "CARGO_INCREMENTAL"
            || text.starts_with("CARGO_PROFILE_")
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Runs a command to its end and gives its standard output.
fn run(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("target may not be installed")
        || errors.contains("can't find crate for `core`")
    {
        bail!(
            "this compiler lacks the target {TARGET}; install it with `rustup target add {TARGET}`"
        );
    }
    ensure!(
        output.status.success(),
        "{} failed:\n{errors}",
        command.get_program().display()
    );
    Ok(output.stdout)
}
