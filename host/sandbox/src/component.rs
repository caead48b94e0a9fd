//! Components as bytes: read and judged before anything is compiled.

use std::borrow::Cow;

use portolan_contract::{Kind, Manifest, ManifestError};
use sha2::{Digest, Sha256};
use wasmparser::{Encoding, Parser, Payload};
use wasmtime::component::{Component as Compiled, ComponentExportIndex};

use crate::{Inspection, Limits, LoadError};

/// The custom section that holds the manifest.
const MANIFEST_SECTION: &str = "portolan:manifest";
/// The bytes of a page of linear memory.
const PAGE: u64 = 64 << 10;
/// What every provider exports.
pub(crate) const PLANNING: &str = "portolan:provider/planning@0.1.0";
/// What a component may import, up to the patch version.
const IMPORTS: [&str; 11] = [
    "portolan:types/types",
    "portolan:host/parts",
    "portolan:host/objects",
    "portolan:host/steps",
    "portolan:host/http",
    "portolan:host/net",
    "portolan:host/sasl",
    "portolan:host/sign",
    "portolan:host/random",
    "portolan:host/log",
    "portolan:host/keys",
];

/// A component to load, and what was allowed to it.
#[derive(Debug, Clone, Default)]
pub struct Component {
    /// The component, its manifest included.
    pub bytes: Cow<'static, [u8]>,
    /// The SHA-256 that was approved, in lower-case hex; without one any component is loaded.
    pub expected_digest: Option<String>,
    /// Options that look like credentials and may be public all the same.
    pub allow_public: Vec<String>,
    /// Whether the secrets that the manifest lists under `reveal` are shown to the provider.
    pub allow_reveal: bool,
}

impl Component {
    /// A component that may do nothing out of the ordinary.
    #[must_use]
    pub fn new(bytes: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            bytes: bytes.into(),
            ..Self::default()
        }
    }
}

/// The manifest of a component, read from its custom section alone. Nothing is compiled or run.
///
/// # Errors
///
/// The bytes are no component, it has no manifest of its own or more than one, or the manifest is
/// refused.
pub fn manifest_of(bytes: &[u8]) -> Result<Manifest, LoadError> {
    Outline::read(bytes)?.manifest()
}

/// The interface that a provider of a kind exports.
pub(crate) fn interface_of(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Storage => "portolan:provider/storage@0.1.0",
        Kind::Kms => "portolan:provider/kms@0.1.0",
        Kind::Sink => "portolan:provider/sink@0.1.0",
        Kind::Registry => "portolan:provider/registry@0.1.0",
        Kind::Database => "portolan:provider/database@0.1.0",
        _ => return None,
    })
}

/// Where a component exports a function of the interface of a kind, for those that are called too often
/// to be looked up by name each time.
pub(crate) fn function_of(
    component: &Compiled,
    kind: Kind,
    name: &str,
) -> Option<ComponentExportIndex> {
    let interface = component.get_export_index(None, interface_of(kind)?)?;
    component.get_export_index(Some(&interface), name)
}

/// SHA-256 in lower-case hex.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What stands at the top level of a component, and how much there is inside.
struct Outline<'a> {
    manifest: Option<&'a [u8]>,
    second_manifest: bool,
    nested_manifest: bool,
    imports: Vec<String>,
    exports: Vec<String>,
    functions: u32,
    /// Bytes and elements that all memories and tables begin with.
    memory: u64,
    table_elements: u64,
}

