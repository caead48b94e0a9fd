//! A provider of every kind but sinks at once: it does nothing, and has every export of them.

use portolan_sdk::lent::parts::Opaque;
use portolan_sdk::{
    DatabaseProvider, Encrypted, Entry, Failure, FailureClass, Kind, KmsProbe, KmsProvider,
    OpenStore, Plan, Probe, Provider, RegistryProvider, Schema, Stopped, StorageProbe,
    StorageProvider, StreamingProvider, UriPieces,
};

/// The provider.
#[derive(Debug)]
pub struct EveryKind;

/// What is open: nothing.
#[derive(Debug)]
pub struct Open;

fn no<T>() -> Result<T, Failure> {
    Err(Failure::new(
        FailureClass::Unsupported,
        "this provider does nothing",
    ))
}

impl Provider for EveryKind {
    fn plan(_: &UriPieces) -> Result<Plan, Failure> {
        Ok(Plan::new(Kind::Storage))
    }
}

impl StorageProvider for EveryKind {
    fn probe(_: &mut StorageProbe<'_>) -> Result<(), Stopped> {
        Ok(())
    }
}

impl KmsProvider for EveryKind {
    fn probe(_: &mut KmsProbe<'_>) -> Result<(), Stopped> {
        Ok(())
    }

    fn encrypt(_: &Plan, _: Opaque) -> Result<Encrypted, Failure> {
        no()
    }

    fn decrypt(_: &Plan, _: Encrypted) -> Result<Opaque, Failure> {
        no()
    }
}

impl RegistryProvider for EveryKind {
    fn probe(_: &mut Probe<'_>) -> Result<(), Stopped> {
        Ok(())
    }

    fn subjects(_: &Plan, _: u32, _: u32) -> Result<Vec<String>, Failure> {
        no()
    }

    fn register(_: &Plan, _: &str, _: &Schema) -> Result<u32, Failure> {
        no()
    }

    fn get(_: &Plan, _: u32) -> Result<Schema, Failure> {
        no()
    }
}

impl DatabaseProvider for EveryKind {
    fn probe(_: &mut Probe<'_>) -> Result<(), Stopped> {
        Ok(())
    }
}

impl StreamingProvider for EveryKind {
    type Open = Open;

    fn open(_: &Plan) -> Result<Open, Failure> {
        no()
    }
}

impl OpenStore for Open {
    fn put(&mut self, _: &str, _: u64, _: Vec<u8>, _: bool) -> Result<(), Failure> {
        no()
    }

    fn get(&mut self, _: &str, _: u64, _: u32) -> Result<Vec<u8>, Failure> {
        no()
    }

    fn list(&mut self, _: &str, _: Option<&str>, _: u32) -> Result<Vec<Entry>, Failure> {
        no()
    }

    fn delete(&mut self, _: &str) -> Result<(), Failure> {
        no()
    }
}

portolan_sdk::export!(EveryKind: storage, kms, registry, database, streaming);
