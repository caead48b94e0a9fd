//! `steps`: what a probe tells.

use std::fmt::Write as _;

use wasmtime::Result;

use super::Host;
use crate::bindings::lent_host::steps::{self, Outcome};
use crate::plan::failure;
use crate::words::quote;

impl steps::Host for Host {
    fn begin(&mut self, name: String) -> Result<()> {
        self.asked(&format!("begin {name}"))
    }

    fn end(&mut self, outcome: Outcome, details: Vec<(String, String)>) -> Result<()> {
        let mut call = match &outcome {
            Outcome::Ok => "end ok".to_owned(),
            Outcome::Skipped(why) => format!("end skipped {}", quote(why.as_bytes())),
            Outcome::Failed(why) => format!("end {}", failure(why)),
            Outcome::Other(other) => format!("end {other}"),
        };
        for (name, text) in &details {
            let _ = write!(call, "\n    {name}={}", quote(text.as_bytes()));
        }
        self.asked(&call)
    }
}
