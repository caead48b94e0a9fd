//! The real program against a real S3 server in this process: `s3s`, behind TLS, under the names of
//! AWS. The configuration leads there and names its authority.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../transfer/home.rs"]
mod home;

mod session;
