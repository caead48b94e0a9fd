//! What is left in the storage of the clouds when a large put is killed, interrupted or never reached
//! it: the real program, and servers that are not the products but are believed to be.
//!
//! moto says of every unfinished upload that it was begun in 2010, Azurite is Microsoft's emulator, and
//! Cloud Storage is a stand-in of ours: what is proved is that the program asks as documented.

#![allow(clippy::expect_used, clippy::panic, reason = "a test may fail")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "../transfer/home.rs"]
mod home;

mod ends;
mod service;
