//! Any text as a URI for http, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_http::fuzzing::plan(data));
