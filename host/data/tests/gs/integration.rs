//! The public test suite of `object_store`, run through the connection's own client.

use crate::server::*;
use crate::suite;

/// In a stand-in for the whole of the XML API, which `object_store`'s own store in memory is behind.
mod in_a_stand_in {
    use super::*;

    async fn stores() -> (Setting, [Store; 1]) {
        let setting = Setting::new();
        let store = setting.store(&setting.planned());
        (setting, [store])
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
}

/// In `fake-gcs-server`, as far as it speaks the XML API.
mod in_an_emulator {
    use super::*;

    async fn stores() -> (Setting, [Store; 1]) {
        let setting = Setting::emulated();
        let store = setting.store(&setting.planned());
        (setting, [store])
    }

    suite::object_store_suite! {
        over: stores,
        run: [
            list_uses_directories_correctly,
            list_with_delimiter,
            get_nonexistent_object,
        ],
        left out: [
            ("put_get_delete_list", "the emulator copies nothing in this API"),
            ("get_opts", "the emulator heeds no `If-Match`"),
            ("put_opts", "the emulator heeds no condition of a write"),
            ("list_with_offset_exclusivity", "the emulator heeds no `start-after`"),
            ("put_get_attributes", "the emulator has no uploads in parts"),
            ("stream_get", "the emulator has no uploads in parts"),
            ("rename_and_copy", "the emulator copies nothing in this API"),
            ("copy_if_not_exists", "the emulator copies nothing in this API"),
            ("copy_rename_nonexistent_object", "the emulator copies nothing in this API"),
            ("multipart_race_condition", "the emulator has no uploads in parts"),
            ("multipart_out_of_order", "the emulator has no uploads in parts"),
        ],
    }
}
