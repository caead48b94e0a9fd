//! A rule, a host and an address, a line each.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_egress::fuzzing::policy(data));
