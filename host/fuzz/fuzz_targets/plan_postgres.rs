//! Any text as a URI for postgres, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_postgres::fuzzing::plan(data));
