//! Any text as a URI for gs, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_gs::fuzzing::plan(data));
