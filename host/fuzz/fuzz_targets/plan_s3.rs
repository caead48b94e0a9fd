//! Any text as a URI for s3, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_s3::fuzzing::plan(data));
