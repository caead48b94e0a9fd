//! One guest, from its URI to its last answer.

use portolan_contract::{Manifest, RuleContext, print_redacted, split};
use portolan_secret::SecretText;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::error::Context as _;
use wasmtime::{Engine, Result, Store, bail, ensure, format_err};

use crate::bindings::lent::Lent;
use crate::bindings::planner::Planner;
use crate::bindings::types::PlanEntry;
use crate::call::Acting;
use crate::host::Host;
use crate::plan::{entry, failure, native_pieces, pieces};
use crate::script::{Entry, Script, Side};
use crate::words::Words;

/// A guest, compiled.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a component has none to show")]
pub struct Guest {
    engine: Engine,
    component: Component,
    manifest: Manifest,
}

impl Guest {
    /// A guest of its component and its manifest.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them.
    pub fn new(component: &[u8], manifest: &str) -> Result<Self> {
        let manifest = Manifest::parse(manifest).map_err(wasmtime::Error::new)?;
        let engine = Engine::default();
        let component = Component::new(&engine, component)?;
        Ok(Self {
            engine,
            component,
            manifest,
        })
    }

    /// The same code under another manifest.
    ///
    /// # Errors
    ///
    /// What is wrong with the manifest.
    pub fn under(&self, manifest: &str) -> Result<Self> {
        let manifest = Manifest::parse(manifest).map_err(wasmtime::Error::new)?;
        Ok(Self {
            manifest,
            ..self.clone()
        })
    }

    /// Follows a script to its end.
    ///
    /// # Errors
    ///
    /// The first call or answer that differs from the script, by its line; a plan or a request that
    /// the manifest's rules do not admit; a secret among the bytes that cross the boundary, in either
    /// direction.
    pub fn walk(&self, script: Script) -> Result<()> {
        let mut walk = Walk {
            host: Some(Host::new(script, self.manifest.clone())),
            engine: self.engine.clone(),
            component: self.component.clone(),
        };
        walk.run()
    }
}

struct Walk {
    engine: Engine,
    component: Component,
    /// Absent while an instance has it.
    host: Option<Host>,
}

/// An instance in phase two.
struct Instance {
    store: Store<Host>,
    acting: Acting,
}

impl Walk {
    fn run(&mut self) -> Result<()> {
        let mut instance: Option<Instance> = None;
        while let Some(next) = self.next(&mut instance)? {
            match next.side {
                Side::Call => {
                    let result = match next.text.split_once(' ') {
                        Some(("plan", uri)) => self.plan(uri),
                        _ => self.act(&mut instance, &next.text),
                    };
                    result.with_context(|| {
                        format!("in the call of line {}: {}", next.line, next.text)
                    })?;
                }
                Side::End => {
                    let Some(instance) = instance.take() else {
                        bail!("line {}: there is no instance to end", next.line);
                    };
                    let mut host = instance.store.into_data();
                    host.end_instance();
                    self.host = Some(host);
                }
                _ => bail!("line {}: nobody has called", next.line),
            }
        }
        ensure!(instance.is_none(), "the script ends with ---");
        Ok(())
    }

    fn next(&mut self, instance: &mut Option<Instance>) -> Result<Option<Entry>> {
        let host = match (instance, &mut self.host) {
            (Some(instance), _) => instance.store.data_mut(),
            (None, Some(host)) => host,
            (None, None) => bail!("the walk stopped before"),
        };
        Ok(host.script.next())
    }

    /// Phase one, in an instance of its own in which every import traps.
    fn plan(&mut self, uri: &str) -> Result<()> {
        let mut host = self.host.take().context("an instance is running")?;
        let uri = secrets_put_in(uri, &mut host)?;
        let uri = split(&uri, &host.manifest).map_err(|error| format_err!("{}", error.message))?;
        let planning = pieces(
            &uri.revealed_pieces(&host.manifest)
                .unwrap_or_else(|| uri.pieces.clone()),
        );
        let shown = pieces(&uri.pieces);
        host.rules = RuleContext::new(&uri.pieces);
        host.secrets = uri.secrets;
        host.visible(format!("{planning:?} {shown:?}").as_bytes())?;
        let mut store = self.store(host);
        let mut linker = Linker::new(&self.engine);
        linker.define_unknown_imports_as_traps(&self.component)?;
        let planner = Planner::instantiate(&mut store, &self.component, &linker)?;
        let guest = planner.portolan_provider_planning();
        let redacted = guest.call_redact(&mut store, &shown)?;
        let mut happened = format!(
            "redacted {}\n    ",
            print_redacted(&native_pieces(redacted))
        );
        match guest.call_plan(&mut store, &planning)? {
            Ok(plan) => {
                admitted(&plan, store.data())?;
                happened = plan
                    .iter()
                    .fold(happened + "ok", |text, one| text + "\n    " + &entry(one));
                store.data_mut().plan = plan;
            }
            Err(refused) => happened += &failure(&refused),
        }
        store.data_mut().script.expect(Side::Return, &happened)?;
        let mut host = store.into_data();
        host.end_instance();
        self.host = Some(host);
        Ok(())
    }

    /// Phase two, in the instance at hand or a fresh one.
    fn act(&mut self, instance: &mut Option<Instance>, call: &str) -> Result<()> {
        if instance.is_none() {
            let host = self.host.take().context("the walk stopped before")?;
            let mut store = self.store(host);
            let mut linker = Linker::new(&self.engine);
            Lent::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
            let acting = Acting::new(&mut store, &self.component, &linker)?;
            *instance = Some(Instance { store, acting });
        }
        let Some(Instance { store, acting }) = instance else {
            bail!("there is no instance");
        };
        let plan = format!("{:?}", store.data().plan);
        store.data().visible(plan.as_bytes())?;
        let happened = acting.call(store, call)?;
        let host = store.data_mut();
        if let Some(secret) = host.known.found_in(happened.as_bytes())? {
            bail!("the guest gave back the secret {secret} in clear");
        }
        host.script.expect(Side::Return, &happened)
    }

    fn store(&self, host: Host) -> Store<Host> {
        Store::new(&self.engine, host)
    }
}

/// The URI with a random secret wherever the script writes `secret(NAME LENGTH)`.
fn secrets_put_in(uri: &str, host: &mut Host) -> Result<SecretText> {
    let mut text = String::new();
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once("secret(") {
        let (inside, after) = after.split_once(')').context("`secret(` is not closed")?;
        let secret = host.known.read(Words::new(inside))?;
        text.push_str(before);
        text.push_str(&String::from_utf8(secret.bytes)?);
        rest = after;
    }
    Ok(SecretText::new(text + rest))
}

/// What the real host checks of a plan before it stores it, as far as it is the contract's.
fn admitted(plan: &[PlanEntry], host: &Host) -> Result<()> {
    for entry in plan {
        if let PlanEntry::Endpoint(endpoint) = entry {
            let native = portolan_contract::Endpoint {
                host: endpoint.host.clone(),
                port: endpoint.port,
                tls_profile: endpoint.tls_profile.clone(),
            };
            ensure!(
                host.manifest.endpoint_rule(&native, &host.rules).is_some(),
                "no rule of the manifest admits the endpoint {}:{}",
                endpoint.host,
                endpoint.port
            );
            let profile = endpoint.tls_profile.as_ref();
            ensure!(
                profile.is_none_or(|name| plan
                    .iter()
                    .any(|entry| matches!(entry, PlanEntry::Tls(tls) if tls.name == *name))),
                "the plan has no TLS profile {profile:?}"
            );
        }
    }
    Ok(())
}
