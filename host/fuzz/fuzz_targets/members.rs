//! Pointers, a line each, then an empty line, then any bytes as the JSON document that they are looked
//! up in.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_contract::fuzzing::members(data));
