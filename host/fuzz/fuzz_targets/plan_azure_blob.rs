//! Any text as a URI for azure-blob, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_azure_blob::fuzzing::plan(data));
