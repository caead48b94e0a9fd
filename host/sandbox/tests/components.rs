//! Components that are refused before any of their code runs, each with its sentence.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use portolan_sandbox::{Component, LoadError, Sandbox, SandboxOptions, manifest_of};
use wasm_encoder::{ComponentSection, CustomSection, ModuleSection};

const MANIFEST: &str = "name = \"n\"\nversion = \"0.1.0\"\ncontract = \"0.1\"\nschemes = [\"n\"]\n\
                        kinds = [\"storage\"]\noperations = []\n";

fn with_manifest(text: &str, manifest: &str) -> Vec<u8> {
    let mut bytes = wat::parse_str(text).expect("wat");
    append(&mut bytes, manifest.as_bytes());
    bytes
}

fn append(component: &mut Vec<u8>, manifest: &[u8]) {
    CustomSection {
        name: "portolan:manifest".into(),
        data: manifest.into(),
    }
    .append_to_component(component);
}

fn nodelocal() -> &'static portolan_plugins::BuiltIn {
    portolan_plugins::built_in_named("nodelocal").expect("it is built in")
}

async fn refusal(bytes: Vec<u8>) -> LoadError {
    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox");
    let inspected = sandbox.inspect(&bytes).await;
    let loaded = sandbox
        .load(Component::new(bytes))
        .await
        .expect_err("refused");
    if let Err(inspected) = inspected {
        assert_eq!(inspected, loaded);
    }
    assert!(!loaded.hint().is_empty());
    loaded
}

/// The built-in component with another manifest.
fn nodelocal_with(manifest: &str) -> Vec<u8> {
    let nodelocal = nodelocal();
    let end = nodelocal.component.len() - nodelocal.manifest.len();
    // What stands before the text is the section's frame: its id, its size and its name.
    let name = b"portolan:manifest";
    let frame = nodelocal.component[..end]
        .windows(name.len())
        .rposition(|window| window == name)
        .expect("a manifest");
    let mut start = frame;
    while nodelocal.component[start] != 0 {
        start -= 1;
    }
    let mut bytes = nodelocal.component[..start].to_vec();
    append(&mut bytes, manifest.as_bytes());
    bytes
}

#[tokio::test]
async fn what_is_no_component_is_told_apart() {
    for (bytes, text) in [
        (b"".to_vec(), "the file is no WebAssembly component"),
        (
            b"hello, I am no component".to_vec(),
            "the file is no WebAssembly component",
        ),
        (
            wat::parse_str("(module)").expect("wat"),
            "it is a core module",
        ),
        (
            wat::parse_str("(component)").expect("wat"),
            "has no manifest",
        ),
    ] {
        let error = refusal(bytes).await;
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(error.sqlstate(), "22023");
    }
    let mut truncated = nodelocal().component.to_vec();
    truncated.truncate(truncated.len() / 2);
    assert!(matches!(
        refusal(truncated).await,
        LoadError::NotAComponent { .. }
    ));
}

#[tokio::test]
async fn a_component_has_one_manifest_at_its_top() {
    let mut second = with_manifest("(component)", MANIFEST);
    append(&mut second, MANIFEST.as_bytes());
    assert_eq!(refusal(second).await, LoadError::SecondManifest);

    let mut module = wasm_encoder::Module::new();
    module.section(&CustomSection {
        name: "portolan:manifest".into(),
        data: b"hidden"[..].into(),
    });
    let mut nested = wasm_encoder::Component::new();
    nested.section(&ModuleSection(&module));
    let mut nested = nested.finish();
    append(&mut nested, MANIFEST.as_bytes());
    assert_eq!(refusal(nested).await, LoadError::NestedManifest);

    let mut binary = wat::parse_str("(component)").expect("wat");
    append(&mut binary, b"\xff");
    assert_eq!(refusal(binary).await, LoadError::ManifestNotText);

    let mut large = wat::parse_str("(component)").expect("wat");
    append(&mut large, &vec![b'#'; 70_000]);
    assert!(refusal(large).await.to_string().contains("70000 bytes"));
}

