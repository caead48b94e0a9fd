//! Any text as a URI for kafka, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_kafka::fuzzing::plan(data));
