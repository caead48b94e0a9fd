//! The public test suite of `object_store`, run through the connection's own client.

use std::sync::Arc;

use object_store::ObjectStore;

use super::server::*;
use super::suite;

async fn stores() -> (Server, [Arc<dyn ObjectStore>; 1]) {
    let server = start(Front::open()).await;
    let store = server.store(&Planned::default().plan());
    (server, [store])
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
        multipart_race_condition(true),
        multipart_out_of_order,
        list_with_offset_exclusivity,
    ],
    left out: [],
}
