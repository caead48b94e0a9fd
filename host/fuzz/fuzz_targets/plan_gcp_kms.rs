//! Any text as a URI for gcp-kms, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_gcp_kms::fuzzing::plan(data));
