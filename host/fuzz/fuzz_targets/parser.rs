//! Any text as SQL: parsed, printed, masked, recognized.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_statement::fuzzing::parser(data));