#[tokio::test]
async fn another_contract_is_told_in_one_sentence() {
    let other = MANIFEST.replace("contract = \"0.1\"", "contract = \"0.2\"");
    let error = refusal(with_manifest("(component)", &other)).await;
    assert_eq!(
        error.to_string(),
        "the provider was built for contract 0.2, and this host speaks 0.1; build it again with an \
         SDK for 0.1, or use a host for 0.2"
    );
    assert_eq!(error.sqlstate(), "0A000");
}

#[tokio::test]
async fn an_import_that_is_not_the_contracts_is_named() {
    for (import, text) in [
        (
            "wasi:sockets/tcp@0.2.0",
            "provider n imports wasi:sockets/tcp@0.2.0, which is not part of the contract",
        ),
        (
            "portolan:host/shell@0.1.0",
            "provider n imports portolan:host/shell@0.1.0, which is not part of the contract",
        ),
        (
            "portolan:host/net@0.2.0",
            "provider n imports portolan:host/net@0.2.0, and this host speaks contract 0.1",
        ),
    ] {
        let component = format!("(component (import \"{import}\" (instance)))");
        let error = refusal(with_manifest(&component, MANIFEST)).await;
        assert_eq!(error.to_string(), text);
        assert_eq!(error.sqlstate(), "0A000");
    }
}

#[tokio::test]
async fn an_export_that_is_missing_or_of_another_type_is_named() {
    let error = refusal(with_manifest("(component)", MANIFEST)).await;
    assert_eq!(
        error.to_string(),
        "provider n does not export portolan:provider/planning@0.1.0, which every provider needs"
    );
    let error = refusal(nodelocal_with(&MANIFEST.replace("storage", "kms"))).await;
    assert_eq!(
        error.to_string(),
        "provider n does not export portolan:provider/kms@0.1.0, which its manifest promises with \
         the kind kms"
    );
    let exports = "(component
        (instance $empty)
        (export \"portolan:provider/planning@0.1.0\" (instance $empty))
        (export \"portolan:provider/storage@0.1.0\" (instance $empty)))";
    let error = refusal(with_manifest(exports, MANIFEST)).await;
    let text = "provider n exports portolan:provider/storage@0.1.0 with another type than the \
                contract's: ";
    assert!(error.to_string().starts_with(text), "{error}");
}

#[tokio::test]
async fn a_manifest_alone_is_read_without_an_engine() {
    let manifest = manifest_of(&nodelocal_with(MANIFEST)).expect("a manifest");
    assert_eq!(manifest.name, "n");
}

#[tokio::test]
async fn showing_a_credential_or_seeing_a_secret_needs_a_word() {
    let public =
        format!("{MANIFEST}[[option]]\nname = \"password\"\npublic = true\nmeaning = \"shown\"\n");
    let error = refusal(nodelocal_with(&public)).await;
    assert!(
        error.to_string().contains("--allow-public password"),
        "{error}"
    );
    assert_eq!(error.sqlstate(), "42501");

    let reveal = format!(
        "{MANIFEST}[[option]]\nname = \"token\"\nmeaning = \"secret\"\n\
         [reveal]\nplanning = [\"token\"]\nacting = [\"{{password}}\"]\n"
    );
    let error = refusal(nodelocal_with(&reveal)).await;
    assert_eq!(
        error.to_string(),
        "provider n asks to see secrets in clear: token, {password}"
    );
    assert_eq!(error.sqlstate(), "42501");

    let sandbox = Sandbox::new(SandboxOptions::default()).expect("a sandbox");
    for (bytes, allow_public, allow_reveal) in [
        (nodelocal_with(&public), vec!["password".to_owned()], false),
        (nodelocal_with(&reveal), Vec::new(), true),
    ] {
        let component = Component {
            bytes: bytes.clone().into(),
            allow_public,
            allow_reveal,
            ..Component::default()
        };
        sandbox.load(component).await.expect("allowed");
        // What was allowed once is not allowed to whoever loads it without that word.
        assert!(sandbox.load(Component::new(bytes)).await.is_err());
    }
}
