//! The host of a walk: every call is compared with the script, and answered from it.
//!
//! One module for each interface of the contract. What the real host has to check, and a script
//! could get wrong, is checked here as well: an opaque part before TLS, a secret that no plan
//! names, a request that no rule of the manifest describes.

mod further;
pub(crate) mod http;
pub(crate) mod keys;
pub(crate) mod net;
pub(crate) mod objects;
mod parts;
pub(crate) mod sasl;
mod small;
mod steps;

use std::fmt::Write as _;

use portolan_contract::{Manifest, RuleContext, Secrets};
use wasmtime::component::{Resource, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime::{Result, bail, ensure};

use crate::bindings::lent_host::parts::Part;
use crate::bindings::types::{self, Endpoint, Failure, PlanEntry};
use crate::known::{Known, Opaque};
use crate::plan::class_named;
use crate::script::{Script, Side};
use crate::words::{Words, quote};

/// What one walk knows and has still to do.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) script: Script,
    pub(crate) known: Known,
    pub(crate) table: ResourceTable,
    pub(crate) manifest: Manifest,
    /// The plan, what its rules refer to, and the secrets that its numbers stand for.
    pub(crate) plan: Vec<PlanEntry>,
    pub(crate) rules: RuleContext,
    pub(crate) secrets: Secrets,
    connections: usize,
    exchanges: usize,
    /// What the object store is used with, once the roles are taken on.
    credentials: Option<objects::Credentials>,
}

impl Host {
    pub(crate) fn new(script: Script, manifest: Manifest) -> Self {
        Self {
            script,
            known: Known::default(),
            table: ResourceTable::new(),
            manifest,
            plan: Vec::new(),
            rules: RuleContext::default(),
            secrets: Secrets::default(),
            connections: 0,
            exchanges: 0,
            credentials: None,
        }
    }

    /// Forgets what belongs to one instance.
    pub(crate) fn end_instance(&mut self) {
        self.table = ResourceTable::new();
        self.connections = 0;
        self.exchanges = 0;
        self.credentials = None;
    }

    /// Bytes are about to reach the guest: no secret is among them, in whatever writing.
    pub(crate) fn visible(&self, bytes: &[u8]) -> Result<()> {
        if let Some(secret) = self.known.found_in(bytes)? {
            bail!("the guest would see the secret {secret}");
        }
        Ok(())
    }

    /// The guest called: that is what the script has next.
    fn asked(&mut self, call: &str) -> Result<()> {
        if let Some(secret) = self.known.found_in(call.as_bytes())? {
            bail!("the guest passed on the secret {secret} in clear:\n> {call}");
        }
        self.script.expect(Side::Asked, call)
    }

    /// The guest called something with a result; `read` reads it, unless the script has a failure.
    fn answered<T>(
        &mut self,
        call: &str,
        read: impl FnOnce(&mut Self, &mut Words<'_>) -> Result<T>,
    ) -> Result<Result<T, Failure>> {
        self.asked(call)?;
        self.reply(read)
    }

    /// The answer that the script has next.
    fn reply<T>(
        &mut self,
        read: impl FnOnce(&mut Self, &mut Words<'_>) -> Result<T>,
    ) -> Result<Result<T, Failure>> {
        let answer = self.script.answer()?;
        let mut words = Words::new(&answer.text);
        let result = if words.peek() == "failed" {
            self.visible(answer.text.as_bytes())?;
            failure(&mut words).map(Err)
        } else {
            read(self, &mut words).map(Ok)
        };
        let result = result.with_context(|| format!("line {}", answer.line))?;
        ensure!(
            words.is_empty(),
            "line {}: the answer holds more than the call has",
            answer.line
        );
        Ok(result)
    }

    /// An endpoint of the plan by its number.
    fn endpoint(&self, number: u32) -> Result<&Endpoint> {
        let mut endpoints = self.plan.iter().filter_map(|entry| match entry {
            PlanEntry::Endpoint(endpoint) => Some(endpoint),
            _ => None,
        });
        endpoints
            .nth(number as usize)
            .with_context(|| format!("the plan has no endpoint {number}"))
    }

    /// A handle to a secret, for the guest.
    fn lend(&mut self, secret: Opaque) -> Result<Resource<Opaque>> {
        Ok(self.table.push(secret)?)
    }

    /// The secret of a handle that is used up.
    fn take(&mut self, handle: Resource<Opaque>) -> Result<Opaque> {
        Ok(self.table.delete(handle)?)
    }

    /// Parts as a script writes them; their handles are used up. Neighbours of bytes are one.
    fn show(&mut self, parts: Vec<Part>) -> Result<String> {
        let mut text = String::new();
        let mut run: Option<Vec<u8>> = None;
        for part in parts {
            match part {
                Part::Bytes(bytes) => run.get_or_insert_default().extend(bytes),
                Part::Secret(handle) => {
                    if let Some(bytes) = run.take() {
                        let _ = write!(text, " {}", quote(&bytes));
                    }
                    let _ = write!(text, " secret({})", self.take(handle)?.name);
                }
            }
        }
        if let Some(bytes) = run {
            let _ = write!(text, " {}", quote(&bytes));
        }
        Ok(text)
    }

    /// A secret as a script answers it: `secret(…)`.
    fn secret(&mut self, words: &mut Words<'_>) -> Result<Opaque> {
        let name = words.call("secret")?;
        let name = name.with_context(|| format!("no secret at `{}`", words.peek()))?;
        self.known.read(name)
    }

    /// Bytes for the guest, in quotes.
    fn bytes(&mut self, words: &mut Words<'_>) -> Result<Vec<u8>> {
        let bytes = words.bytes()?;
        self.visible(&bytes)?;
        Ok(bytes)
    }

    /// A part as a script answers it: bytes in quotes or `secret(…)`.
    fn part(&mut self, words: &mut Words<'_>) -> Result<Part> {
        Ok(match words.call("secret")? {
            Some(name) => {
                let secret = self.known.read(name)?;
                Part::Secret(self.lend(secret)?)
            }
            None => Part::Bytes(self.bytes(words)?),
        })
    }
}

impl types::Host for Host {}

/// The answer of a call that has nothing to tell.
fn ok(words: &mut Words<'_>) -> Result<()> {
    ensure!(words.word()? == "ok", "the answer is `ok` or a failure");
    Ok(())
}

/// A failure of the host, as a script answers it.
pub(crate) fn failure(words: &mut Words<'_>) -> Result<Failure> {
    words.word()?;
    let mut failure = Failure {
        class: class_named(words.word()?),
        message: words.text()?,
        hint: None,
        option_name: None,
        facts: Vec::new(),
    };
    if words.peek() == "hint" {
        words.word()?;
        failure.hint = Some(words.text()?);
    }
    Ok(failure)
}
