//! The committed components: rebuilt from their sources, or compared with them.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{component, toolchain};

/// The most that a component may weigh, in bytes, unless it is listed in [`BUDGETS`].
const DEFAULT_BUDGET: usize = 300 * 1024;

/// Components with a budget of their own, in bytes.
const BUDGETS: &[(&str, usize)] = &[("nodelocal", 80 * 1024), ("postgres", 350 * 1024)];

/// Where the sources and the committed components lie.
#[derive(Debug, Clone)]
pub struct Folders {
    providers: PathBuf,
    plugins: PathBuf,
}

impl Folders {
    /// The folders of the repository with this root.
    #[must_use]
    pub fn of_repository(root: &Path) -> Self {
        Self {
            providers: root.join("providers"),
            plugins: root.join("plugins"),
        }
    }

    /// The repository that this program was compiled in.
    #[must_use]
    pub fn of_this_repository() -> Self {
        Self::of_repository(&crate::repository())
    }

    /// The names of the providers: the folders that hold a manifest, sorted.
    ///
    /// # Errors
    ///
    /// The folder of the sources cannot be read.
    pub fn providers(&self) -> Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.providers)
            .with_context(|| format!("cannot list {}", self.providers.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.path().join("manifest.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The committed components by name, sorted, each with its size in bytes.
    ///
    /// # Errors
    ///
    /// The folder of the committed components cannot be read.
    pub fn committed_sizes(&self) -> Result<Vec<(String, usize)>> {
        let mut sizes = Vec::new();
        for name in committed(self)? {
            let bytes = std::fs::metadata(self.component(&name))?.len();
            sizes.push((name, usize::try_from(bytes)?));
        }
        Ok(sizes)
    }

    fn component(&self, name: &str) -> PathBuf {
        self.plugins.join(name).with_extension("wasm")
    }

    fn manifest(&self, name: &str) -> PathBuf {
        self.plugins.join(name).with_extension("toml")
    }
}

/// What was built of one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The provider's name.
    pub name: String,
    /// How many bytes its component has.
    pub bytes: usize,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
}

impl fmt::Display for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} bytes, sha256 {}",
            self.name, self.bytes, self.digest
        )
    }
}

/// Rebuilds every component and writes it with its manifest.
///
/// # Errors
///
/// The compiler is not the recorded one (unless `record_compiler`, which records this one), a build
/// failed, or a component is over its budget.
pub fn write(folders: &Folders, record_compiler: bool) -> Result<Vec<Built>> {
    if record_compiler {
        let record = folders.plugins.join(toolchain::RECORD);
        std::fs::write(&record, toolchain::here()? + "\n")
            .with_context(|| format!("cannot write {}", record.display()))?;
    } else {
        toolchain::require_recorded(&folders.plugins)?;
    }
    let mut built = Vec::new();
    for name in folders.providers()? {
        let (component, manifest) = build(folders, &name)?;
        replace(&folders.component(&name), &component)?;
        replace(&folders.manifest(&name), manifest.as_bytes())?;
        built.push(describe(name, &component));
    }
    Ok(built)
}

/// Rebuilds every component and compares it, and its manifest, with the committed one.
///
/// # Errors
///
/// Names every one that differs from its source or is missing, and committed ones without a source.
pub fn check(folders: &Folders) -> Result<Vec<Built>> {
    toolchain::require_recorded(&folders.plugins)?;
    let names = folders.providers()?;
    let mut built = Vec::new();
    let mut complaints = Vec::new();
    for name in &names {
        let (component, manifest) = build(folders, name)?;
        for (path, expected) in [
            (folders.component(name), component.as_slice()),
            (folders.manifest(name), manifest.as_bytes()),
        ] {
            match std::fs::read(&path) {
                Ok(committed) if committed == expected => {}
                Ok(_) => complaints.push(format!("{} differs from its source", path.display())),
                Err(error) => complaints.push(format!("{}: {error}", path.display())),
            }
        }
        built.push(describe(name.clone(), &component));
    }
    for name in committed(folders)? {
        if !names.contains(&name) {
            complaints.push(format!("{name}.wasm has no source in providers/"));
        }
    }
    if !complaints.is_empty() {
        bail!(
            "{}\nRun `cargo xtask plugins` and commit plugins/.",
            complaints.join("\n")
        );
    }
    Ok(built)
}

fn build(folders: &Folders, name: &str) -> Result<(Vec<u8>, String)> {
    let package = folders.providers.join(name);
    let component = component::build(&package)?;
    check_budget(name, component.len())?;
    let manifest = std::fs::read_to_string(package.join("manifest.toml"))?;
    Ok((component, manifest))
}

/// The most that the component of a provider may weigh, in bytes.
#[must_use]
pub fn budget(name: &str) -> usize {
    BUDGETS
        .iter()
        .find(|(of, _)| *of == name)
        .map_or(DEFAULT_BUDGET, |(_, budget)| *budget)
}

fn check_budget(name: &str, bytes: usize) -> Result<()> {
    let budget = budget(name);
    if bytes > budget {
        bail!("{name}.wasm has {bytes} bytes; its budget is {budget}");
    }
    Ok(())
}

fn committed(folders: &Folders) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folders.plugins)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wasm")
            && let Some(name) = path.file_stem()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn describe(name: String, component: &[u8]) -> Built {
    Built {
        name,
        bytes: component.len(),
        digest: hex::encode(Sha256::digest(component)),
    }
}

/// Writes a file only when its content changes, so that nothing that embeds it is compiled again.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_over_its_budget_is_refused() {
        assert!(check_budget("nodelocal", 80 * 1024).is_ok());
        assert!(check_budget("another", 300 * 1024).is_ok());
        let error = check_budget("nodelocal", 80 * 1024 + 1).expect_err("too big");
        assert_eq!(
            error.to_string(),
            "nodelocal.wasm has 81921 bytes; its budget is 81920"
        );
    }

    #[test]
    fn the_providers_are_the_folders_with_a_manifest() {
        let names = Folders::of_this_repository().providers().expect("listed");
        assert!(names.contains(&"nodelocal".to_owned()), "{names:?}");
        assert!(!names.contains(&"sdk".to_owned()), "{names:?}");
    }
}
