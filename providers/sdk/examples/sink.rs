//! A provider of sinks: it does nothing, and has every export of one.

use portolan_sdk::{
    Failure, Kind, Message, OpenSink, Plan, Provider, SinkProbe, SinkProvider, Stopped, UriPieces,
};

/// The provider.
#[derive(Debug)]
pub struct OnlyASink;

/// What is open: nothing.
#[derive(Debug)]
pub struct Open;

impl Provider for OnlyASink {
    fn plan(_: &UriPieces) -> Result<Plan, Failure> {
        Ok(Plan::new(Kind::Sink))
    }
}

impl SinkProvider for OnlyASink {
    type Open = Open;

    fn probe(_: &mut SinkProbe<'_>) -> Result<(), Stopped> {
        Ok(())
    }

    fn open(_: &Plan) -> Result<Open, Failure> {
        Ok(Open)
    }
}

impl OpenSink for Open {
    fn emit(&mut self, messages: Vec<Message>) -> Result<u64, Failure> {
        Ok(messages.len() as u64)
    }

    fn flush(&mut self) -> Result<u64, Failure> {
        Ok(0)
    }

    fn close(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

portolan_sdk::export!(OnlyASink: sink);
