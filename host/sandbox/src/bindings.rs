//! Bindings generated from the contract: its words, the host's interfaces, the providers' exports.
#![allow(
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::clone_on_ref_ptr,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "generated"
)]

// No component exports this whole world. Each interface of it is bound by itself, so that a
// component is asked for what its manifest promises and for nothing else.
wasmtime::component::bindgen!({
    path: "wit",
    inline: "
        package portolan:sandbox;
        world provider {
            include portolan:provider/capabilities@0.1.0;
            import portolan:host/keys@0.1.0;
            export portolan:provider/planning@0.1.0;
            export portolan:provider/storage@0.1.0;
            export portolan:provider/kms@0.1.0;
            export portolan:provider/sink@0.1.0;
            export portolan:provider/registry@0.1.0;
            export portolan:provider/database@0.1.0;
        }
    ",
    world: "portolan:sandbox/provider",
    // What waits for nothing needs no future, and is called twice as fast without one.
    imports: {
        "portolan:host/keys@0.1.0": trappable,
        "portolan:host/log@0.1.0": trappable,
        "portolan:host/parts@0.1.0": trappable,
        "portolan:host/random@0.1.0": trappable,
        "portolan:host/steps@0.1.0": trappable,
        default: async | trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
    with: {
        "portolan:host/net.connection": portolan_egress::Connection,
        "portolan:host/sasl.exchange": portolan_egress::sasl::Exchange,
        "portolan:host/keys.marker": crate::capabilities::keys::Marker,
        "portolan:host/parts.opaque": crate::capabilities::parts::Opaque,
        "portolan:host/objects.marker-reader": crate::capabilities::objects::MarkerReader,
        "portolan:host/objects.marker-writer": crate::capabilities::objects::MarkerWriter,
    },
});

pub(crate) use exports::portolan::provider as provided;
pub(crate) use portolan::host;
pub(crate) use portolan::types::types;
