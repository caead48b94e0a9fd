//! Each guest, and each built-in provider that has scripts, follows them to the end.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use portolan_contract_walks::{Guest, Script, build, for_each_built_in_script, for_each_script};

mod refusals;
mod wit;

/// The text of a guest's manifest.
fn manifest(guest: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("guests")
        .join(guest);
    fs::read_to_string(folder.join("manifest.toml")).expect("a manifest")
}

/// A guest that is compiled for its walks.
fn compiled(name: &str) -> Guest {
    let component = build(name).expect("a component");
    Guest::new(&component, &manifest(name)).expect("a guest")
}

/// A provider as the program carries it.
fn built_in(name: &str) -> Guest {
    let built_in = portolan_plugins::built_in_named(name).expect("it is built in");
    Guest::new(built_in.component, built_in.manifest).expect("a guest")
}

macro_rules! walks {
    ($make:ident, $guest:ident, $name:literal, $($case:ident: $script:expr,)+) => {
        pub(crate) mod $guest {
            use super::*;

            pub(crate) static GUEST: LazyLock<Guest> = LazyLock::new(|| $make($name));

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

macro_rules! follows_its_scripts {
    ($($walk:tt)+) => { walks!(compiled, $($walk)+); };
}

macro_rules! built_in_follows_its_scripts {
    ($($walk:tt)+) => { walks!(built_in, $($walk)+); };
}

/// The host answers from a script: no socket, no TLS, no cryptography and no server is proved here.
mod against_a_script_without_sockets_tls_or_servers {
    use super::*;

    for_each_script!(follows_its_scripts);
    for_each_built_in_script!(built_in_follows_its_scripts);
}
