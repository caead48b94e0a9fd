//! The public test suite of `object_store`, run through the connection's own client.

use std::sync::Arc;

use object_store::ObjectStore;

use super::server::*;
use super::suite;

async fn stores() -> (Server, [Arc<dyn ObjectStore>; 1]) {
    let server = Server::start();
    let store = server.store(&encrypted());
    (server, [store])
}

suite::object_store_suite! {
    over: stores,
    run: [
        put_get_delete_list,
        // A server of files keeps no attributes: the suite accepts `NotImplemented` here.
        put_get_attributes,
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
    left out: [
        (
            "get_opts",
            "it wants the tag of what was written, which nginx does not tell; \
             `a_condition_on_reading_is_kept_by_the_server` asks for the same conditions",
        ),
        (
            "put_opts",
            "a server may ignore the condition of a `PUT` and overwrite, so none is sent; \
             `a_condition_on_writing_is_not_sent_to_a_server_that_may_ignore_it` sees to it",
        ),
    ],
}
