//! Any bytes as an envelope.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_envelope::fuzzing::envelope(data));
