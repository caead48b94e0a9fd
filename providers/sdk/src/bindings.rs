//! Bindings that are generated from the contract's WIT: its words, the host's interfaces, and one
//! module for each interface that a component can export.
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
        inline: "package portolan:sdk; world lent { include portolan:provider/capabilities@0.1.0; import portolan:host/keys@0.1.0; }",
        with: {
            "portolan:types/types@0.1.0": crate::bindings::types::portolan::types::types,
            "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
        },
        generate_all,
        generate_unused_types: true,
    });
}

/// The exports of one interface, their imports taken from the modules above. A component exports
/// several; each brings a description of itself, and the encoder of components joins them.
macro_rules! exports {
    ($(#[$doc:meta])* $module:ident = $interface:literal with { $($key:literal: $path:path),* $(,)? }) => {
        $(#[$doc])*
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                inline: $interface,
                with: {
                    "portolan:types/types@0.1.0": crate::bindings::types::portolan::types::types,
                    $($key: $path,)*
                },
                pub_export_macro: true,
            });
        }
    };
}

exports! {
    /// Phase one.
    planning = "package portolan:sdk; world planning { export portolan:provider/planning@0.1.0; }" with {}
}
exports! {
    /// Phase two for object stores.
    storage = "package portolan:sdk; world storage { export portolan:provider/storage@0.1.0; }" with {
        "portolan:host/objects@0.1.0": crate::bindings::host::portolan::host::objects,
        "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
    }
}
exports! {
    /// Phase two for keys.
    kms = "package portolan:sdk; world kms { export portolan:provider/kms@0.1.0; }" with {
        "portolan:host/parts@0.1.0": crate::bindings::host::portolan::host::parts,
        "portolan:host/keys@0.1.0": crate::bindings::host::portolan::host::keys,
        "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
    }
}
exports! {
    /// Phase two for sinks.
    sink = "package portolan:sdk; world sink { export portolan:provider/sink@0.1.0; }" with {
        "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
    }
}
exports! {
    /// Phase two for schema registries.
    registry = "package portolan:sdk; world registry { export portolan:provider/registry@0.1.0; }" with {
        "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
    }
}
exports! {
    /// Phase two for databases.
    database = "package portolan:sdk; world database { export portolan:provider/database@0.1.0; }" with {
        "portolan:host/steps@0.1.0": crate::bindings::types::portolan::host::steps,
    }
}
exports! {
    /// A store whose bytes pass through the guest, beside `storage`.
    streaming = "package portolan:sdk; world streaming { export portolan:provider/streaming-storage@0.1.0; }" with {}
}
