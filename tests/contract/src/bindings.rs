//! Bindings that are generated from the contract's WIT: what the host lends, and one module for
//! each world that is bound.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::unwrap_used,
    reason = "generated"
)]

/// Everything that a host may lend.
pub(crate) mod lent {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        inline: "
            package portolan:walks;
            world lent {
                include portolan:provider/capabilities@0.1.0;
                import portolan:host/keys@0.1.0;
            }
        ",
        world: "portolan:walks/lent",
        with: {
            "portolan:host/parts.opaque": crate::known::Opaque,
            "portolan:host/net.connection": crate::host::net::Connection,
            "portolan:host/sasl.exchange": crate::host::sasl::Exchange,
            "portolan:host/keys.marker": crate::host::keys::Marker,
            "portolan:host/objects.marker-reader": crate::host::objects::MarkerReader,
            "portolan:host/objects.marker-writer": crate::host::objects::MarkerWriter,
        },
        imports: { default: trappable },
        require_store_data_send: true,
    });
}

macro_rules! world {
    ($(#[$doc:meta])* $module:ident, $world:literal) => {
        $(#[$doc])*
        pub(crate) mod $module {
            wasmtime::component::bindgen!({
                path: "../../wit/v0.1",
                world: $world,
                with: {
                    "portolan:types": crate::bindings::lent::portolan::types,
                    "portolan:host": crate::bindings::lent::portolan::host,
                },
                imports: { default: trappable },
            });
        }
    };
}

/// Phase one.
pub(crate) mod planner {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        world: "planner",
        with: { "portolan:types": crate::bindings::lent::portolan::types },
    });
}

world!(
    /// Phase two for storage.
    storage,
    "storage-actor"
);
world!(
    /// Phase two for keys.
    kms,
    "kms-actor"
);
world!(
    /// Phase two for sinks.
    sink,
    "sink-actor"
);
world!(
    /// Phase two for databases.
    database,
    "database-actor"
);

pub(crate) use lent::portolan::host as lent_host;
pub(crate) use lent::portolan::types::types;
