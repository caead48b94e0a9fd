//! The public test suite of `object_store`, run through the connection's own client.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::server::*;
use crate::suite;

/// With a key, and with a token.
async fn stores() -> (Server, [Arc<dyn ObjectStore>; 2]) {
    let server = Server::start();
    let other = Planned {
        prefix: "the other",
        ..with_client(SECRET)
    };
    let stores = [server.with_key(), other].map(|planned| server.store(&planned));
    (server, stores)
}

suite::object_store_suite! {
    over: stores,
    run: [
        put_get_delete_list,
        put_get_attributes,
        get_opts,
        put_opts(true),
        stream_get,
        list_uses_directories_correctly,
        list_with_delimiter,
        get_nonexistent_object,
        rename_and_copy,
        copy_if_not_exists,
        copy_rename_nonexistent_object,
        // Blocks that wait for an object are gone when another upload makes it.
        multipart_race_condition(false),
        multipart_out_of_order,
        list_with_offset_exclusivity,
    ],
    left out: [],
}
