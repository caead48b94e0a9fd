//! The JSON Schema says what the host checks, as far as a schema can.

use std::path::Path;

use boon::{Compiler, Schemas};
use serde_json::Value;

use super::tests::{FULL, RULE, with_request};
use super::{MANIFEST_SCHEMA, Manifest, fields};

fn schema() -> Value {
    serde_json::from_str(MANIFEST_SCHEMA).expect("JSON")
}

fn json(manifest: &str) -> Value {
    let table: toml::Table = manifest.parse().expect("TOML");
    serde_json::to_value(table).expect("JSON")
}

fn is_valid(manifest: &str) -> Result<(), String> {
    const PLACE: &str = "file:///manifest.schema.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(PLACE, schema()).expect("a schema");
    let compiled = compiler.compile(PLACE, &mut schemas).expect("a schema");
    let manifest = json(manifest);
    let validated = schemas.validate(&manifest, compiled);
    validated.map_err(|error| error.to_string())
}

fn manifests_below(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path().join("manifest.toml");
        if let Ok(text) = std::fs::read_to_string(&path) {
            found.push((path.display().to_string(), text));
        }
    }
    found
}

#[test]
fn every_manifest_of_this_house_is_valid() {
    let mut manifests = manifests_below("../../providers");
    assert!(manifests.len() >= 6, "{manifests:?}");
    manifests.extend(manifests_below("../../tests/guests"));
    manifests.extend(manifests_below("../../tests/contract/guests"));
    for (path, text) in manifests {
        assert_eq!(is_valid(&text), Ok(()), "{path}");
        Manifest::parse(&text).expect(&path);
    }
    assert_eq!(is_valid(FULL), Ok(()));
}

#[test]
fn it_has_the_keys_of_every_table_and_no_others() {
    let schema = schema();
    for (place, known) in [
        ("/properties", fields::MANIFEST),
        ("/$defs/option/properties", fields::OPTION),
        ("/$defs/endpoint/properties", fields::ENDPOINT),
        ("/$defs/request/properties", fields::REQUEST),
        ("/$defs/reveal/properties", fields::REVEAL),
    ] {
        let properties = schema.pointer(place).and_then(Value::as_object);
        let mut listed: Vec<_> = properties
            .expect(place)
            .keys()
            .map(String::as_str)
            .collect();
        let mut known = known.to_vec();
        listed.sort_unstable();
        known.sort_unstable();
        assert_eq!(listed, known, "{place}");
        let table = place.trim_end_matches("/properties");
        let closed = schema.pointer(&format!("{table}/additionalProperties"));
        assert_eq!(closed, Some(&Value::Bool(false)), "{place}");
    }
}

#[test]
fn what_it_refuses_the_host_refuses_as_well() {
    for (from, to) in [
        ("name = \"example\"", "name = \"Example\""),
        ("version = \"1.4.0\"", "version = \"1.4\""),
        ("contract = \"0.1\"", "contract = \"0.2\""),
        ("\"example-tls\"", "\"external\""),
        ("[\"storage\", \"registry\"]", "[]"),
        ("\"schema-registry\"]", "\"decrypt\"]"),
        ("\"schema-registry\"]", "\"transfer\"]"),
        ("user = \"public\"", "user = \"maybe\""),
        ("default_validate", "default_validat"),
        ("meaning = \"signs\"", "meaning = \"\""),
        ("meaning = \"signs\"", ""),
        ("format = \"pem\"", "format = \"der\""),
        ("ports = [443, 8443]", "ports = [0]"),
        ("\"POST\"", "\"post\""),
        ("\"POST\"", "\"TRACE\""),
        ("\"sigv4\"", "\"none\""),
        ("x-target", "X-Target"),
        ("/keys/*/encrypt", "/keys/%2F"),
        ("acting =", "always ="),
    ] {
        assert!(FULL.contains(from), "{from}");
        let text = FULL.replacen(from, to, 1);
        assert!(is_valid(&text).is_err(), "{to}");
        assert!(Manifest::parse(&text).is_err(), "{to}");
    }
    for more in [
        "opaque_body = [\"Plaintext\"]",
        "opaque_body = [\"/a~2\"]",
        "opaque_answer = { \"/a\" = \"base32\" }",
        "query = { \"\" = \"1\" }",
        "allow_headers = [\"X-A\"]",
        "parameter = \"**\"",
        "authentication = [\"basic\", \"basic\"]",
    ] {
        let text = with_request(&format!("{RULE}{more}"));
        assert!(is_valid(&text).is_err(), "{more}");
        assert!(Manifest::parse(&text).is_err(), "{more}");
    }
}
