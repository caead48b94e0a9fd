//! Components that are really built: the same wherever they are built, and with the contract as
//! their only import.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use wasmparser::{ComponentExternalKind, Parser, Payload};
use xtask::component;
use xtask::plugins::{self, Folders};

/// Copies a folder, links followed, without what was built in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("read") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() && entry.file_name() != "target" {
            copy(&from, &to);
        } else if from.is_file() {
            std::fs::copy(&from, &to).expect("copied");
        }
    }
}

/// The names of what a component imports and exports.
fn imports_and_exports(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.expect("a component") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.expect("an import").name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export.expect("an export");
                    assert_eq!(export.kind, ComponentExternalKind::Instance);
                    exports.push(export.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    exports.sort_unstable();
    (imports, exports)
}

/// The kinds that the manifest of a committed component lists.
fn kinds(name: &str) -> impl Iterator<Item = String> {
    let manifest = xtask::repository().join(format!("plugins/{name}.toml"));
    let manifest = std::fs::read_to_string(manifest).expect("committed");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    let kinds = manifest["kinds"].as_array().expect("a list").clone();
    kinds
        .into_iter()
        .map(|kind| kind.as_str().expect("a text").to_owned())
}

fn only_the_contract(imports: &[String]) -> bool {
    let ours = ["portolan:types/", "portolan:host/"];
    imports
        .iter()
        .all(|name| ours.iter().any(|our| name.starts_with(our)))
}

#[test]
fn the_committed_components_import_only_the_contract() {
    let sizes = Folders::of_this_repository().committed_sizes();
    let sizes = sizes.expect("committed");
    assert!(sizes.len() >= 5, "{sizes:?}");
    for (name, size) in sizes {
        assert!(size <= plugins::budget(&name), "{name}: {size} bytes");
        let component = xtask::repository().join(format!("plugins/{name}.wasm"));
        let component = std::fs::read(component).expect("committed");
        let (imports, exports) = imports_and_exports(&component);
        assert!(only_the_contract(&imports), "{name}: {imports:?}");
        // What reaches a server by itself is said, and nobody gets more than that.
        let net = imports.contains(&"portolan:host/net@0.1.0".to_owned());
        let local = ["nodelocal", "userfile"].contains(&name.as_str());
        assert_eq!(net, !local, "{name}: {imports:?}");
        let mut expected = vec!["portolan:provider/planning@0.1.0".to_owned()];
        expected.extend(kinds(&name).map(|kind| format!("portolan:provider/{kind}@0.1.0")));
        expected.sort_unstable();
        assert_eq!(exports, expected, "{name}");
    }
}

#[test]
fn a_component_is_the_same_to_the_byte_wherever_it_is_built() {
    let here = xtask::repository().join("providers");
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("another folder, with spaces");
    let there = root.join("deeper/providers");
    if there.exists() {
        std::fs::remove_dir_all(&there).expect("removed");
    }
    copy(&here, &there);
    let built = |folder: &Path, target: Option<&Path>| {
        component::build_in(&folder.join("nodelocal"), target).expect("built")
    };
    assert!(
        built(&here, None) == built(&there, Some(&root.join("built"))),
        "the bytes differ"
    );
}

#[test]
fn what_the_sdk_exports_of_each_kind_makes_a_component() {
    let sdk = xtask::repository().join("providers/sdk");
    let kinds = [
        "database",
        "kms",
        "planning",
        "registry",
        "storage",
        "streaming-storage",
    ];
    for (example, expected) in [("every_kind", &kinds[..]), ("sink", &["planning", "sink"])] {
        let module = component::compile_example(&sdk, example).expect("compiled");
        let (imports, exports) = imports_and_exports(&component::encode(&module).expect("encoded"));
        assert!(only_the_contract(&imports), "{example}: {imports:?}");
        let expected: Vec<_> = expected
            .iter()
            .map(|name| format!("portolan:provider/{name}@0.1.0"))
            .collect();
        assert_eq!(exports, expected);
    }
}
