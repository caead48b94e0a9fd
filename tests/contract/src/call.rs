//! Calls of the host, as a script writes them, and what a guest answers.

use std::fmt::Write as _;

use wasmtime::component::{Component, Linker, Resource};
use wasmtime::error::Context as _;
use wasmtime::{Result, Store, bail, ensure};

use crate::bindings::database::DatabaseActor;
use crate::bindings::kms::KmsActor;
use crate::bindings::kms::exports::portolan::provider::kms::Encrypted;
use crate::bindings::lent_host::steps::Depth;
use crate::bindings::sink::SinkActor;
use crate::bindings::sink::exports::portolan::provider::sink::Message;
use crate::bindings::storage::StorageActor;
use crate::bindings::types::{Failure, Kind, PlanEntry};
use crate::host::Host;
use crate::host::keys::Marker;
use crate::host::objects::{MarkerReader, MarkerWriter};
use crate::known::Opaque;
use crate::plan::failure;
use crate::words::{Words, quote};

/// A guest in phase two, by the first kind of its plan.
pub(crate) enum Acting {
    Storage(StorageActor),
    Kms(KmsActor),
    Sink(SinkActor),
    Database(DatabaseActor),
}

impl Acting {
    pub(crate) fn new(
        store: &mut Store<Host>,
        component: &Component,
        linker: &Linker<Host>,
    ) -> Result<Self> {
        let kind = store.data().plan.iter().find_map(|entry| match entry {
            PlanEntry::Kind(kind) => Some(kind.clone()),
            _ => None,
        });
        Ok(match kind.context("there is no plan")? {
            Kind::Storage => Self::Storage(StorageActor::instantiate(store, component, linker)?),
            Kind::Kms => Self::Kms(KmsActor::instantiate(store, component, linker)?),
            Kind::Sink => Self::Sink(SinkActor::instantiate(store, component, linker)?),
            Kind::Database => Self::Database(DatabaseActor::instantiate(store, component, linker)?),
            other => bail!("no walk acts as {other:?}"),
        })
    }

    /// Makes a call and gives the answer as a script writes it.
    pub(crate) fn call(&self, store: &mut Store<Host>, call: &str) -> Result<String> {
        let mut words = Words::new(call);
        let name = words.word()?;
        let answer = match (self, name) {
            (_, "probe") => self.probe(store, &mut words)?,
            (Self::Kms(guest), "encrypt") => {
                let plaintext = opaque(store, &mut words)?;
                let plan = store.data().plan.clone();
                let kms = guest.portolan_provider_kms();
                result(kms.call_encrypt(&mut *store, &plan, plaintext)?, |made| {
                    encrypted(&made)
                })
            }
            (Self::Kms(guest), "decrypt") => {
                let made = Encrypted {
                    ciphertext: words.bytes()?,
                    key: words.text()?,
                    key_version: if words.is_empty() {
                        None
                    } else {
                        Some(words.text()?)
                    },
                };
                let plan = store.data().plan.clone();
                let kms = guest.portolan_provider_kms();
                let plaintext = kms.call_decrypt(&mut *store, &plan, &made)?;
                let plaintext = match plaintext {
                    Ok(handle) => Ok(store.data_mut().table.delete(handle)?),
                    Err(failed) => Err(failed),
                };
                result(plaintext, |plaintext| format!("secret({})", plaintext.name))
            }
            (Self::Sink(guest), "open") => {
                let plan = store.data().plan.clone();
                let sink = guest.portolan_provider_sink();
                result(sink.call_open(&mut *store, &plan)?, |()| String::new())
            }
            (Self::Sink(guest), "emit") => {
                let mut messages = Vec::new();
                while !words.is_empty() {
                    messages.push(message(&mut words)?);
                }
                let sink = guest.portolan_provider_sink();
                let count = sink.call_emit(&mut *store, &messages)?;
                result(count, |count| count.to_string())
            }
            (Self::Sink(guest), "flush") => {
                let count = guest.portolan_provider_sink().call_flush(&mut *store)?;
                result(count, |count| count.to_string())
            }
            (Self::Sink(guest), "close") => {
                let closed = guest.portolan_provider_sink().call_close(&mut *store)?;
                result(closed, |()| String::new())
            }
            _ => bail!("this guest has no call `{name}`"),
        };
        ensure!(words.is_empty(), "the call holds more than it takes");
        Ok(answer)
    }

    fn probe(&self, store: &mut Store<Host>, words: &mut Words<'_>) -> Result<String> {
        let full = match words.word()? {
            "full" => true,
            "read" => false,
            other => bail!("`{other}` is no depth"),
        };
        let depth = if full { Depth::Full } else { Depth::Read };
        let plan = store.data().plan.clone();
        match self {
            Self::Storage(guest) => {
                let table = &mut store.data_mut().table;
                let reader = table.push(MarkerReader)?;
                let writer = if full {
                    Some(table.push(MarkerWriter)?)
                } else {
                    None
                };
                guest
                    .portolan_provider_storage()
                    .call_probe(store, &plan, reader, writer, &depth)?;
            }
            Self::Kms(guest) => {
                let host = store.data_mut();
                let marker = if full {
                    let plaintext = host.known.read(Words::new("marker 64"))?;
                    Some(host.table.push(Marker { plaintext })?)
                } else {
                    None
                };
                guest
                    .portolan_provider_kms()
                    .call_probe(store, &plan, marker, &depth)?;
            }
            Self::Sink(guest) => {
                let mut topics = Vec::new();
                while !words.is_empty() {
                    topics.push(words.word()?.to_owned());
                }
                guest
                    .portolan_provider_sink()
                    .call_probe(store, &plan, &topics, &depth)?;
            }
            Self::Database(guest) => {
                guest
                    .portolan_provider_database()
                    .call_probe(store, &plan, &depth)?;
            }
        }
        Ok("done".to_owned())
    }
}

fn opaque(store: &mut Store<Host>, words: &mut Words<'_>) -> Result<Resource<Opaque>> {
    let Some(name) = words.call("secret")? else {
        bail!("the plaintext is a secret");
    };
    let host = store.data_mut();
    let secret = host.known.read(name)?;
    Ok(host.table.push(secret)?)
}

/// `message TOPIC KEY VALUE`, the key as `-` where there is none; all are of the same time.
fn message(words: &mut Words<'_>) -> Result<Message> {
    ensure!(words.word()? == "message", "an `emit` holds messages");
    Ok(Message {
        topic: words.word()?.to_owned(),
        key: match words.peek() {
            "-" => words.word().map(|_| None)?,
            _ => Some(words.bytes()?),
        },
        value: words.bytes()?,
        headers: Vec::new(),
        timestamp: 1_700_000_000_000,
    })
}

fn encrypted(made: &Encrypted) -> String {
    let mut text = format!("{} {}", quote(&made.ciphertext), quote(made.key.as_bytes()));
    if let Some(version) = &made.key_version {
        let _ = write!(text, " {}", quote(version.as_bytes()));
    }
    text
}

fn result<T>(result: Result<T, Failure>, show: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => format!("ok {}", show(value)).trim_end().to_owned(),
        Err(failed) => failure(&failed),
    }
}
