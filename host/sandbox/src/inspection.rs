//! What a component is, in sentences, for those who decide whether to trust it.

use std::fmt;

use portolan_contract::{Manifest, OptionRule, UnknownOptions, Visibility};

/// A component that was read and judged, and not run.
#[derive(Debug, Clone)]
pub struct Inspection {
    pub(crate) manifest: Manifest,
    pub(crate) digest: String,
    pub(crate) size: usize,
    pub(crate) functions: u32,
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

impl Inspection {
    /// What the provider says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of the component, its manifest included, in lower-case hex.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many functions are compiled.
    #[must_use]
    pub fn functions(&self) -> u32 {
        self.functions
    }

    /// What it imports; all of it is the contract's.
    #[must_use]
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What it exports.
    #[must_use]
    pub fn exports(&self) -> &[String] {
        &self.exports
    }
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = &self.manifest;
        writeln!(
            f,
            "Provider {} {} was built for contract {}.",
            manifest.name, manifest.version, manifest.contract
        )?;
        writeln!(
            f,
            "Its component has {} bytes and {} functions; its SHA-256 is {}.",
            self.size, self.functions, self.digest
        )?;
        writeln!(
            f,
            "It answers for the scheme{} {}.",
            plural(&manifest.schemes),
            list(&manifest.schemes)
        )?;
        writeln!(
            f,
            "Its connections are of the kind{} {}.",
            plural(&manifest.kinds),
            list(&manifest.kinds)
        )?;
        match &*manifest.offered_operations().collect::<Vec<_>>() {
            [] => writeln!(f, "They support no operation of their own.")?,
            operations => writeln!(f, "They support {}.", list(operations))?,
        }
        match self.imports.as_slice() {
            [] => writeln!(f, "It imports nothing.")?,
            imports => writeln!(f, "It imports {}.", list(imports))?,
        }
        writeln!(f, "It exports {}.", list(&self.exports))?;
        self.sees(f)?;
        self.reaches(f)?;
        self.reveals(f)
    }
}

impl Inspection {
    /// What is shown of a URI: to the provider, and to whoever may list connections.
    fn sees(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manifest = &self.manifest;
        if manifest.path == Visibility::Secret {
            writeln!(f, "The path of a URI is secret.")?;
        }
        if manifest.user == Visibility::Public {
            writeln!(f, "A user without a password is shown.")?;
        }
        let names = |public: bool| -> Vec<&str> {
            let wanted = |option: &&OptionRule| option.public == public;
            let options = manifest.options.iter().filter(wanted);
            options.map(|option| option.name.as_str()).collect()
        };
        match names(true).as_slice() {
            [] => writeln!(f, "It declares no option public.")?,
            public => writeln!(f, "It declares these options public: {}.", list(public))?,
        }
        match names(false).as_slice() {
            [] => {}
            secret => writeln!(f, "These options are secret: {}.", list(secret))?,
        }
        match manifest.unknown_options {
            UnknownOptions::Refuse => writeln!(f, "Other options are refused."),
            UnknownOptions::Secret => writeln!(f, "Other options are secret as well."),
        }
    }

    fn reaches(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.manifest.endpoints.is_empty() {
            writeln!(f, "It may name no endpoint to dial.")?;
        }
        for rule in &self.manifest.endpoints {
            match rule.ports.as_slice() {
                [] => writeln!(f, "It may name {} on every port.", rule.host.as_str())?,
                ports => writeln!(
                    f,
                    "It may name {} on port{} {}.",
                    rule.host.as_str(),
                    plural(ports),
                    list(ports)
                )?,
            }
        }
        for rule in &self.manifest.requests {
            writeln!(f, "{rule}")?;
        }
        Ok(())
    }

    fn reveals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reveal = &self.manifest.reveal;
        if reveal.is_empty() {
            return write!(f, "It asks to see no secret in clear.");
        }
        if !reveal.planning.is_empty() {
            write!(
                f,
                "It asks to see these secrets in clear while it plans: {}.",
                list(&reveal.planning)
            )?;
        }
        if !reveal.acting.is_empty() {
            if !reveal.planning.is_empty() {
                writeln!(f)?;
            }
            write!(
                f,
                "It asks to see these secrets in clear while it acts: {}.",
                list(&reveal.acting)
            )?;
        }
        Ok(())
    }
}

fn plural<T>(many: &[T]) -> &'static str {
    if many.len() == 1 { "" } else { "s" }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}
