//! Bindings that are generated from the contract's WIT: its words, the host's interfaces, and one
//! module for each world that a component can be made for.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unsafe_code,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used,
    reason = "generated"
)]

/// The words of the contract, and the steps of a probe: what can be compared and copied.
pub mod types {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package portolan:sdk; world words { import portolan:types/types@0.1.0; import portolan:host/steps@0.1.0; }",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq, Eq],
    });
}

/// The interfaces that a host may lend.
pub mod host {
    wit_bindgen::generate!({
        path: "wit",
        world: "portolan:provider/capabilities",
        with: {
            "portolan:types/types@0.1.0": crate::bindings::types::portolan::types::types,
            "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
        },
        generate_all,
        generate_unused_types: true,
    });
}

/// The world of a provider of object stores.
pub mod storage {
    wit_bindgen::generate!({
        path: "wit",
        world: "portolan:provider/storage-provider",
        with: {
            "portolan:types/types@0.1.0": crate::bindings::types::portolan::types::types,
            "portolan:host/parts@0.1.0": crate::bindings::host::portolan::host::parts,
            "portolan:host/objects@0.1.0": crate::bindings::host::portolan::host::objects,
            "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
            "portolan:host/http@0.1.0": crate::bindings::host::portolan::host::http,
            "portolan:host/net@0.1.0": crate::bindings::host::portolan::host::net,
            "portolan:host/sasl@0.1.0": crate::bindings::host::portolan::host::sasl,
            "portolan:host/sign@0.1.0": crate::bindings::host::portolan::host::sign,
            "portolan:host/random@0.1.0": crate::bindings::host::portolan::host::random,
            "portolan:host/log@0.1.0": crate::bindings::host::portolan::host::log,
        },
        pub_export_macro: true,
        default_bindings_module: "portolan_sdk::bindings::storage",
    });
}
