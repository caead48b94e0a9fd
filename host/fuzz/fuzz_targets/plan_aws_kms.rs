//! Any text as a URI for aws-kms, whose provider is compiled natively.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portolan_aws_kms::fuzzing::plan(data));
