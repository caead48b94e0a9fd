//! Any text as a URI: split, shown, changed.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_contract::fuzzing::splitter(data));
