//! Files of HTTP servers, against nginx with WebDAV on loopback, and against servers that lie.
//!
//! nginx is a process of its own, started with certificates that only this run trusts; names lead
//! to it by `connect_to`. What no real server says is written byte by byte.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod access;
mod causes;
#[path = "../common/cloud.rs"]
mod cloud;
mod faults;
mod folders;
#[path = "../common/faults.rs"]
mod hostile;
mod hostile_lists;
mod integration;
mod server;
#[path = "../common/suite.rs"]
mod suite;
mod uploads;
