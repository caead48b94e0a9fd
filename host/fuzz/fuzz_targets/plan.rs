//! Any text as a URI for nodelocal, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_nodelocal::fuzzing::plan(data));
