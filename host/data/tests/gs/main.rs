//! Cloud Storage, against `fake-gcs-server` and a stand-in, both behind a gate that checks tokens.
//!
//! The client believes that it speaks to `storage.googleapis.com`: names and certificates are those of
//! Google, and `connect_to` leads to the gate. The emulator stores, reads and lists; what it does not
//! have (uploads in parts, copies, conditions, pages, documents of errors) a stand-in of ours has, and
//! servers that lie are written out. None of them proves that Google's own service answers so; the
//! names of the tests say which one was asked.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

#[path = "../common/cloud.rs"]
mod cloud;
#[path = "../common/faults.rs"]
mod hostile;
mod server;
#[path = "../common/suite.rs"]
mod suite;

/// Nothing here proves that Google answers so.
#[path = "."]
mod over_an_emulator_and_stand_ins_and_not_googles_own_service {
    mod causes;
    mod faults;
    mod identities;
    mod integration;
    mod lent;
    mod objects;
    mod unfinished;
}
