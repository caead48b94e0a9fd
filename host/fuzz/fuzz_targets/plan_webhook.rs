//! Any text as a URI for webhook, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_webhook::fuzzing::plan(data));
