//! The manifest inside a component: one custom section at its top level.

use anyhow::{Context, Result, ensure};
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};

/// The name of the section.
pub const NAME: &str = "portolan:manifest";

/// The longest manifest, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Appends the manifest to a component that has none.
///
/// # Errors
///
/// The manifest is too long, or the component already has one.
pub fn append(mut component: Vec<u8>, manifest: &str) -> Result<Vec<u8>> {
    ensure!(
        manifest.len() <= MAX_BYTES,
        "the manifest has {} bytes; at most {MAX_BYTES} are allowed",
        manifest.len()
    );
    ensure!(
        read(&component)?.is_none(),
        "the component already has a section {NAME}"
    );
    CustomSection {
        name: NAME.into(),
        data: manifest.as_bytes().into(),
    }
    .append_to_component(&mut component);
    Ok(component)
}

/// The manifest of a component; none if it has none.
///
/// # Errors
///
/// The bytes are no component, or the manifest is not UTF-8.
pub fn read(component: &[u8]) -> Result<Option<&str>> {
    let mut depth = 0u32;
    let mut manifest = None;
    for payload in Parser::new(0).parse_all(component) {
        match payload.context("this is no component")? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == NAME => {
                let text = std::str::from_utf8(section.data())
                    .context("the manifest of the component is not UTF-8")?;
                ensure!(
                    manifest.replace(text).is_none(),
                    "the component has two sections {NAME}"
                );
            }
            _ => {}
        }
    }
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_component() -> Vec<u8> {
        wasm_encoder::Component::new().finish()
    }

    #[test]
    fn what_was_appended_is_read_back() {
        let component = append(empty_component(), "name = \"a\"\n").expect("appended");
        assert_eq!(read(&component).expect("read"), Some("name = \"a\"\n"));
        assert_eq!(read(&empty_component()).expect("read"), None);
    }

    #[test]
    fn a_second_manifest_is_refused() {
        let component = append(empty_component(), "a").expect("appended");
        let error = append(component, "b").expect_err("two");
        assert_eq!(
            error.to_string(),
            "the component already has a section portolan:manifest"
        );
    }

    #[test]
    fn a_manifest_that_is_too_long_is_refused() {
        assert!(append(empty_component(), &"a".repeat(MAX_BYTES)).is_ok());
        let error = append(empty_component(), &"a".repeat(MAX_BYTES + 1)).expect_err("too long");
        assert_eq!(
            error.to_string(),
            "the manifest has 65537 bytes; at most 65536 are allowed"
        );
    }

    #[test]
    fn a_section_inside_a_module_is_not_the_manifest() {
        let mut module = wasm_encoder::Module::new();
        module.section(&CustomSection {
            name: NAME.into(),
            data: b"inner"[..].into(),
        });
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::ModuleSection(&module));
        let component = append(component.finish(), "outer").expect("appended");
        assert_eq!(read(&component).expect("read"), Some("outer"));
    }
}
