//! Any text as a URI for gcpubsub, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_gcpubsub::fuzzing::plan(data));
