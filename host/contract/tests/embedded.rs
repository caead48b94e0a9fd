//! The manifests of the providers that the binary carries.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use portolan_contract::{EMBEDDED_PUBLIC, Manifest, looks_like_a_credential};

#[test]
fn no_provider_shows_what_looks_like_a_credential_but_the_four_of_the_table() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../providers");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).expect("the providers") {
        let path = entry.expect("an entry").path().join("manifest.toml");
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let manifest = Manifest::parse(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            manifest.check_public_as_embedded(),
            Ok(()),
            "{}",
            path.display()
        );
        for option in manifest.options.iter().filter(|option| option.public) {
            let known = EMBEDDED_PUBLIC.iter().any(|(name, _)| *name == option.name);
            assert!(
                known || !looks_like_a_credential(&option.name),
                "{}",
                option.name
            );
        }
        assert!(
            manifest.reveal.planning.is_empty() && manifest.reveal.acting.is_empty(),
            "{} is shown a secret",
            manifest.name
        );
        read += 1;
    }
    assert!(read >= 5, "{read} providers have a manifest");
}