impl<'a> Outline<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, LoadError> {
        let mut outline = Self {
            manifest: None,
            second_manifest: false,
            nested_manifest: false,
            imports: Vec::new(),
            exports: Vec::new(),
            functions: 0,
            memory: 0,
            table_elements: 0,
        };
        let mut depth = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(unreadable)?;
            match payload {
                Payload::Version { encoding, .. }
                    if depth == 0 && encoding != Encoding::Component =>
                {
                    return Err(LoadError::NotAComponent {
                        why: "it is a core module".to_owned(),
                    });
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                    if depth > 0 {
                        outline.nested_manifest = true;
                    } else if outline.manifest.replace(section.data()).is_some() {
                        outline.second_manifest = true;
                    }
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        outline
                            .imports
                            .push(import.map_err(unreadable)?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        outline
                            .exports
                            .push(export.map_err(unreadable)?.name.name.to_owned());
                    }
                }
                Payload::CodeSectionStart { count, .. } => {
                    outline.functions = outline.functions.saturating_add(count);
                }
                Payload::MemorySection(section) => {
                    for memory in section {
                        let pages = memory.map_err(unreadable)?.initial;
                        let bytes = pages.saturating_mul(PAGE);
                        outline.memory = outline.memory.saturating_add(bytes);
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        let elements = table.map_err(unreadable)?.ty.initial;
                        outline.table_elements = outline.table_elements.saturating_add(elements);
                    }
                }
                _ => {}
            }
        }
        Ok(outline)
    }

    fn manifest(&self) -> Result<Manifest, LoadError> {
        if self.second_manifest {
            return Err(LoadError::SecondManifest);
        }
        if self.nested_manifest {
            return Err(LoadError::NestedManifest);
        }
        let bytes = self.manifest.ok_or(LoadError::NoManifest)?;
        if bytes.len() > portolan_contract::MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge { bytes: bytes.len() }.into());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| LoadError::ManifestNotText)?;
        Ok(Manifest::parse(text)?)
    }
}

fn unreadable(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::NotAComponent {
        why: portolan_contract::strip_controls(
            &format!("{} (at byte {})", error.message(), error.offset()),
            400,
        ),
    }
}

/// Reads a component and judges everything that can be judged without compiling it.
pub(crate) fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspection, LoadError> {
    inspect_expected(bytes, None, limits)
}

/// The same, of a component that was approved by its digest: another one is not even read.
pub(crate) fn inspect_expected(
    bytes: &[u8],
    expected: Option<&str>,
    limits: &Limits,
) -> Result<Inspection, LoadError> {
    if bytes.len() > limits.component_size {
        return Err(LoadError::TooLarge {
            found: bytes.len(),
            most: limits.component_size,
        });
    }
    let digest = digest_of(bytes);
    if let Some(expected) = expected
        && !expected.eq_ignore_ascii_case(&digest)
    {
        return Err(LoadError::Digest {
            found: digest,
            expected: expected.chars().take(64).collect(),
        });
    }
    let outline = Outline::read(bytes)?;
    let manifest = outline.manifest()?;
    if outline.functions > limits.component_functions {
        return Err(LoadError::TooManyFunctions {
            found: outline.functions,
            most: limits.component_functions,
        });
    }
    check_beginning(&manifest, &outline, limits)?;
    for import in &outline.imports {
        check_import(&manifest, import)?;
    }
    check_exports(&manifest, &outline.exports)?;
    Ok(Inspection {
        digest,
        size: bytes.len(),
        functions: outline.functions,
        imports: outline.imports,
        exports: outline.exports,
        manifest,
    })
}

fn check_beginning(
    manifest: &Manifest,
    outline: &Outline<'_>,
    limits: &Limits,
) -> Result<(), LoadError> {
    if outline.memory > limits.memory as u64 {
        return Err(LoadError::Memory {
            provider: manifest.name.clone(),
            found: outline.memory,
            most: limits.memory,
        });
    }
    if outline.table_elements > limits.table_elements as u64 {
        return Err(LoadError::TableElements {
            provider: manifest.name.clone(),
            found: outline.table_elements,
            most: limits.table_elements,
        });
    }
    Ok(())
}

fn check_import(manifest: &Manifest, import: &str) -> Result<(), LoadError> {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    if IMPORTS.contains(&name) {
        if version == "0.1.0" {
            return Ok(());
        }
        return Err(LoadError::ImportVersion {
            provider: manifest.name.clone(),
            import: short(import),
        });
    }
    Err(LoadError::Import {
        provider: manifest.name.clone(),
        import: short(import),
    })
}

fn check_exports(manifest: &Manifest, exports: &[String]) -> Result<(), LoadError> {
    let exported = |name: &str| exports.iter().any(|export| export == name);
    if !exported(PLANNING) {
        return Err(LoadError::NoPlanning {
            provider: manifest.name.clone(),
            export: PLANNING.to_owned(),
        });
    }
    for kind in &manifest.kinds {
        match interface_of(*kind) {
            Some(interface) if exported(interface) => {}
            interface => {
                return Err(LoadError::NoExport {
                    provider: manifest.name.clone(),
                    export: interface.unwrap_or_default().to_owned(),
                    kind: *kind,
                });
            }
        }
    }
    Ok(())
}

fn short(name: &str) -> String {
    portolan_contract::strip_controls(name, 200)
}
