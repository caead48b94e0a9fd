//! The core module of a component, made smaller by Binaryen's wasm-opt.
//!
//! The tool is the package `binaryen` of npm, a program for Node.js that computes the same on every
//! machine. `wasm-opt/package-lock.json` holds its version and hash, since another version makes other
//! bytes. It is installed into the target folder when it is needed for the first time.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, bail, ensure};

/// What npm installs, with hashes.
const LOCK: &str = include_str!("../wasm-opt/package-lock.json");
/// What npm compares the lock file with.
const PACKAGE: &str = include_str!("../wasm-opt/package.json");

/// Present when an install came to its end: a copy of the lock file that it followed.
const READY: &str = "ready";

/// For size. `-O2` and `-O3` were measured to make Kafka's component 2 % larger.
const LEVEL: &str = "-Oz";

/// What a module may use: what `rustc --print cfg --target wasm32-unknown-unknown` lists, all of which
/// the sandbox allows. The section that would name it is stripped. A module that uses anything else
/// is refused, and none that does comes out.
const FEATURES: [&str; 7] = [
    "--mvp-features",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What to do when a program of Node.js cannot be started.
const NO_NODE: &str = "components pass through wasm-opt, which needs Node.js 18 or newer and npm; \
                       install them, on Debian with `apt install nodejs npm`";

/// Makes a core module smaller, with the tool in this target folder. Custom sections stay as they
/// are, among them those that a component is encoded by.
///
/// # Errors
///
/// Node.js or npm is missing, the tool cannot be installed, or it refuses the module.
pub fn optimize(module: &[u8], target_dir: &Path) -> Result<Vec<u8>> {
    let tool = target_dir.join("wasm-opt");
    install(&tool, PACKAGE, LOCK)?;
    let between = tempfile::tempdir().context("cannot make a folder for wasm-opt")?;
    let (before, after) = (between.path().join("before"), between.path().join("after"));
    fs::write(&before, module).with_context(|| format!("cannot write {}", before.display()))?;
    let mut node = Command::new("node");
    node.arg(tool.join("node_modules/binaryen/bin/wasm-opt"))
        .args(FEATURES)
        .arg(LEVEL)
        .arg(&before)
        .arg("-o")
        .arg(&after);
    succeed(&mut node).context("wasm-opt cannot make the module smaller")?;
    fs::read(&after).with_context(|| format!("cannot read {}", after.display()))
}

/// Installs what the lock file names into a folder, unless that is done already. Two who install at
/// the same time take turns, and what was left half done is done again.
fn install(folder: &Path, package: &str, lock: &str) -> Result<()> {
    let cannot = || format!("cannot install wasm-opt into {}", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    let turn = File::create(folder.join("lock")).with_context(cannot)?;
    turn.lock().with_context(cannot)?;
    let ready = folder.join(READY);
    if fs::read(&ready).is_ok_and(|followed| followed == lock.as_bytes()) {
        return Ok(());
    }
    // Not to be taken for what the new lock file names when the install stops halfway.
    if ready.exists() {
        fs::remove_file(&ready).with_context(cannot)?;
    }
    fs::write(folder.join("package.json"), package).with_context(cannot)?;
    fs::write(folder.join("package-lock.json"), lock).with_context(cannot)?;
    // It begins by removing what an earlier one installed.
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args([
        "ci",
        "--engine-strict",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    succeed(&mut npm).with_context(cannot)?;
    fs::write(&ready, lock).with_context(cannot)
}

/// Runs a command to its end.
fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let Output { status, stderr, .. } = match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("there is no {program}: {NO_NODE}")
        }
        output => output.with_context(|| format!("cannot start {program}"))?,
    };
    let errors = String::from_utf8_lossy(&stderr);
    ensure!(status.success(), "{program} failed:\n{errors}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use wasmparser::{Validator, WasmFeatures};
    use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
    use wit_parser::Resolve;

    use super::*;

    /// A module of a small world, with a function that nothing calls and a sum of constants.
    fn module() -> Vec<u8> {
        let text = r#"(module
            (memory (export "memory") 1)
            (func $uncalled (param i32) (result i32)
                (i32.mul (local.get 0) (i32.const 7)))
            (func (export "sum") (result i32)
                (i32.add (i32.const 1) (i32.const 2))))"#;
        let mut module = wat::parse_str(text).expect("a module");
        let mut resolve = Resolve::default();
        let package = resolve
            .push_str(
                "w.wit",
                "package a:b; world w { export sum: func() -> u32; }",
            )
            .expect("a world");
        let world = resolve.select_world(&[package], None).expect("one world");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("embedded");
        module
    }

    fn target() -> std::path::PathBuf {
        crate::component::target_dir(&crate::repository()).expect("a target folder")
    }

    #[test]
    fn a_module_comes_out_smaller_and_is_still_made_a_component() {
        let module = module();
        let small = optimize(&module, &target()).expect("optimized");
        assert!(small.len() < module.len(), "{} bytes", small.len());
        let component = ComponentEncoder::default()
            .validate(true)
            .module(&small)
            .and_then(|mut encoder| encoder.encode())
            .expect("encoded");
        assert!(component.len() > small.len());
    }

    #[test]
    fn a_module_may_use_what_the_compiler_targets_and_nothing_else() {
        let allowed = WasmFeatures::MVP
            | WasmFeatures::BULK_MEMORY
            | WasmFeatures::MULTI_VALUE
            | WasmFeatures::MUTABLE_GLOBAL
            | WasmFeatures::SATURATING_FLOAT_TO_INT
            | WasmFeatures::REFERENCE_TYPES
            | WasmFeatures::SIGN_EXTENSION;
        let each = r#"(module
            (memory (export "memory") 1)
            (table 1 externref)
            (global $last (export "last") (mut i32) (i32.const 0))
            (func (export "each") (param f32) (result i32 i32)
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
                (global.set $last (i32.extend8_s (i32.load (i32.const 0))))
                (global.get $last)
                (i32.trunc_sat_f32_s (local.get 0))))"#;
        let each = wat::parse_str(each).expect("a module");
        let small = optimize(&each, &target()).expect("optimized");
        Validator::new_with_features(allowed)
            .validate_all(&small)
            .expect("allowed");

        let another = "(module (func (export \"f\") (result v128) (v128.const i64x2 1 2)))";
        let another = wat::parse_str(another).expect("a module");
        let error = optimize(&another, &target()).expect_err("not allowed");
        let error = format!("{error:#}");
        assert!(
            error.contains("all used features should be allowed"),
            "{error}"
        );
    }

    #[test]
    fn a_package_with_another_hash_is_refused_and_the_next_install_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (before, after) = LOCK.split_once("sha512-4").expect("a hash");
        let other = format!("{before}sha512-5{after}");
        let error = install(folder.path(), PACKAGE, &other).expect_err("another hash");
        let error = format!("{error:#}");
        assert!(error.contains("EINTEGRITY"), "{error}");
        assert!(!folder.path().join(READY).exists());

        install(folder.path(), PACKAGE, LOCK).expect("installed");
        let tool = folder.path().join("node_modules/binaryen/bin/wasm-opt");
        assert!(tool.is_file());
        // What is there is left alone.
        fs::remove_file(&tool).expect("removed");
        install(folder.path(), PACKAGE, LOCK).expect("there already");
        assert!(!tool.exists());
    }

    #[test]
    fn a_program_that_is_not_there_is_named_with_what_to_install() {
        let error = succeed(&mut Command::new("no-such-program")).expect_err("not there");
        let error = error.to_string();
        assert!(
            error.starts_with("there is no no-such-program: "),
            "{error}"
        );
        assert!(error.contains("apt install nodejs npm"), "{error}");
    }
}
