//! S3, against real servers on loopback.
//!
//! The server is `s3s` with `s3s-fs`, in this process, behind a TLS front of ours: it verifies
//! signatures, hashes and clocks. The client believes that it speaks to `amazonaws.com`: names,
//! certificates and signatures are those of AWS, and `connect_to` leads to the front. What a front
//! says in the server's place is written like AWS's documentation has it, and is proved for these
//! words alone; the name of such a test says so.

#![allow(clippy::expect_used, reason = "a test that cannot be set up fails")]

mod causes;
#[path = "../common/cloud.rs"]
mod cloud;
mod deletes;
mod faults;
#[path = "../common/faults.rs"]
mod hostile;
mod integration;
#[path = "roles.rs"]
mod roles_over_a_stand_in_for_the_token_service_of_aws;
mod server;
mod settings;
#[path = "../common/suite.rs"]
mod suite;
mod transfers;
mod unfinished;
