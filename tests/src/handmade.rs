//! Components around a core module that is written by hand.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;
use xtask::manifest_section;

/// A component that does what its few lines of WAT say, and otherwise nothing.
#[derive(Debug, Clone)]
pub struct Handmade {
    /// The world, in WIT: `include portolan:provider/planner@0.1.0; …`.
    pub world: String,
    /// The version of the contract that it is encoded against, in the place of `0.1.0`.
    pub contract: &'static str,
    /// Replaced in the contract's WIT before it is read.
    pub replaced: (&'static str, &'static str),
    /// A further package, in WIT, that the world may name.
    pub other_package: &'static str,
    /// `planning` or `storage`, if the core module does not export that interface.
    pub lacks: &'static str,
    /// Imports of the core module.
    pub imports: &'static str,
    /// The body of `cabi_realloc`; its parameters are the old address and size, the alignment and
    /// the new size.
    pub allocate: &'static str,
    /// The body of `plan`, given the address of the pieces, giving that of the answer.
    pub plan: &'static str,
    /// What is called with the address of an answer of `plan` that was read.
    pub after: &'static str,
}

/// Hands out memory, from the first page on, and never takes it back.
const BUMP: &str = "
    (local $at i32)
    (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at)";

impl Default for Handmade {
    /// Phase one and storage, with an empty plan.
    fn default() -> Self {
        Self {
            world:
                "export portolan:provider/planning@0.1.0; export portolan:provider/storage@0.1.0;"
                    .to_owned(),
            contract: "0.1.0",
            replaced: ("", ""),
            other_package: "",
            lacks: "",
            imports: "",
            allocate: BUMP,
            plan: "(i32.const 16)",
            after: "",
        }
    }
}

impl Handmade {
    /// The component with a manifest.
    ///
    /// # Errors
    ///
    /// What the readers of WIT and WAT or the encoder said.
    pub fn build(&self, manifest: &str) -> Result<Vec<u8>> {
        let version = self.contract;
        let planning = format!(
            "(func (export \"portolan:provider/planning@{version}#plan\")
                (param i32) (result i32) {plan})
             (func (export \"cabi_post_portolan:provider/planning@{version}#plan\")
                (param i32) {after})
             (func (export \"portolan:provider/planning@{version}#redact\")
                (param i32) (result i32) (local.get 0))",
            plan = self.plan,
            after = self.after,
        );
        let storage = format!(
            "(func (export \"portolan:provider/storage@{version}#probe\")
                (param i32 i32 i32 i32 i32 i32 i32 i32))"
        );
        let core = format!(
            "(module
                {imports}
                (memory (export \"memory\") 1)
                (global $next (mut i32) (i32.const 1024))
                (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {allocate})
                {planning}
                {storage})",
            imports = self.imports,
            allocate = self.allocate,
            planning = if self.lacks == "planning" {
                ""
            } else {
                &planning
            },
            storage = if self.lacks == "storage" {
                ""
            } else {
                &storage
            },
        );
        let mut module = wat::parse_str(core)?;
        let (resolve, world) = self.world()?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        let component = ComponentEncoder::default()
            .validate(true)
            .module(&module)?
            .encode()
            .context("the core module does not fit its world")?;
        manifest_section::append(component, manifest)
    }

    fn world(&self) -> Result<(Resolve, wit_parser::WorldId)> {
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v0.1");
        let edited = tempfile::tempdir()?;
        self.copy(&contract, edited.path())?;
        let mut resolve = Resolve::default();
        resolve.push_dir(edited.path())?;
        if !self.other_package.is_empty() {
            resolve.push_str("other.wit", self.other_package)?;
        }
        let package = resolve.push_str(
            "handmade.wit",
            &self.edited(&format!(
                "package portolan:handmade; world handmade {{ {} }}",
                self.world
            )),
        )?;
        let world = resolve.select_world(&[package], Some("handmade"))?;
        Ok((resolve, world))
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let (from, to) = (entry.as_ref().map(fs::DirEntry::path), to);
            let from = from.map_err(|error| anyhow::anyhow!("{error}"))?;
            let to = to.join(from.file_name().unwrap_or_default());
            if from.is_dir() {
                self.copy(&from, &to)?;
            } else {
                fs::write(to, self.edited(&fs::read_to_string(from)?))?;
            }
        }
        Ok(())
    }

    fn edited(&self, wit: &str) -> String {
        let (from, to) = self.replaced;
        let wit = if from.is_empty() {
            wit.to_owned()
        } else {
            wit.replace(from, to)
        };
        wit.replace("0.1.0", self.contract)
    }
}

/// A core module from its text.
///
/// # Errors
///
/// What the reader of WAT said.
pub fn core_module(text: &str) -> Result<Vec<u8>> {
    Ok(wat::parse_str(text)?)
}
