//! The rules that every word of the contract keeps.

use std::fs;
use std::path::{Path, PathBuf};

use wit_parser::{Docs, Resolve, Stability, TypeDefKind, TypeOwner};

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// The contract of a released version, and what is wrong with it.
fn faults(version: &Path) -> Vec<String> {
    let mut resolve = Resolve::default();
    resolve.push_path(version).expect("the contract parses");
    let mut faults = Vec::new();
    let mut judge = |what: String, docs: Option<&Docs>, stability: Option<&Stability>| {
        if docs.is_some_and(|docs| docs.contents.as_deref().unwrap_or_default().is_empty()) {
            faults.push(format!("{what} is not documented"));
        }
        if stability.is_some_and(|stability| !matches!(stability, Stability::Stable { .. })) {
            faults.push(format!("{what} has no @since"));
        }
    };
    for (_, package) in &resolve.packages {
        judge(package.name.to_string(), Some(&package.docs), None);
    }
    for (_, interface) in &resolve.interfaces {
        let name = interface.name.clone().unwrap_or_default();
        judge(
            name.clone(),
            Some(&interface.docs),
            Some(&interface.stability),
        );
        for (function, item) in &interface.functions {
            // A function of a resource is named for it already.
            let what = format!("{name}: {function}");
            judge(what, Some(&item.docs), Some(&item.stability));
        }
    }
    for (_, world) in &resolve.worlds {
        judge(
            world.name.clone(),
            Some(&world.docs),
            Some(&world.stability),
        );
    }
    let mut closed = Vec::new();
    for (_, item) in &resolve.types {
        let (Some(name), TypeOwner::Interface(_)) = (&item.name, item.owner) else {
            continue;
        };
        // A name that is only used from another interface has its words there.
        if matches!(item.kind, TypeDefKind::Type(wit_parser::Type::Id(_))) {
            continue;
        }
        judge(name.clone(), Some(&item.docs), Some(&item.stability));
        let open = match &item.kind {
            TypeDefKind::Variant(variant) => variant
                .cases
                .last()
                .is_some_and(|case| case.name == "other" && case.ty.is_some()),
            TypeDefKind::Enum(_) | TypeDefKind::Flags(_) => false,
            _ => true,
        };
        if !open && !CLOSED.contains(&name.as_str()) {
            closed.push(format!("{name} does not end in other(…)"));
        }
    }
    faults.extend(closed);
    faults
}

/// What is whole by its nature: bytes are shown or not, and a new way to hide them would be a part
/// that an old reader must not pass on.
const CLOSED: &[&str] = &["part", "value", "fragment"];

#[test]
fn every_word_is_documented_dated_and_open() {
    let versions = fs::read_dir(wit()).expect("the contract");
    let mut count = 0;
    for version in versions {
        let version = version.expect("a folder").path();
        if version.is_dir() {
            count += 1;
            assert_eq!(
                faults(&version),
                Vec::<String>::new(),
                "{}",
                version.display()
            );
        }
    }
    assert_eq!(
        count, 1,
        "a new version is a new folder: say it here as well"
    );
}

#[test]
fn the_rule_for_released_versions_is_written_beside_them() {
    let text = fs::read_to_string(wit().join("README.md")).expect("wit/README.md");
    assert!(
        text.contains("A released version's directory is frozen"),
        "{text}"
    );
    assert!(text.lines().count() <= 40);
}

#[test]
fn a_word_without_documentation_is_found() {
    let folder = std::env::temp_dir().join(format!("portolan-wit-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let text = "package a:b@0.1.0;\ninterface c { variant d { e } f: func(); }\n";
    fs::write(folder.join("a.wit"), text).expect("a file");
    let found = faults(&folder);
    fs::remove_dir_all(&folder).expect("no folder");
    for fault in [
        "a:b@0.1.0 is not documented",
        "c is not documented",
        "c has no @since",
        "c: f has no @since",
        "d does not end in other(…)",
    ] {
        assert!(found.iter().any(|one| one == fault), "{fault} in {found:?}");
    }
}
