//! Any text as a URI for azure-kms, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_azure_kms::fuzzing::plan(data));
