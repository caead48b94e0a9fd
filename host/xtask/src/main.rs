//! The project's own chores, run as `cargo xtask …`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use xtask::plugins::{self, Folders};
use xtask::{bench, component, repository};

/// The project's own chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Rebuild the components in plugins/ from their sources in providers/
    ///
    /// Needs the recorded compiler, and Node.js with npm for wasm-opt.
    Plugins {
        /// Change nothing; fail when a committed component differs from its source
        #[arg(long, conflicts_with = "record_compiler")]
        check: bool,
        /// Record this compiler as the one that components are built with
        #[arg(long)]
        record_compiler: bool,
    },
    /// Build the component of one provider, for `portolan provider add`
    ///
    /// As the ones in plugins/ are built: its module passes through wasm-opt, which is installed with npm
    /// at first use.
    Component {
        /// The provider's folder, with its Cargo.toml and manifest.toml
        folder: PathBuf,
        /// Where to write it [default: NAME.wasm here, NAME being the folder's]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Run the benchmarks and show their figures beside what they may be at most
    Bench {
        /// Only benchmarks whose package or name holds this text
        #[arg(default_value = "")]
        filter: String,
    },
}

fn main() -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match Arguments::parse().chore {
        Chore::Plugins {
            check,
            record_compiler,
        } => {
            let folders = Folders::of_this_repository();
            let built = match check {
                true => plugins::check(&folders)?,
                false => plugins::write(&folders, record_compiler)?,
            };
            for built in built {
                writeln!(out, "{built}")?;
            }
        }
        Chore::Component { folder, output } => {
            let component = component::build(&folder)?;
            let output = match output {
                Some(output) => output,
                None => {
                    let folder = folder.canonicalize()?;
                    let name = folder.file_name().context("the folder has no name")?;
                    PathBuf::from(name).with_extension("wasm")
                }
            };
            std::fs::write(&output, &component)
                .with_context(|| format!("cannot write {}", output.display()))?;
            writeln!(out, "{}: {} bytes", output.display(), component.len())?;
        }
        Chore::Bench { filter } => {
            let report = bench::run(&repository(), &filter, &mut out)?;
            write!(out, "\n{}", report.table())?;
            if !report.holds() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
