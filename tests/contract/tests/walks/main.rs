//! Each guest follows its scripts to the end.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use portolan_contract_walks::{Guest, Script, build, for_each_script};

mod refusals;
mod wit;

/// The text of a guest's manifest.
fn manifest(guest: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("guests")
        .join(guest);
    fs::read_to_string(folder.join("manifest.toml")).expect("a manifest")
}

macro_rules! follows_its_scripts {
    ($guest:ident, $name:literal, $($case:ident: $script:expr,)+) => {
        pub(crate) mod $guest {
            use super::*;

            pub(crate) static GUEST: LazyLock<Guest> = LazyLock::new(|| {
                let component = build($name).expect("a component");
                Guest::new(&component, &manifest($name)).expect("a guest")
            });

            $(
                #[test]
                fn $case() {
                    let script = Script::parse($script).expect("a script");
                    if let Err(error) = GUEST.walk(script) {
                        panic!("{error:?}");
                    }
                }
            )+
        }
    };
}

/// The host answers from a script: no socket, no TLS, no cryptography and no server is proved here.
mod against_a_script_without_sockets_tls_or_servers {
    use super::*;

    for_each_script!(follows_its_scripts);
}
